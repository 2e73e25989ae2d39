// What whoever uses the headless client sees of a call, and what may be done in it.
import type { Heard } from "../audio/goertzel.ts";
import type { Direction } from "./browser-description.ts";

/** What happened in a call, in order; `atMs` since the call was placed, or came. */
export type CallFact = { readonly atMs: number } & (
  | { readonly kind: "found"; readonly user: string }
  | { readonly kind: "room"; readonly roomId: string; readonly made: boolean }
  | { readonly kind: "invited" }
  | { readonly kind: "ghost joined" }
  /** A call came, and this device rings. */
  | { readonly kind: "rings" }
  /** By the other end, or by us where we were called. */
  | { readonly kind: "answered" }
  /** Of several that answered, this device has the call. */
  | { readonly kind: "selected" }
  /** ICE and DTLS are up. */
  | { readonly kind: "connected" }
  | { readonly kind: "renegotiated"; readonly by: "client" | "bridge"; readonly direction: Direction }
  /** Who is at the other end now (MSC3086). */
  | { readonly kind: "identified"; readonly displayName: string | undefined }
  | { readonly kind: "notice"; readonly text: string }
  | { readonly kind: "ended"; readonly end: CallEnd }
);

export interface CallEnd {
  /** `device`: another one of the same user's, or another user in the room. */
  readonly by: "client" | "bridge" | "device";
  readonly how:
    | "rejected"
    | "hung up"
    | "invite timeout"
    | "media failed"
    | "transferred"
    | "answered elsewhere"
    | "declined elsewhere";
  readonly reason: string | undefined;
}

export interface HeadlessCall {
  readonly direction: "out" | "in";
  /** The ghost. */
  readonly user: string;
  readonly roomId: string;
  readonly matrixCallId: string;
  readonly state: "invited" | "ringing" | "connecting" | "connected" | "ended";
  readonly end: CallEnd | undefined;
  readonly facts: readonly CallFact[];
  /** Plain messages of the ghost or the bot in the room, since the call was placed or came. */
  readonly notices: readonly string[];
  readonly codec: "PCMU" | "PCMA" | undefined;
  /** What the other end says that it can do. */
  readonly capabilities: Readonly<Record<string, unknown>>;
  /** Which tone the last `lastMs` held (default 1,000, up to 4,000). */
  heard(lastMs?: number, frequencies?: readonly number[]): Heard;
  /** Audio received and decoded so far. */
  readonly heardMs: number;
  /** Keys that came as RTP events; browsers do not hear them. */
  readonly keys: readonly string[];
  readonly rtp: {
    readonly received: number;
    readonly sent: number;
    readonly lost: number;
    readonly ssrcs: readonly number[];
    readonly strangers: number;
    readonly rtcp: number;
  };
  /** Takes a call that rings; resolves when the answer is sent. Rejects where it does not ring any more. */
  answer(): Promise<void>;
  /** Declines a call that rings. */
  decline(): Promise<void>;
  /** Keys of 160 ms with 100 ms between; resolves when they are out. */
  dtmf(digits: string): Promise<void>;
  /** Resolves when the answer to the new offer is there. */
  hold(): Promise<void>;
  resume(): Promise<void>;
  /** Sends the other end on to this user (MSC2747), and ends here without a word, as Element does. */
  transfer(user: string): Promise<void>;
  /** Sends the other end to that of another call of this client; both end here. */
  transferTo(consult: HeadlessCall): Promise<void>;
  hangup(): Promise<void>;
  /** Looks now and at each change until there is something other than undefined or false; patient by default. */
  until<Found>(look: (call: HeadlessCall) => Found | undefined | false, timeoutMs?: number): Promise<Found>;
}
