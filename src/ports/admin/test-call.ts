// A call that nobody makes but an admin, to see whether a trunk carries one: our tones at one end, the telephone at the other.
import type { Cause } from "../../core/call/model/cause.ts";
import type { EndStats } from "../../core/call/model/media-stats.ts";
import type { CallId, TrunkName } from "../../core/ids.ts";

export interface TestCallOrder {
  /** As people dial it. */
  readonly number: string;
  /** Undefined: the first trunk of the dial plan's. */
  readonly trunk: TrunkName | undefined;
  /** How long it is talked for; the bridge ends it then. */
  readonly talkMs: number;
}

export interface TestCall {
  readonly id: CallId;
  /** Masked as in the log. */
  readonly number: string;
  readonly trunk: TrunkName;
  readonly phase: "dialling" | "ringing" | "talking" | "ending" | "over";
  /** ms since the epoch. */
  readonly startedAtMs: number;
  /** After the start: until something rang, and until somebody answered. */
  readonly rangAfterMs: number | undefined;
  readonly answeredAfterMs: number | undefined;
  /** Why it ended or is about to; undefined while it goes on, and where it went on for as long as was wanted. */
  readonly cause: Cause | undefined;
  /** The trunk's final response, where it refused the call. */
  readonly sipStatus: number | undefined;
  readonly codec: string | undefined;
  /** What came from the trunk; undefined before the answer. */
  readonly heard: EndStats | undefined;
}

export type TestCallPlaced =
  | { readonly kind: "placed"; readonly call: TestCall }
  /** `words` say why, to an admin. */
  | {
      readonly kind: "refused";
      readonly why: Cause | "not-dialable" | "no-such-trunk" | "one-at-a-time";
      readonly words: string;
    };

export interface TestCalls {
  /** Not to emergency numbers, and to no number that is barred for everybody. One at a time. */
  place(order: TestCallOrder): Promise<TestCallPlaced>;
  /** Of the last few; undefined: there is no such call. */
  find(call: CallId): Promise<TestCall | undefined>;
  /** False: there is none, or it ends already. */
  end(call: CallId): boolean;
}
