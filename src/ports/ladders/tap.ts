// What the edges hand over for ladders: messages as they were said, nothing removed. src/ladders removes secrets and contents
// before it keeps anything.
import type { RoomId, TrunkName, UserId } from "../../core/ids.ts";
import type { SipTransportName } from "../sip.ts";

/** Numeric, IPv6 without brackets. */
export interface WireAddress {
  readonly address: string;
  readonly port: number;
}

/** One message on the wire, repetitions included. */
export interface SipSaid {
  readonly trunk: TrunkName;
  /** As the bridge sees it. */
  readonly way: "in" | "out";
  readonly transport: SipTransportName;
  readonly local: WireAddress;
  readonly remote: WireAddress;
  readonly bytes: Uint8Array;
}

/** One event, decrypted where it could be. */
export interface MatrixSaid {
  readonly way: "in" | "out";
  readonly room: RoomId;
  readonly sender: UserId;
  readonly type: string;
  readonly stateKey?: string | undefined;
  readonly content: unknown;
  /** By which a repetition is known: the event's id, or the request's path. */
  readonly id: string;
  /** It goes encrypted through the homeserver. */
  readonly encrypted: boolean;
}

/** The homeserver did not take an event of ours. */
export interface MatrixRefused {
  readonly said: MatrixSaid;
  /** Such as `M_FORBIDDEN`. */
  readonly code: string;
}

/** Never throws, and waits for nothing. */
export interface LadderTap {
  sip(said: SipSaid): void;
  matrix(said: MatrixSaid): void;
  matrixRefused(refused: MatrixRefused): void;
}

/** Where nobody keeps ladders. */
export const noTap: LadderTap = { sip() {}, matrix() {}, matrixRefused() {} };
