// Call invites for rooms that the person has not joined: sent once they join. No client rings before that, and clients
// of some homeservers (the Conduit family) never get what was sent before a join. Sending an invite twice would not
// help: clients of matrix-js-sdk then lose the first call.
import type { LegAddress, LegSignal } from "../../core/call/model/matrix-leg.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { JoinWatch } from "./join-watch.ts";

export interface LateInvitesParts {
  readonly homeserver: Pick<Homeserver, "signal">;
  readonly joins: Pick<JoinWatch, "isAwaited">;
  readonly log: Log;
}

type Invite = Extract<LegSignal, { kind: "invite" }>;

/** More than are called and do not come. */
const remembered = 1_000;

export class LateInvites {
  readonly #parts: LateInvitesParts;
  /** By room and call. */
  readonly #held = new Map<string, { readonly leg: LegAddress; readonly invite: Invite; readonly person: UserId }>();

  /** Rooms whose last call was held until it was over, the latest last. */
  readonly #unseen = new Set<RoomId>();

  constructor(parts: LateInvitesParts) {
    this.#parts = parts;
  }

  /** True where the signal is not to be sent: an invite waits for its person, or what ends a call that nobody saw. */
  holds(leg: LegAddress, signal: LegSignal): boolean {
    const key = `${leg.room}\n${leg.matrixCallId}`;
    if (signal.kind !== "invite") return this.#held.delete(key);
    const { invitee } = signal;
    this.#unseen.delete(leg.room);
    if (invitee === undefined || !this.#parts.joins.isAwaited(leg.room, invitee)) return false;
    this.#unseen.add(leg.room);
    const [oldest] = this.#unseen;
    if (this.#unseen.size > remembered && oldest !== undefined) this.#unseen.delete(oldest);
    this.#held.set(key, { leg, invite: signal, person: invitee });
    return true;
  }

  /** Whether the invite of the last call in the room was sent. */
  wasSeen(room: RoomId): boolean {
    return !this.#unseen.has(room);
  }

  /** The person is in the room: what waited for them is sent. Never rejects. */
  async joined(room: RoomId, person: UserId): Promise<void> {
    const { homeserver, log } = this.#parts;
    for (const [key, { leg, invite, person: invitee }] of this.#held) {
      if (leg.room !== room || invitee !== person) continue;
      this.#held.delete(key);
      this.#unseen.delete(room);
      await attempt(homeserver.signal(leg, invite), log, "could not ring a person who joined", { room, person });
    }
  }
}
