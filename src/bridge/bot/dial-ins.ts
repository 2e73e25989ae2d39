// People who are in a call with each other have the bot dial somebody into it.
import { eventId, type RoomId, type UserId } from "../../core/ids.ts";
import type { GhostNumber } from "../../core/number/plan/number-key.ts";
import { legOf } from "../../core/call/model/queries.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Callers } from "../admission/callers.ts";
import type { Invitation } from "../admission/outbound-admission.ts";
import type { OccupiedRooms } from "../rooms/occupied-rooms.ts";
import type { RingingRooms } from "../rooms/ringing-rooms.ts";
import { UnfitRoomError } from "../rooms/unfit-room.ts";

export interface DialInsParts {
  readonly homeserver: Pick<Homeserver, "hasRunningCall" | "placeInRunningCall" | "signal">;
  readonly ringingRooms: Pick<RingingRooms, "open">;
  readonly occupied: Pick<OccupiedRooms, "callsIn">;
  readonly callers: Pick<Callers, "sameNumber">;
  /** Dials the number. False where no call has come of it. */
  readonly place: (invitation: Pick<Invitation, "fact" | "ghost" | "own">) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/** How long the telephone may ring: everybody hears it do so. */
const dialMs = 120_000;

const words = {
  noCall: "Nobody is in a call here. Start one, and then invite numbers to it.",
  there: "That number is in the call already.",
  failed: "I could not bring that number into this room. Give me the power to invite, and try again.",
} as const;

export class DialIns {
  readonly #parts: DialInsParts;

  constructor(parts: DialInsParts) {
    this.#parts = parts;
  }

  /** What the person has to read; undefined: it is being dialled. `number`: one that they may call. */
  async begin(room: RoomId, person: UserId, number: GhostNumber): Promise<string | undefined> {
    const { homeserver, ringingRooms, occupied, callers, log } = this.#parts;
    if (!(await homeserver.hasRunningCall(room))) return words.noCall;
    const ghosts = occupied.callsIn(room).map((call) => legOf(call)?.ghost);
    if (ghosts.some((ghost) => ghost !== undefined && callers.sameNumber(ghost, number))) return words.there;
    try {
      const { ghost } = await ringingRooms.open({ kind: "room", room }, number, undefined);
      return (await this.#dial(room, person, { ...number, user: ghost })) ? undefined : words.noCall;
    } catch (error) {
      if (!(error instanceof HomeserverError) && !(error instanceof UnfitRoomError)) throw error;
      log.warn("could not bring a number into a call", { room, person, code: error.code, error });
      return words.failed;
    }
  }

  /** False where the call has ended meanwhile. */
  async #dial(room: RoomId, person: UserId, ghost: GhostNumber): Promise<boolean> {
    const { homeserver, place, clock, log } = this.#parts;
    const running = await homeserver.placeInRunningCall(room, ghost.user, person);
    if (running === undefined) return false;
    const { side, abilities, description } = running;
    let isPlaced = false;
    try {
      isPlaced = await place({
        fact: {
          kind: "call.invited",
          eventId: eventId(side.matrixCallId),
          room,
          sender: person,
          ageMs: 0,
          receivedAtMs: clock.nowMs(),
          matrixCallId: side.matrixCallId,
          device: undefined,
          description,
          video: false,
          lifetimeMs: dialMs,
          invitee: ghost.user,
          form: side.form,
          abilities,
        },
        ghost,
        own: side.own,
      });
    } finally {
      const leg = { ...side, room, ghost: ghost.user };
      if (!isPlaced)
        await attempt(homeserver.signal(leg, { kind: "hangup", cause: "unavailable" }), log, "could not leave a call", {
          room,
        });
    }
    return true;
  }
}
