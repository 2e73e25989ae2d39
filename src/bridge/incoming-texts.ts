// What comes from the telephone network as SIP MESSAGE (RFC 3428), written by its sender's ghost into the rooms of all whom
// the called number rings. In the order in which one sender's texts come; a repetition is written once.
import type { RingTarget } from "../core/call/matrix-leg.ts";
import type { TrunkName, UserId } from "../core/ids.ts";
import type { DidFinding } from "../core/number/did.ts";
import type { TrunkFeatures } from "../core/policy/trunk-features.ts";
import { HomeserverError, type Homeserver } from "../ports/homeserver.ts";
import type { MessageArrival } from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import type { Callers, KnownCaller } from "./callers.ts";
import type { Ghosts } from "./ghosts.ts";
import { RecentIds } from "./recent-ids.ts";
import type { RingingRooms } from "./ringing-rooms.ts";

export interface IncomingTextsParts {
  /** Whom a called number rings is who reads what is sent to it. */
  readonly recipients: (called: string, trunk: TrunkName) => DidFinding;
  readonly callers: Pick<Callers, "of">;
  readonly ghosts: Pick<Ghosts, "introduce">;
  readonly ringingRooms: Pick<RingingRooms, "find">;
  readonly features: (trunk: TrunkName) => Pick<TrunkFeatures, "messages">;
  readonly homeserver: Pick<Homeserver, "text">;
  readonly log: Log;
}

/** An event holds 64 KiB, the words around the text included, and JSON may take six bytes for one of them. */
const longestBytes = 32_768;
const utf8 = new TextEncoder();
/** Texts remembered as written; the homeserver remembers for longer. */
const remembered = 1_000;

interface Letter {
  readonly trunk: TrunkName;
  readonly ghost: UserId;
  readonly text: string;
  /** The same for a repetition. */
  readonly name: string;
}

type Delivery =
  | { readonly kind: "written" }
  | { readonly kind: "not"; readonly code: string; readonly transient: boolean };

export class IncomingTexts {
  readonly #parts: IncomingTextsParts;
  readonly #written = new RecentIds(remembered);
  /** The last text of each sender that is being written. */
  readonly #tails = new Map<UserId, Promise<number>>();

  constructor(parts: IncomingTextsParts) {
    this.#parts = parts;
  }

  /**
   * The status to answer with: 200 when the homeserver has it for one of the recipients at least; 404 where the number is
   * nobody's, 405 where the trunk carries no texts, 413 too long, 480 nobody can be written to, 500 not now. Never rejects.
   */
  async take(arrival: MessageArrival): Promise<number> {
    const { features, callers, recipients, log } = this.#parts;
    const { trunk, called, identity } = arrival;
    try {
      if (features(trunk).messages === undefined) return 405;
      const found = recipients(called, trunk);
      if (found.kind === "none") return 404;
      const targets = distinct(found.stages.flatMap((stage) => stage.targets));
      const caller = callers.of(trunk, identity, []);
      return await this.#inTurn(caller.ghost, () => this.#write(arrival, targets, caller));
    } catch (error) {
      log.error("text of the telephone network could not be written", { trunk, error });
      return 500;
    }
  }

  async #inTurn(sender: UserId, write: () => Promise<number>): Promise<number> {
    const before = this.#tails.get(sender) ?? Promise.resolve(0);
    const status = before.then(write, write);
    this.#tails.set(sender, status);
    try {
      return await status;
    } finally {
      if (this.#tails.get(sender) === status) this.#tails.delete(sender);
    }
  }

  async #write(arrival: MessageArrival, targets: readonly RingTarget[], caller: KnownCaller): Promise<number> {
    const name = `${arrival.trunk}\n${arrival.id}`;
    if (this.#written.has(name)) return 200;
    const text = readable(arrival.text);
    if (text === "") return 200;
    if (utf8.encode(text).length > longestBytes) return 413;
    this.#parts.ghosts.introduce(caller.ghost, caller.trustedName);
    const letter = { trunk: arrival.trunk, ghost: caller.ghost, text, name };
    const deliveries = await Promise.all(targets.map((target) => this.#writeTo(target, letter)));
    if (deliveries.some(({ kind }) => kind === "written")) {
      this.#written.add(name);
      return 200;
    }
    return deliveries.some((one) => one.kind === "not" && one.transient) ? 500 : 480;
  }

  async #writeTo(target: RingTarget, { trunk, ghost, text, name }: Letter): Promise<Delivery> {
    const { ringingRooms, homeserver, log } = this.#parts;
    const found = await ringingRooms.find(target, ghost, trunk);
    // Why there is none is in the log already.
    if (found.kind === "matrix.roomMissing") return { kind: "not", code: "NO_ROOM", transient: false };
    try {
      await homeserver.text(found.room, ghost, text, name);
      return { kind: "written" };
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("text could not be written into a room", { room: found.room, ghost, code: error.code, error });
      return { kind: "not", code: error.code, transient: error.transient };
    }
  }
}

/** Somebody who is rung in two stages reads a text once. */
function distinct(targets: readonly RingTarget[]): readonly RingTarget[] {
  const byKey = new Map(targets.map((target) => [target.kind === "person" ? target.person : target.room, target]));
  return [...byKey.values()];
}

/** Without what no homeserver stores (NUL) or no client shows, and with the line ends that clients know. */
function readable(text: string): string {
  const lines = text.toWellFormed().replaceAll(/\r\n?/g, "\n");
  return lines.replaceAll(/[^\P{Cc}\n\t]/gu, "").trim();
}
