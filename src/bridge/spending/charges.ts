// The charges of calls in progress: which leg of a trunk each pays for, since when, and until when. What limits leave is
// asked of the account; when a call has to be told is decided in spending.ts.
import type { CallId, UserId } from "../../core/ids.ts";

export interface RunningLeg {
  readonly id: string;
  readonly person: UserId;
  readonly longestMs: number;
  /** The trunk's leg that it pays for; while `awaited`, the leg that is to be transferred. */
  leg: CallId;
  /** The call was ordered by a transfer, and has not been placed yet. */
  awaited: boolean;
  /** By the process's clock; undefined: nobody has answered, and nothing is to be paid. */
  answeredAtMs: number | undefined;
  /** When the call that holds the leg ended; another one may go on with it. */
  endedAtMs: number | undefined;
  /** An earlier process left it. */
  readonly isLeft: boolean;
  warned: boolean;
  cancel: () => void;
}

export class Charges {
  readonly #byId = new Map<string, RunningLeg>();
  readonly #byLeg = new Map<CallId, Set<RunningLeg>>();

  get all(): readonly RunningLeg[] {
    return [...this.#byId.values()];
  }

  get(id: string): RunningLeg | undefined {
    return this.#byId.get(id);
  }

  of(leg: CallId): readonly RunningLeg[] {
    return [...(this.#byLeg.get(leg) ?? [])];
  }

  add(one: RunningLeg): void {
    this.#byId.set(one.id, one);
    this.#at(one.leg).add(one);
  }

  move(one: RunningLeg, to: CallId): void {
    this.#takeFrom(one);
    one.leg = to;
    this.#at(to).add(one);
  }

  remove(one: RunningLeg): void {
    one.cancel();
    this.#byId.delete(one.id);
    this.#takeFrom(one);
  }

  #at(leg: CallId): Set<RunningLeg> {
    const found = this.#byLeg.get(leg) ?? new Set();
    this.#byLeg.set(leg, found);
    return found;
  }

  #takeFrom(one: RunningLeg): void {
    const rest = this.#byLeg.get(one.leg);
    rest?.delete(one);
    if (rest?.size === 0) this.#byLeg.delete(one.leg);
  }
}
