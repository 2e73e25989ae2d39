// Which call a fact belongs to: by our own id, by the leg of a joined call, by the ids that clients use.
import type { Call } from "../../core/call/model/call.ts";
import type { IceCandidate } from "../../core/call/model/fact.ts";
import type { LegName } from "../../core/call/model/trunk-leg.ts";
import type { MatrixLeg } from "../../core/call/model/matrix-leg.ts";
import { isIn } from "../../core/call/model/call.ts";
import { isRunning, legOf, trunkLegsOf } from "../../core/call/model/queries.ts";
import type { CallId, MatrixCallId, RoomId } from "../../core/ids.ts";
import { CallGroups } from "./call-groups.ts";
import type { CallRunner } from "./call-runner.ts";
import { RecentIds } from "../limits/recent-ids.ts";
import type { MediaDescription } from "../../core/media-description.ts";

/** What a person's client has said of a call of its own: another call of ours may have to take it over. */
export interface OwnInvite {
  readonly leg: MatrixLeg;
  readonly description: MediaDescription;
  readonly candidates: IceCandidate[];
}

/** More than any client has. */
const mostCandidates = 300;

interface JoinedLeg {
  readonly runner: CallRunner;
  readonly side: LegName;
}

/** Calls remembered as over, whose last candidates may still be on their way. */
const recentCalls = 1_000;

interface Entry {
  readonly runner: CallRunner;
  invite: OwnInvite | undefined;
  readonly keys: string[];
}

export class CallIndex {
  readonly #byId = new Map<CallId, Entry>();
  /** Trunk legs that have been given to a joined call. */
  readonly #joined = new Map<CallId, JoinedLeg>();
  /** By room and Matrix call id where a client began the call; by the id alone where we did, which is one in all rooms. */
  readonly #byKey = new Map<string, CallRunner>();
  readonly #over = new RecentIds(recentCalls);
  /** Of calls that are over, what is still to be done. */
  readonly #leaving = new Set<Promise<void>>();
  #emptied: (() => void)[] = [];

  readonly groups = new CallGroups();

  /** Those of the moment. */
  get calls(): readonly Call[] {
    return this.runners.map(({ call }) => call);
  }

  get runners(): readonly CallRunner[] {
    return [...this.#byId.values()].map(({ runner }) => runner);
  }

  add(runner: CallRunner, invite?: OwnInvite): void {
    const { call } = runner;
    this.#byId.set(call.id, { runner, invite, keys: [] });
    this.groups.changed(runner, undefined, call);
    if (call.direction === "joined") {
      const [a, b] = trunkLegsOf(call);
      if (a !== undefined) this.#joined.set(a.id, { runner, side: "a" });
      if (b !== undefined) this.#joined.set(b.id, { runner, side: "b" });
      return;
    }
    const leg = legOf(call);
    if (leg !== undefined) this.move(leg, runner);
    if (isIn(call, "picking-up", "arriving", "alerting")) this.#key(call.phase.ring.matrixCallId, runner);
  }

  changed(runner: CallRunner, before: Call | undefined): void {
    this.groups.changed(runner, before, runner.call);
    const entry = this.#byId.get(runner.id);
    // Its description is the longest text of a call.
    if (entry !== undefined && !this.groups.dialling.has(runner)) entry.invite = undefined;
  }

  /** Undefined also where it is ending already. */
  running(call: CallId): CallRunner | undefined {
    const runner = this.get(call);
    return runner !== undefined && isRunning(runner.call) ? runner : undefined;
  }

  get(call: CallId): CallRunner | undefined {
    return this.#byId.get(call)?.runner;
  }

  /** The joined call that has this trunk leg now. */
  joined(leg: CallId): JoinedLeg | undefined {
    return this.#joined.get(leg);
  }

  /** The call that has this trunk leg now, joined or by itself. */
  holderOf(leg: CallId): CallRunner | undefined {
    return this.#joined.get(leg)?.runner ?? this.get(leg);
  }

  find(room: RoomId, matrixCallId: MatrixCallId): CallRunner | undefined {
    return this.#byKey.get(keyOf(room, matrixCallId)) ?? this.#byKey.get(matrixCallId);
  }

  /** From now on the client's call is this one. */
  move(leg: MatrixLeg, runner: CallRunner): void {
    this.#key(keyOf(leg.room, leg.matrixCallId), runner);
  }

  /** Clients know a call of ours by this id from now on, in all rooms. */
  alias(call: CallId, matrixCallId: MatrixCallId): void {
    const runner = this.get(call);
    if (runner !== undefined) this.#key(matrixCallId, runner);
  }

  /** What the client has said of its call since. */
  note(runner: CallRunner, candidates: readonly IceCandidate[]): void {
    const noted = this.inviteOf(runner)?.candidates;
    noted?.push(...candidates.slice(0, mostCandidates - noted.length));
  }

  /** As long as another call may take it over: while it dials. */
  inviteOf(runner: CallRunner): OwnInvite | undefined {
    return this.#byId.get(runner.id)?.invite;
  }

  /** Gives the calls whose trunk legs nobody has any more. */
  remove(call: CallId): readonly CallId[] {
    const entry = this.#byId.get(call);
    if (entry === undefined) return [];
    this.#byId.delete(call);
    this.groups.changed(entry.runner, entry.runner.call, undefined);
    for (const key of entry.keys) {
      if (this.#byKey.get(key) !== entry.runner) continue;
      this.#byKey.delete(key);
      this.#over.add(key);
    }
    const legs = [...this.#joined].filter(([, { runner }]) => runner === entry.runner).map(([leg]) => leg);
    for (const leg of legs) this.#joined.delete(leg);
    return [call, ...legs].filter((leg) => !this.#joined.has(leg) && !this.#byId.has(leg));
  }

  /** A call that was removed counts until `rest` resolves, as far as `whenEmpty` goes. It must not reject. */
  leaves(rest: Promise<void>): void {
    this.#leaving.add(rest);
    void rest.then(() => {
      this.#leaving.delete(rest);
      if (!this.#isEmpty()) return;
      for (const emptied of this.#emptied.splice(0)) emptied();
    });
  }

  /** Resolves when there is no call any more, and nothing is left to be done of one. */
  whenEmpty(): Promise<void> {
    return this.#isEmpty() ? Promise.resolve() : new Promise((resolve) => this.#emptied.push(resolve));
  }

  isOver(room: RoomId, matrixCallId: MatrixCallId): boolean {
    return this.#over.has(keyOf(room, matrixCallId)) || this.#over.has(matrixCallId);
  }

  #isEmpty(): boolean {
    return this.#byId.size + this.#leaving.size === 0;
  }

  #key(key: string, runner: CallRunner): void {
    this.#byKey.set(key, runner);
    this.#byId.get(runner.id)?.keys.push(key);
  }
}

export function keyOf(room: RoomId, matrixCallId: MatrixCallId): string {
  return `${room}\n${matrixCallId}`;
}
