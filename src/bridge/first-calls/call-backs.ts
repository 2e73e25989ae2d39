// Somebody calls in their room with the bot, mostly by "Call back" on a call of a number that rang there and has left
// since. The call is refused at once, with links to the rooms of those numbers.
import type { UserId } from "../../core/ids.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver, type MatrixFact } from "../../ports/homeserver.ts";
import type { Visits } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { invitedLeg } from "../admission/invited-leg.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { Conversations } from "../rooms/conversations.ts";
import { roomLink } from "../rooms/room-link.ts";

export interface CallBacksParts {
  readonly homeserver: Pick<Homeserver, "bot" | "notice" | "signal">;
  readonly visits: Pick<Visits, "latest">;
  readonly conversations: Pick<Conversations, "latest">;
  readonly rooms: Pick<Rooms, "isAlone">;
  readonly ghosts: Pick<Ghosts, "ours">;
  /** What a ghost is called by its number. */
  readonly nameOf: (ghost: OurUser) => string;
  readonly clock: Clock;
  readonly log: Log;
}

const mostShown = 5;
const helpWords = "You cannot call me. To call a telephone, write: call NUMBER. Example: call +44 1632 960123";

export class CallBacks {
  readonly #parts: CallBacksParts;

  constructor(parts: CallBacksParts) {
    this.#parts = parts;
  }

  /** Refuses the call in the bot's name, where the two are alone: others may mean each other. Never rejects for the homeserver. */
  async refuse(fact: Extract<MatrixFact, { kind: "call.invited" }>): Promise<void> {
    const { homeserver, rooms, conversations, clock, log } = this.#parts;
    const { room, sender } = fact;
    if ((await conversations.latest(sender, homeserver.bot))?.room !== room) return;
    if ((await rooms.isAlone(sender, room, homeserver.bot)) !== true) return;
    const leg = invitedLeg(fact, homeserver.bot, clock);
    try {
      await homeserver.signal(leg, { kind: "reject", cause: "unavailable" });
      await homeserver.notice(room, homeserver.bot, await this.#wordsFor(room, sender));
      log.info("refused a call in the room with the bot", { room, person: sender });
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not tell a person", { room, code: error.code, error });
    }
  }

  async #wordsFor(room: Parameters<Visits["latest"]>[0], person: UserId): Promise<string> {
    const { visits, conversations, ghosts, nameOf } = this.#parts;
    const lines: string[] = [];
    for (const { ghost } of await visits.latest(room, mostShown)) {
      const number = ghosts.ours(ghost);
      const own = (await conversations.latest(person, number))?.room;
      if (own !== undefined) lines.push(`${nameOf(number)}: ${roomLink(own)}`);
    }
    if (lines.length === 0) return helpWords;
    return ["To call a number back, use its own room. These numbers called you here last:", ...lines].join("\n");
  }
}
