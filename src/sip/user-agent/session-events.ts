// What a session tells whoever listens to it, and what it is given.
import type { SessionVerdict } from "../headers/session-expires.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest } from "../wire/message.ts";
import type { PeerRequest } from "./peer-request.ts";

/** A re-INVITE or UPDATE that waits for our answer. */
export interface PeerOffer {
  /** Undefined: the peer wants our offer. */
  readonly sdp: string | undefined;
  /** 200 with our description. */
  accept(sdp: string): void;
  refuse(status: number, headers: readonly HeaderLine[]): void;
}

export interface SessionEvents {
  /** BYE, already answered 200. */
  bye(request: SipRequest): void;
  offered(offer: PeerOffer): void;
  /** The peer gave its re-INVITE up (CANCEL); it has been answered 487. */
  offerWithdrawn(): void;
  /** ACK to our 200; `sdp` is the answer where the offer was ours. */
  acknowledged(sdp: string | undefined): void;
  /** No ACK to our 200 within 64*T1 (RFC 3261 s13.3.1.4). */
  unacknowledged(): void;
  /** Target or CSeq changed. */
  changed(): void;
  /** A re-INVITE or UPDATE that is about to be answered: what it says besides its offer. */
  heard(request: SipRequest): void;
  /** What it does to the session's time (RFC 4028 s9). */
  judge(request: SipRequest): SessionVerdict;
  /** That has been agreed to: the 2xx is sent. */
  agreed(verdict: SessionVerdict): void;
  /** INFO, REFER, MESSAGE, or NOTIFY of no subscription of ours. */
  asked(request: PeerRequest): void;
}

/** What the caller does in the dialog of its INVITE to us besides what SessionEvents tells. */
export interface EarlyEvents {
  /** BYE before our answer, already answered 200: the INVITE is still owed its final response. */
  bye(request: SipRequest): void;
  /** Whether that PRACK is for a provisional response of ours (RFC 3262 s3). */
  acknowledges(prack: SipRequest): boolean;
  /** UPDATE without an offer, already answered 200: what it says of the caller. */
  heard(request: SipRequest): void;
}

/** What a request inside the dialog carries besides what makes it one. */
export interface DialogRequestParts {
  readonly headers?: readonly HeaderLine[];
  readonly body?: { readonly contentType: string; readonly content: string } | undefined;
}
