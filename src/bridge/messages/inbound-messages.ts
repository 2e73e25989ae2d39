// SIP MESSAGEs from the telephone network (RFC 3428): the sender's ghost writes them in the rooms of everybody whom the
// called number rings; a MESSAGE in a call's dialog goes to the room of that call. Keeps the order of one sender's
// texts, and writes a repeated one once.
import { describeCause } from "../../core/call/model/cause.ts";
import type { LegAddress } from "../../core/call/model/matrix-leg.ts";
import type { GhostNumber } from "../../core/number/plan/number-key.ts";
import type { RingStage, RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { CallId, RoomId, TrunkName, UserId } from "../../core/ids.ts";
import type { DidFinding } from "../../core/number/plan/did.ts";
import type { Policy } from "../../core/policy/permission.ts";
import type { TrunkFeatures } from "../../core/policy/trunk-features.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { MessageArrival } from "../../ports/sip.ts";
import type { Log, Telemetry } from "../../ports/telemetry.ts";
import type { Callers } from "../admission/callers.ts";
import type { Screen } from "../blocking/screen.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { RecentIds } from "../limits/recent-ids.ts";
import type { RingingRooms } from "../rooms/ringing-rooms.ts";
import type { Conversations, Place } from "../rooms/conversations.ts";
import { UnfitRoomError } from "../rooms/unfit-room.ts";

export interface InboundMessagesParts {
  /** Whom a called number rings is who reads what is sent to it. */
  readonly recipients: (called: string, trunk: TrunkName) => DidFinding;
  readonly callers: Pick<Callers, "of">;
  readonly screen: Pick<Screen, "look">;
  readonly ghosts: Pick<Ghosts, "introduce">;
  readonly ringingRooms: Pick<RingingRooms, "open">;
  readonly conversations: Pick<Conversations, "spoke">;
  readonly features: (trunk: TrunkName) => Pick<TrunkFeatures, "messages">;
  /** Where a call's leg is on the Matrix side, and as whom; undefined where it rings in several rooms, or in none. */
  readonly legOf: (call: CallId) => Pick<LegAddress, "room" | "ghost"> | undefined;
  readonly homeserver: Pick<Homeserver, "text">;
  readonly policy: () => Pick<Policy, "callsPerMinute">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "texted">;
  readonly log: Log;
}

/** An event holds 64 KiB, the words around the text included, and JSON may take six bytes for one of them. */
const longestBytes = 32_768;
const utf8 = new TextEncoder();
/** Messages remembered as written; the homeserver remembers for longer. */
const remembered = 1_000;

interface InboundMessage {
  readonly ghost: UserId;
  readonly text: string;
  /** The same for a repetition. */
  readonly name: string;
}

type Delivery =
  | { readonly kind: "written" }
  | { readonly kind: "not"; readonly code: string; readonly transient: boolean };

/** To each of its recipients. */
type Deliver = (message: InboundMessage) => readonly Promise<Delivery>[];

export class InboundMessages {
  readonly #parts: InboundMessagesParts;
  readonly #written = new RecentIds(remembered);
  readonly #rateLimit: RateLimit;
  /** The last text of each sender that is being written. */
  readonly #tails = new Map<UserId, Promise<number>>();

  constructor(parts: InboundMessagesParts) {
    this.#parts = parts;
    this.#rateLimit = new RateLimit(() => parts.policy().callsPerMinute, parts.clock);
  }

  /**
   * The status to answer with: 200 when the homeserver has it for one of the recipients at least; 404 where the number is
   * nobody's, what a call would hear where the sender is blocked, 405 where the trunk carries no texts, 413 too long, 480 nobody can be written to or the sender writes too
   * often, 500 not now. Never rejects.
   */
  async take(arrival: MessageArrival): Promise<number> {
    const { recipients, screen, features, callers, legOf, log } = this.#parts;
    const { trunk, called, identity, call } = arrival;
    try {
      if (features(trunk).messages === undefined) return 405;
      const leg = call === undefined ? undefined : legOf(call);
      if (leg !== undefined)
        return await this.#pass(arrival, leg.ghost, (message) => [this.#writeInto(async () => leg, message)]);
      const found = recipients(called, trunk);
      if (found.kind === "none") return 404;
      const caller = callers.of(trunk, identity, []);
      const screened = screen.look(caller, found.stages, "text");
      if (screened.kind === "refused") return describeCause(screened.cause).status;
      const targets = targetsOf(screened.stages);
      const { ghost } = caller;
      return await this.#pass(arrival, ghost.user, (message) => {
        this.#parts.ghosts.introduce(ghost, caller.trustedName);
        return targets.map((target) => this.#writeTo(target, ghost, trunk, message));
      });
    } catch (error) {
      log.error("could not take a text from a trunk", { trunk, error });
      return 500;
    }
  }

  /** What waits for its turn has passed the pace, so that there is never much of it. */
  async #pass(arrival: MessageArrival, ghost: UserId, deliver: Deliver): Promise<number> {
    const name = `${arrival.trunk}\n${arrival.id}`;
    if (this.#written.has(name)) return 200;
    const text = readable(arrival.text);
    if (text === "") return 200;
    if (utf8.encode(text).length > longestBytes) return 413;
    // One that sends to many numbers may be a machine that many have asked to.
    if (!this.#rateLimit.allows(`${ghost} ${arrival.called}`)) {
      this.#parts.log.info("text refused: its sender writes too often", { trunk: arrival.trunk, ghost });
      return 480;
    }
    return this.#inTurn(ghost, () => this.#write({ ghost, text, name }, deliver));
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

  async #write(message: InboundMessage, deliver: Deliver): Promise<number> {
    // Repeated while the first one was under way.
    if (this.#written.has(message.name)) return 200;
    const deliveries = await Promise.all(deliver(message));
    const isWritten = deliveries.some(({ kind }) => kind === "written");
    this.#parts.telemetry.texted("inbound", isWritten ? "delivered" : "failed");
    if (isWritten) {
      this.#written.add(message.name);
      return 200;
    }
    return deliveries.some((one) => one.kind === "not" && one.transient) ? 500 : 480;
  }

  async #writeTo(target: RingTarget, ghost: GhostNumber, trunk: TrunkName, message: InboundMessage): Promise<Delivery> {
    const { ringingRooms, conversations } = this.#parts;
    let place: Place | undefined;
    const find = async (): Promise<Place> => (place = await ringingRooms.open(target, ghost, trunk));
    const delivery = await this.#writeInto(find, message);
    if (delivery.kind === "written" && place !== undefined && target.kind === "person")
      await conversations.spoke(place.room, target.person);
    return delivery;
  }

  async #writeInto(find: () => Promise<Place>, { ghost, text, name }: InboundMessage): Promise<Delivery> {
    const { homeserver, log } = this.#parts;
    let room: RoomId | undefined;
    try {
      const place = await find();
      ({ room } = place);
      await homeserver.text(room, place.ghost, text, name);
      return { kind: "written" };
    } catch (error) {
      if (!(error instanceof HomeserverError) && !(error instanceof UnfitRoomError)) throw error;
      const { code } = error;
      log.warn("could not write a text in a room", { room, ghost, code, error });
      return { kind: "not", code, transient: error instanceof HomeserverError && error.transient };
    }
  }
}

/** Somebody who is rung in two stages reads a text once. */
function targetsOf(stages: readonly RingStage[]): readonly RingTarget[] {
  const targets = stages.flatMap((stage) => stage.targets);
  const byKey = new Map(targets.map((target) => [target.kind === "person" ? target.person : target.room, target]));
  return [...byKey.values()];
}

/** Without what no homeserver stores (NUL) or no client shows, and with the line ends that clients know. */
function readable(text: string): string {
  const lines = text.toWellFormed().replaceAll(/\r\n?/g, "\n");
  return lines.replaceAll(/[^\P{Cc}\n\t]/gu, "").trim();
}
