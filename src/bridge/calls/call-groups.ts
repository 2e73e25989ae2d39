// Calls by what they are asked for when another one begins, so that nobody looks through all of them.
import { isIn, type Call } from "../../core/call/model/call.ts";
import { chargedTo, isRunning, legOf } from "../../core/call/model/queries.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import type { CallRunner } from "./call-runner.ts";

export class CallGroups {
  /** Those that ring somebody, or are about to. */
  readonly ringing = new Set<CallRunner>();
  /** Those of people whom the trunk has not answered yet. */
  readonly dialling = new Set<CallRunner>();
  readonly running = new Set<CallRunner>();
  readonly #byRoom = new Map<RoomId, readonly CallRunner[]>();
  readonly #byPerson = new Map<UserId, readonly CallRunner[]>();

  /** `before` is undefined where the call begins, `now` where it is gone. */
  changed(runner: CallRunner, before: Call | undefined, now: Call | undefined): void {
    put(this.ringing, runner, now !== undefined && isIn(now, "arriving", "alerting"));
    put(this.dialling, runner, now !== undefined && isIn(now, "offering", "inviting"));
    put(this.running, runner, now !== undefined && isRunning(now));
    move(this.#byRoom, runner, before && legOf(before)?.room, now && legOf(now)?.room);
    move(this.#byPerson, runner, before && chargedTo(before), now && chargedTo(now));
  }

  inRoom(room: RoomId): readonly CallRunner[] {
    return this.#byRoom.get(room) ?? [];
  }

  chargedTo(person: UserId): readonly CallRunner[] {
    return this.#byPerson.get(person) ?? [];
  }
}

function put(group: Set<CallRunner>, runner: CallRunner, isMember: boolean): void {
  if (isMember) group.add(runner);
  else group.delete(runner);
}

function move<Key>(
  groups: Map<Key, readonly CallRunner[]>,
  runner: CallRunner,
  from: Key | undefined,
  to: Key | undefined,
): void {
  if (from !== undefined && from !== to) {
    const left = (groups.get(from) ?? []).filter((one) => one !== runner);
    if (left.length > 0) groups.set(from, left);
    else groups.delete(from);
  }
  const group = to === undefined ? undefined : (groups.get(to) ?? []);
  if (to !== undefined && group?.includes(runner) === false) groups.set(to, [...group, runner]);
}
