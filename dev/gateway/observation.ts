// What the gateway saw and heard, and what may be done in a call from outside: for tests, and for the demo's ladder.
import type { Heard } from "../audio/goertzel.ts";
import type { Keypress } from "../audio/telephone-event.ts";
import type { Headers } from "./wire/message-text.ts";
import type { CodecName, Direction } from "./media/session-description.ts";
import type { SipTransport } from "./wire/sockets.ts";

/** How a call ended, from the gateway's side. */
export interface GatewayCallEnd {
  readonly by: "caller" | "callee" | "gateway";
  /**
   * `unacknowledged`: the caller never sent its ACK. `unanswered`: a call of ours, given up or without any answer.
   * `replaced`: another call took its place. `stopped`: the gateway was.
   */
  readonly how: "bye" | "cancel" | "refused" | "unacknowledged" | "unanswered" | "replaced" | "stopped";
  /** Final status of an INVITE that was refused or cancelled. */
  readonly status: number | undefined;
  /** The Reason header of the BYE, CANCEL or refusal. */
  readonly reason: string | undefined;
}

/** A REFER that came, and the call that followed it. */
export interface Referral {
  /** Refer-To without its brackets, as sent. */
  readonly target: string;
  readonly referredBy: string | undefined;
  /** What the peer was told by NOTIFY, in order. */
  readonly notified: readonly number[];
  /** Undefined until it is called, and where it cannot be. */
  readonly call: GatewayCall | undefined;
}

/** One call as the gateway sees it; a live view that changes with the call. The peer is whoever is at its other end. */
export interface GatewayCall {
  /** `in`: the gateway is called; `out`: it calls. */
  readonly direction: "in" | "out";
  /** User part of the Request-URI, unescaped: what was dialled as it came out of the bridge. */
  readonly number: string;
  readonly requestUri: string;
  readonly transport: SipTransport;
  readonly sipCallId: string;
  readonly from: { readonly displayName: string; readonly uri: string };
  /** Values of a header of the peer's first INVITE, or of its last answer to ours, by canonical name. */
  headers(name: string): readonly string[];
  /** The same of the last UPDATE, or INVITE in the call, that the peer sent. */
  lastHeaders(name: string): readonly string[];
  /** The digest user, where the gateway asked for one. */
  readonly user: string | undefined;
  /** The peer's first description: the INVITE's offer, or what came with an answer to ours, as sent. */
  readonly offer: string;
  /** Statuses that the INVITE was answered with, in order, repeated ones of ours not told. */
  readonly statuses: readonly number[];
  readonly state: "ringing" | "answered" | "ended";
  /** Methods received in this call, in order, repeated ones not told. */
  readonly requests: readonly string[];
  readonly codec: CodecName | undefined;
  /** The peer's direction as last offered or answered. */
  readonly peerDirection: Direction | undefined;
  /** Keys that came as RTP events. */
  readonly digits: readonly Keypress[];
  /** Keys that came as INFO. */
  readonly infoDigits: readonly Keypress[];
  /** Progress of a REFER of ours, as NOTIFY told it. */
  readonly notified: readonly number[];
  readonly referrals: readonly Referral[];
  /** Which tone the last `lastMs` held (default 1,000, up to 4,000). */
  heard(lastMs?: number, frequencies?: readonly number[]): Heard;
  /** Audio received and decoded so far. */
  readonly heardMs: number;
  readonly rtp: {
    readonly received: number;
    readonly sent: number;
    readonly lost: number;
    readonly ssrcs: readonly number[];
    readonly payloadTypes: readonly number[];
    /** Packets of a payload type that was not agreed on. */
    readonly strangers: number;
    /** Types of the RTCP packets received, in order: 200 SR, 201 RR, 202 SDES, 203 BYE. */
    readonly rtcp: readonly number[];
  };
  readonly end: GatewayCallEnd | undefined;

  /** re-INVITE with `sendonly` and with `sendrecv`; resolves when that is settled, whichever way. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** Keys as RTP events of 160 ms; resolves when they are out. Rejects where no RTP events were agreed on. */
  press(digits: string): Promise<void>;
  /** One key as INFO. These give the final status; undefined where none came. */
  info(digit: string, as?: "dtmf-relay" | "dtmf"): Promise<number | undefined>;
  /** UPDATE without SDP: to say who is at the other end now, for one. */
  update(headers: Headers): Promise<number | undefined>;
  /** REFER to a number of the gateway's own, or a whole URI; what becomes of it is in `notified`. */
  refer(target: string): Promise<number | undefined>;
  /** BYE; before the answer a refusal, or CANCEL where the gateway calls. */
  hangUp(): Promise<void>;
}

/** A text that came (RFC 3428). */
export interface GatewayMessage {
  /** User part of the Request-URI, unescaped. */
  readonly number: string;
  readonly from: { readonly displayName: string; readonly uri: string };
  readonly contentType: string;
  readonly text: string;
  readonly sipCallId: string;
  readonly status: number;
  headers(name: string): readonly string[];
}

/** A Contact that is registered now. */
export interface GatewayRegistration {
  /** `user@host` of To. */
  readonly address: string;
  /** The digest user, where the gateway asked for one. */
  readonly user: string | undefined;
  /** The URI. */
  readonly contact: string;
  /** As granted. */
  readonly expiresSeconds: number;
  readonly transport: SipTransport;
  readonly sipCallId: string;
}

/** For the ladder, as it happens. */
type GatewayLogEntry =
  | {
      readonly kind: "sip";
      readonly way: "in" | "out";
      readonly transport: SipTransport;
      readonly peer: string;
      /** From the gateway to itself: a call that it makes for somebody who was transferred. */
      readonly own: boolean;
      /** `INVITE sip:...` or `180 Ringing`. */
      readonly what: string;
      /** `1 INVITE`. */
      readonly cseq: string;
      readonly sipCallId: string;
      /** Sent or received before. */
      readonly again: boolean;
    }
  | { readonly kind: "digit"; readonly sipCallId: string; readonly digit: string; readonly durationMs: number }
  /** First audio of a call, and the end with what was heard last. */
  | { readonly kind: "audio"; readonly sipCallId: string; readonly codec: CodecName }
  | { readonly kind: "ended"; readonly sipCallId: string; readonly end: GatewayCallEnd; readonly heard: Heard }
  | { readonly kind: "fault"; readonly what: string; readonly error: Error | undefined };

export type GatewayLog = (entry: GatewayLogEntry) => void;
