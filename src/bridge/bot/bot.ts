// The bridge's bot: what people write to it, for clients and homeservers without a dial pad, and for admins. What each order
// does: orders/.
import { domainOf, type RoomId, type UserId } from "../../core/ids.ts";
import { describeCause, type Cause } from "../../core/call/model/cause.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import { ghostNumber, type GhostNumber } from "../../core/number/plan/number-key.ts";
import { loneNumber, type LoneNumber } from "../../core/number/plan/lone-number.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { judge, mayCall, type Policy } from "../../core/policy/permission.ts";
import { attempt } from "../../ports/attempt.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import { StoreError } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Blocks } from "../blocking/blocks.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { roomLink } from "../rooms/room-link.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { DialIns } from "./dial-ins.ts";
import type { Conversations } from "../rooms/conversations.ts";
import { createOrders, type OrdersParts } from "./all-orders.ts";
import { helpReply } from "./orders/people/help.ts";
import type { Asker, Order } from "./orders/order.ts";
import { findOrder, oneLineOf } from "./orders/read-order.ts";
import { reply, type Reply } from "./orders/reply.ts";

/** Rings a person in their room with the bot, and dials when they answer; false where their client does not take that. */
interface RingBack {
  begin(room: RoomId, person: UserId, number: GhostNumber): Promise<boolean>;
}

export interface BotParts extends Omit<OrdersParts, "blocks"> {
  readonly user: UserId;
  /** What clients may write in front of an order. */
  readonly name: () => string;
  /** Of the configuration: numbers ring there, and come in by the bot's invitation. */
  readonly ringingRooms: () => ReadonlySet<RoomId>;
  /** Matrix users who may give the orders of admins. */
  readonly admins: () => ReadonlySet<UserId>;
  /** Whom some number rings. */
  readonly people: () => { has(person: UserId): boolean };
  readonly ids: GhostIds;
  readonly rooms: Rooms;
  readonly conversations: Pick<Conversations, "open">;
  readonly ringBacks: RingBack;
  readonly dialIns: Pick<DialIns, "begin">;
  readonly homeserver: Homeserver;
  readonly plan: () => DialPlan;
  readonly policy: () => Policy;
  readonly blocks: Pick<Blocks, "add" | "bars" | "list" | "remove">;
  readonly clock: Clock;
  readonly log: Log;
}

const doubtWords = (text: string): string => `Is that a telephone number? Write “call ${text}” to call it.`;
const lateWords = "I have read this only now. If you still want it, please write it again.";
const crowdWords = "I can only help in a room with just you and me in it.";
/** Of one order, by one person. */
const ordersPerMinute = 10;

export class Bot {
  readonly #parts: BotParts;
  readonly #orders: readonly Order[];
  readonly #pace: RateLimit;

  constructor(parts: BotParts) {
    this.#parts = parts;
    this.#pace = new RateLimit(ordersPerMinute, parts.clock);
    this.#orders = createOrders(parts, () => ({
      call: ({ room, person }, number) => this.#call(room, person, number),
      invite: ({ room, person }, number) => this.#invite(room, person, number),
    }));
  }

  /** What a person reads first, unless the bot reads nothing there. */
  async greet(room: RoomId, isDeaf: boolean): Promise<void> {
    if ((await this.#isDirect(room)) && !isDeaf) await this.#say(room, helpReply(this.#orders, false));
  }

  /** A message in a room of the bot's. */
  async hear(room: RoomId, person: UserId, body: string): Promise<void> {
    const { ringingRooms, homeserver, user, name } = this.#parts;
    const line = oneLineOf(body, [name(), user]);
    const asker: Asker = { room, person, isAdmin: this.#parts.admins().has(person) };
    const found = findOrder(line, this.#orders);
    const isForMany = found.kind === "order" && found.order.words.includes("invite");
    if (isForMany && (ringingRooms().has(room) || (await homeserver.hasRunningCall(room))))
      return this.#carryOut(found.order, found.rest, asker);
    if (!(await this.#isDirect(room))) return;
    if (found.kind === "order") return this.#carryOut(found.order, found.rest, asker);
    const alone = this.#numberAlone(line);
    if (alone === "number") return this.#answer(room, await this.#call(room, person, line));
    if (alone === "doubtful") return this.#say(room, reply(doubtWords(line)));
    if (found.near === undefined) return this.#say(room, helpReply(this.#orders, asker.isAdmin));
    const { word, near } = found;
    await this.#say(room, reply(`I do not know “${word}”. Did you mean “${near}”? “help” shows everything.`));
  }

  /** A message that is too old to be acted on. Other people's talk is none of its business. */
  async missed(room: RoomId): Promise<void> {
    const { homeserver } = this.#parts;
    if (!(await homeserver.hasRunningCall(room)) && (await this.#isDirect(room)))
      await this.#say(room, reply(lateWords));
  }

  async #carryOut(order: Order, rest: string, asker: Asker): Promise<void> {
    const { log } = this.#parts;
    const { room, person } = asker;
    const [name] = order.words;
    if (order.who === "admins" && !asker.isAdmin) {
      log.warn("an order for admins was refused: see admin.users", { person, order: name });
      return this.#say(room, reply("Only admins can ask me that."));
    }
    if (order.who === "people" && !asker.isAdmin && !this.#isKnown(person))
      return this.#say(room, reply("I take that only from people of this homeserver."));
    if (!this.#pace.allows(`${person} ${name}`))
      return this.#say(room, reply("That is too often. Please wait a minute."));
    try {
      await this.#answer(room, await order.take(rest, asker));
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      log.warn("the bot could not carry out an order", { person, order: name, error });
      await this.#say(room, reply("I cannot remember anything right now. Please try again later."));
    }
  }

  #isKnown(person: UserId): boolean {
    const { policy, people } = this.#parts;
    return domainOf(person) === policy().domain || mayCall(person, policy()) || people().has(person);
  }

  #numberAlone(text: string): LoneNumber {
    const { ids, plan } = this.#parts;
    const found = ids.forDialled(text);
    const isNumber = found.kind === "ghost" && found.target.kind === "number";
    return isNumber ? loneNumber(text, found.target.dialled, plan()) : "none";
  }

  async #invite(room: RoomId, person: UserId, text: string): Promise<Reply | undefined> {
    const number = this.#permitted(person, text);
    if (number.kind === "refused") return reply(number.words);
    const why = await this.#parts.dialIns.begin(room, person, number.number);
    return why === undefined ? undefined : reply(why);
  }

  /** A number that the person may call, or what they have to read. */
  #permitted(
    person: UserId,
    text: string,
  ):
    | { readonly kind: "permitted"; readonly number: GhostNumber }
    | { readonly kind: "refused"; readonly words: string } {
    const { ids, plan, policy, blocks } = this.#parts;
    const found = ids.forDialled(text);
    if (found.kind === "none")
      return {
        kind: "refused",
        words: wordsOf(found.why === "domain-not-allowed" ? found.why : "not-dialable"),
      };
    const number = ghostNumber(found.user, found.target, plan());
    const isBlocked = blocks.bars(number.planned);
    const verdict = judge({ person, plan: number.planned, isBlocked, callsOfPerson: 0, callsInAll: 0 }, policy());
    return verdict.kind === "refused"
      ? { kind: "refused", words: wordsOf(verdict.cause) }
      : { kind: "permitted", number };
  }

  async #call(room: RoomId, person: UserId, text: string): Promise<Reply> {
    const { ids, conversations, ringBacks, log } = this.#parts;
    const permitted = this.#permitted(person, text);
    if (permitted.kind === "refused") return reply(permitted.words);
    const { number } = permitted;
    const name = ids.displayName(number.target);
    const isRinging = await ringBacks.begin(room, person, number);
    const ringing = `I am ringing you. Answer, and I call ${name}.`;
    try {
      const link = roomLink((await conversations.open(person, number)).room);
      return reply(
        isRinging
          ? `${ringing} Next time you can also call it in its own room: ${link}`
          : `Here is the room of ${name}: ${link} – press the call button there.`,
      );
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not create a room for a number", { person, code: error.code, error });
      return reply(isRinging ? ringing : "I could not create a room for this number. Please try again later.");
    }
  }

  /**
   * Other people's talk is none of its business: it leaves a room that is not one person's alone. In those of the
   * configuration it stays, silent.
   */
  async #isDirect(room: RoomId): Promise<boolean> {
    const { rooms, ringingRooms, user, log } = this.#parts;
    if (ringingRooms().has(room)) return false;
    const people = await rooms.people(room, user);
    if (people === undefined || people.length <= 1) return people !== undefined;
    await this.#say(room, reply(crowdWords));
    await attempt(rooms.leave(room, user), log, "bot could not leave a room", { room });
    return false;
  }

  async #answer(room: RoomId, answer: Reply | undefined): Promise<void> {
    if (answer !== undefined) await this.#say(room, answer);
  }

  async #say(room: RoomId, { text, html }: Reply): Promise<void> {
    const { homeserver, user, log } = this.#parts;
    await attempt(homeserver.notice(room, user, text, undefined, html), log, "bot could not write in a room", { room });
  }
}

function wordsOf(cause: Cause): string {
  return describeCause(cause).words ?? "This is not possible.";
}
