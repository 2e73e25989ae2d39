// Tells a room what admins should know at once. What repeats is counted, so that an unsteady trunk fills no room.
import type { RoomId, TrunkName } from "../../core/ids.ts";
import type { BridgeEvent, Overrun } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { adminNotice, moreWords, trunkDownWords, trunkUpWords } from "./admin-notices.ts";

export interface AdminRoomParts {
  readonly homeserver: Pick<Homeserver, "bot" | "notice" | "join">;
  /** Undefined: nobody is told. */
  readonly room: () => RoomId | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** A trunk that is back sooner was no news. */
const lastingMs = 30_000;
const noticesEachHour = 30;
const hourMs = 3_600_000;

/** `told`: the room knows. */
interface Down {
  readonly sinceMs: number;
  readonly told: boolean;
  readonly cancel: () => void;
}

export class AdminRoom {
  readonly #parts: AdminRoomParts;
  readonly #limit: RateLimit;
  readonly #untold: Tally;
  readonly #down = new Map<TrunkName, Down>();
  #kept = 0;
  #saying: Promise<void> = Promise.resolve();

  constructor(parts: AdminRoomParts) {
    const { clock, log } = parts;
    this.#parts = parts;
    this.#limit = new RateLimit(noticesEachHour, clock, hourMs);
    this.#untold = new Tally(log, clock, "admin room cannot be told: invite the bot there, and check admin.room");
  }

  /** A listener to the bridge's events. */
  take(event: BridgeEvent | Overrun): void {
    switch (event.kind) {
      case "feed.overrun":
        return;
      case "trunk.down":
        return this.#trunkDown(event.trunk, event.detail);
      case "trunk.up":
        return this.#trunkUp(event.trunk);
      default: {
        const text = adminNotice(event);
        if (text !== undefined) this.#say(text);
      }
    }
  }

  stop(): void {
    for (const { cancel } of this.#down.values()) cancel();
    this.#down.clear();
  }

  #trunkDown(trunk: TrunkName, detail: string): void {
    const { clock } = this.#parts;
    const sinceMs = clock.nowMs();
    const tell = (): void => {
      this.#down.set(trunk, { sinceMs, told: true, cancel: () => undefined });
      this.#say(trunkDownWords(trunk, detail));
    };
    this.#down.get(trunk)?.cancel();
    this.#down.set(trunk, { sinceMs, told: false, cancel: clock.at(sinceMs + lastingMs, tell) });
  }

  #trunkUp(trunk: TrunkName): void {
    const down = this.#down.get(trunk);
    down?.cancel();
    this.#down.delete(trunk);
    if (down?.told === true) this.#say(trunkUpWords(trunk, this.#parts.clock.nowMs() - down.sinceMs));
  }

  #say(text: string): void {
    const room = this.#parts.room();
    if (room === undefined) return;
    if (!this.#limit.allows(room)) {
      this.#kept += 1;
      return;
    }
    const words = this.#kept === 0 ? text : `${moreWords(this.#kept)}\n${text}`;
    this.#kept = 0;
    this.#saying = this.#saying.then(() => this.#tell(room, words));
  }

  async #tell(room: RoomId, text: string): Promise<void> {
    const { homeserver } = this.#parts;
    const { bot } = homeserver;
    try {
      await homeserver.notice(room, bot, text).catch(async (error: unknown) => {
        if (!(error instanceof HomeserverError) || error.transient) throw error;
        // It may have been invited before the configuration named the room.
        await homeserver.join(room, bot);
        await homeserver.notice(room, bot, text);
      });
    } catch (error) {
      this.#untold.add({ room, text, error });
    }
  }
}
