// Sends what people write to a number as SIP MESSAGE (RFC 3428), and tells them what became of it. Those from the
// telephone network are in inbound-messages.ts. The switchboard passes in messages of all rooms but the bot's.
import { localpartOf, type RoomId, type UserId } from "../../core/ids.ts";
import type { DialPlan, PlannedCall } from "../../core/number/plan/dial-plan.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { ghostNumber, type GhostNumber } from "../../core/number/plan/number-key.ts";
import { judge, type Policy } from "../../core/policy/permission.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver, type MatrixFact } from "../../ports/homeserver.ts";
import type { RoomDirectory } from "../../ports/store.ts";
import type { Log, Telemetry } from "../../ports/telemetry.ts";
import type { Blocks } from "../blocking/blocks.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { Conversations } from "../rooms/conversations.ts";
import { MessageRouting, type MessageRoutingParts } from "./message-routing.ts";
import { onceWords, replyWords, wordsOfRefusal } from "./message-notices.ts";

export interface OutboundMessagesParts extends MessageRoutingParts {
  readonly ids: GhostIds;
  readonly rooms: Pick<Rooms, "ours" | "isAlone">;
  readonly conversations: Pick<Conversations, "began" | "spoke">;
  readonly plan: () => DialPlan;
  readonly policy: () => Policy;
  readonly blocks: Pick<Blocks, "bars">;
  readonly homeserver: Pick<Homeserver, "bot" | "displayName" | "markRead" | "notice">;
  readonly directory: Pick<RoomDirectory, "firstTime">;
  readonly clock: Clock;
  readonly telemetry: Pick<Telemetry, "texted">;
  readonly log: Log;
}

type Message = Extract<MatrixFact, { kind: "message.received" }>;
type Route = Extract<PlannedCall, { kind: "route" }>;

/** Who writes, to whom, where. */
interface OutboundMessage {
  readonly message: Message;
  readonly ghost: GhostNumber;
}

/** A room full of people is not looked at again for each word that they say. */
const crowdMs = 10_000;
/** What was written before so long is news to nobody. */
const longestDelayMs = 24 * 3_600_000;

export class OutboundMessages {
  readonly #parts: OutboundMessagesParts;
  readonly #routing: MessageRouting;
  readonly #rateLimit: RateLimit;
  /** Who writes too often is told once a minute. */
  readonly #tellings: RateLimit;
  /** Rooms in which others are too, and until when that is believed (ms since the epoch), the longest known first. */
  readonly #crowds = new Map<RoomId, number>();
  #stopped = false;

  constructor(parts: OutboundMessagesParts) {
    this.#parts = parts;
    this.#routing = new MessageRouting(parts);
    this.#rateLimit = new RateLimit(() => parts.policy().callsPerMinute, parts.clock);
    this.#tellings = new RateLimit(1, parts.clock);
  }

  /**
   * A message in a room. Resolves when it has reached the telephone network or its writer has been told that it did not;
   * `later` where the bridge was stopped before. The caller keeps the order: one message of a room after the other.
   */
  async hear(message: Message): Promise<void | "later"> {
    if (this.#stopped) return "later";
    const ghost = await this.#addressee(message);
    if (ghost === "later") return "later";
    if (ghost === undefined) return;
    const outbound: OutboundMessage = { message, ghost };
    if (!this.#rateLimit.allows(message.sender)) {
      if (this.#tellings.allows(message.sender)) await this.#reply(outbound, replyWords.often);
      return;
    }
    if (message.edits) {
      await this.#once(outbound, "edit");
      return;
    }
    if (message.form === "other") return this.#reply(outbound, replyWords.other);
    if (message.body.trim() === "") return;
    const route = await this.#permitted(outbound);
    if (route === undefined) return;
    return this.#deliver(outbound, route);
  }

  /** From now on nothing is sent, and what is being sent and fails is left for the next start. */
  stop(): void {
    this.#stopped = true;
    this.#routing.stop();
  }

  /**
   * The one number that the writer has the room with; undefined where there is none, or the writer has been told that nobody
   * knows; `later` where the homeserver, which ought to know, does not take that word either.
   */
  async #addressee(message: Message): Promise<GhostNumber | "later" | undefined> {
    const { rooms, ids, plan, homeserver } = this.#parts;
    const { room, sender } = message;
    const ours = await rooms.ours(room);
    const [ghost, another] = ours.flatMap((user) => {
      const target = ids.parse(user);
      return target === undefined ? [] : ghostNumber(user, target, plan());
    });
    if (ghost === undefined || ours.includes(homeserver.bot) || this.#isCrowd(room)) return undefined;
    const outbound: OutboundMessage = { message, ghost };
    const alone = another === undefined ? await rooms.isAlone(sender, room, ghost.user) : false;
    if (alone === true) return ghost;
    if (alone === false) this.#crowds.set(room, this.#parts.clock.nowMs() + crowdMs);
    if (alone === false) await this.#once(outbound, "crowd");
    else if (!(await this.#say(room, ghost.user, replyWords.unsure, message))) return "later";
    return undefined;
  }

  /** Where it goes; undefined where it may not, and the writer has been told why. */
  async #permitted(outbound: OutboundMessage): Promise<Route | undefined> {
    const { policy, blocks, clock } = this.#parts;
    const { message } = outbound;
    const route = outbound.ghost.planned;
    const isBlocked = blocks.bars(route);
    const verdict = judge(
      { person: message.sender, plan: route, isBlocked, callsOfPerson: 0, callsInAll: 0 },
      policy(),
    );
    if (verdict.kind === "refused" && verdict.cause === "not-permitted") await this.#refuse(outbound, "not-permitted");
    else if (verdict.kind === "refused" && verdict.cause === "withheld-number")
      await this.#refuse(outbound, "withheld");
    else if (verdict.kind === "refused") await this.#reply(outbound, wordsOfRefusal(verdict.cause));
    else if (route.kind === "refused" || route.class === "emergency") await this.#reply(outbound, replyWords.emergency);
    else if (message.ageMs + clock.nowMs() - message.receivedAtMs > longestDelayMs)
      await this.#reply(outbound, replyWords.old);
    else return route;
    return undefined;
  }

  #isCrowd(room: RoomId): boolean {
    const now = this.#parts.clock.nowMs();
    for (const [known, untilMs] of this.#crowds) {
      if (untilMs > now) break;
      this.#crowds.delete(known);
    }
    return this.#crowds.has(room);
  }

  async #deliver(outbound: OutboundMessage, route: Route): Promise<void | "later"> {
    const { homeserver } = this.#parts;
    const { message, ghost } = outbound;
    const delivery = await this.#routing.send(await this.#wording(outbound), route, message.sender, ghost.user);
    const isLeft = delivery.kind === "failed" && this.#stopped && !delivery.begun;
    if (!isLeft) this.#parts.telemetry.texted("outbound", delivery.kind === "delivered" ? "delivered" : "failed");
    if (delivery.kind === "delivered") {
      await this.#parts.conversations.began(message.room, message.sender, ghost);
      // Nobody waits for the receipt: until the message is done with, a crash would have it sent again.
      void homeserver.markRead(message.room, ghost.user, message.eventId);
      return undefined;
    }
    if (delivery.kind === "not-carried") return this.#refuse(outbound, "no-texts");
    if (isLeft) return "later";
    return this.#reply(outbound, delivery.words);
  }

  /** An emote is told as clients show it (client-server API, `m.emote`). */
  async #wording({ message, ghost }: OutboundMessage): Promise<string> {
    const body = message.body.toWellFormed();
    if (message.form !== "emote") return body;
    const { sender } = message;
    return `* ${(await this.#parts.homeserver.displayName(sender, ghost.user)) ?? localpartOf(sender)} ${body}`;
  }

  /** Where nothing of anybody will ever be delivered: why is said once, that it was not of each message. */
  async #refuse(outbound: OutboundMessage, subject: "not-permitted" | "withheld" | "no-texts"): Promise<void> {
    if (!(await this.#once(outbound, subject))) await this.#reply(outbound, replyWords.again);
  }

  /** False where the room has heard it before. */
  async #once(outbound: OutboundMessage, subject: keyof typeof onceWords): Promise<boolean> {
    const { room } = outbound.message;
    if (!(await this.#parts.directory.firstTime(room, `text ${subject}`))) return false;
    this.#parts.log.info("texts in a room are not delivered", { room, why: subject });
    await this.#say(room, outbound.ghost.user, onceWords[subject], outbound.message);
    return true;
  }

  async #reply({ message, ghost }: OutboundMessage, words: string): Promise<void> {
    await this.#say(message.room, ghost.user, words, message);
  }

  /** False where the homeserver is not there to take it. */
  async #say(room: RoomId, ghost: UserId, words: string, about?: Message): Promise<boolean> {
    try {
      await this.#parts.homeserver.notice(room, ghost, words, about?.eventId);
      return true;
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      this.#parts.log.warn("could not tell the writer of a text", { room, code: error.code, error });
      return !error.transient;
    }
  }
}
