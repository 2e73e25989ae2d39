// What the gateway saw and heard: for tests that ask, and for the demo's ladder.
import type { Heard } from "../audio/goertzel.ts";
import type { Keypress } from "../audio/telephone-event.ts";
import type { CodecName, Direction } from "./session-description.ts";
import type { SipTransport } from "./sockets.ts";

/** How a call ended, from the gateway's side. */
export interface GatewayCallEnd {
  readonly by: "caller" | "gateway";
  /** `unacknowledged`: the caller never sent its ACK. `stopped`: the gateway was. */
  readonly how: "bye" | "cancel" | "refused" | "unacknowledged" | "stopped";
  /** Final status of an INVITE that was refused or cancelled. */
  readonly status: number | undefined;
  /** The Reason header of the BYE or CANCEL. */
  readonly reason: string | undefined;
}

/** One call as the gateway sees it; a live view that changes with the call. */
export interface GatewayCall {
  /** User part of the Request-URI, unescaped: what was dialled as it came out of the bridge. */
  readonly number: string;
  readonly requestUri: string;
  readonly transport: SipTransport;
  readonly sipCallId: string;
  readonly from: { readonly displayName: string; readonly uri: string };
  /** Values of a header of the first INVITE, by canonical name: `P-Asserted-Identity`, `Privacy`, ... */
  headers(name: string): readonly string[];
  /** The digest user, where the gateway asked for one. */
  readonly user: string | undefined;
  /** The INVITE's offer, as sent. */
  readonly offer: string;
  /** Statuses that the INVITE was answered with, in order, repeated ones not told. */
  readonly statuses: readonly number[];
  readonly state: "ringing" | "answered" | "ended";
  /** Methods received in this call, in order, repeated ones not told. */
  readonly requests: readonly string[];
  readonly codec: CodecName | undefined;
  /** The caller's direction as last offered or answered. */
  readonly callerDirection: Direction | undefined;
  readonly digits: readonly Keypress[];
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
}

/** For the ladder, as it happens. */
type GatewayLogEntry =
  | {
      readonly kind: "sip";
      readonly way: "in" | "out";
      readonly transport: SipTransport;
      readonly peer: string;
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
