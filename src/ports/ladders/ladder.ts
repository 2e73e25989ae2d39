// The ladder of a call: what Matrix and SIP said in it, in order, without secrets and contents.
import type { CallId, MatrixCallId, RoomId, SipCallId, TrunkName } from "../../core/ids.ts";
import type { SipTransportName } from "../sip.ts";
import type { WireAddress } from "./tap.ts";

/** Who can be at an end of an arrow. */
type Lane = "client" | "homeserver" | "bridge" | "trunk";

export interface LadderSide {
  readonly lane: Lane;
  /** Of a person their Matrix id, of a trunk its name; empty where nothing is known. */
  readonly name: string;
  /** SIP only. */
  readonly address?: WireAddress | undefined;
}

export interface LadderMessage {
  /** In the order of the process; no two have the same. */
  readonly order: number;
  /** ms since the epoch. */
  readonly atMs: number;
  readonly from: LadderSide;
  readonly to: LadderSide;
  /** Undefined: Matrix. */
  readonly transport: SipTransportName | undefined;
  /** Messages of one dialog, or of one call in one room, have the same. */
  readonly thread: string;
  /** `INVITE`, `180 Ringing`, `m.call.invite`. */
  readonly label: string;
  /** The same message has been said before. */
  readonly isRepeat: boolean;
  /** The message without secrets and contents; empty of a repetition. */
  readonly text: string;
  /** So many messages of the thread before this one were dropped, because it has too many. */
  readonly leftOutBefore: number;
}

/** By what the messages of a call are known. */
export interface CallThreads {
  readonly sip: readonly SipCallId[];
  readonly matrix: readonly { readonly room: RoomId; readonly matrixCallId: MatrixCallId }[];
}

/** Numbers are masked as in the log, unless whole ones are asked for. */
export interface LadderBook {
  /** These threads belong to the call; what has been said in them before too. */
  follow(call: CallId, threads: CallThreads): void;
  /** Nothing more is to come but last words. */
  ended(call: CallId): void;
  /** Oldest first. Undefined: there is none, or no more. Never rejects. */
  ofCall(call: CallId, wholeNumbers: boolean): Promise<readonly LadderMessage[] | undefined>;
  /** The last ones of a trunk that belong to no call: REGISTER, OPTIONS. */
  ofTrunk(trunk: TrunkName, wholeNumbers: boolean): readonly LadderMessage[];
}

/** Where ladders are off. */
export const noLadders: LadderBook = {
  follow() {},
  ended() {},
  ofCall: () => Promise.resolve(undefined),
  ofTrunk: () => [],
};
