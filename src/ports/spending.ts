// What of limits and bars must survive a restart.
import type { CallId, UserId } from "../core/ids.ts";
import type { Charge, Usage } from "../core/policy/spending/account.ts";
import type { Bar } from "../core/policy/spending/bar.ts";

/** A charge whose call has not ended. */
export interface RunningCharge {
  readonly charge: Charge;
  /** The trunk's leg that it pays for; of a call that a transfer has yet to place, the leg that is transferred. */
  readonly leg: CallId;
  readonly person: UserId;
  /** ms since the epoch; undefined: nobody has answered, and nothing is to be paid. */
  readonly answeredAtMs: number | undefined;
  /** How long the call may last at most. */
  readonly longestMs: number;
}

export interface SpendingChanges {
  readonly usages: readonly Usage[];
  readonly running: readonly RunningCharge[];
  /** Ids of charges that are no more. */
  readonly settled: readonly string[];
}

export interface SpendingStore {
  /** What cannot be read is logged and left out. */
  load(): Promise<Omit<SpendingChanges, "settled">>;
  /** Inserts or replaces; all of it or nothing. */
  save(changes: SpendingChanges): Promise<void>;
  /** Forgets what was used in months before this one (`2026-11`), and in their days. */
  prune(beforeMonth: string): Promise<void>;
  bars(): Promise<readonly Bar[]>;
  /** Replaces the one of the same kind, scope and prefix. */
  setBar(bar: Bar): Promise<void>;
  removeBar(bar: Pick<Bar, "kind" | "scope" | "prefix">): Promise<void>;
}
