// What happens in the rooms of ghosts and the bot besides calls: invitations, texts, departures, encryption; and whom a
// call in a room is for. Rooms are made and found in rooms.ts.
import type { Call } from "../../core/call/model/call.ts";
import { isRunning, legOf } from "../../core/call/model/queries.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import type { GhostNumber } from "../../core/number/plan/number-key.ts";
import type { Clock } from "../../ports/clock.ts";
import type { MatrixFact } from "../../ports/homeserver.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { Bot } from "../bot/bot.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import type { OutboundAdmission } from "../admission/outbound-admission.ts";
import type { Rooms } from "../rooms/rooms.ts";
import type { CallBacks } from "../first-calls/call-backs.ts";
import type { Greeter } from "../first-calls/greeter.ts";
import type { Conversations } from "../rooms/conversations.ts";
import type { EncryptedRooms } from "../rooms/encrypted-rooms.ts";
import type { CallRunner } from "./call-runner.ts";
import type { OutboundMessages } from "../messages/outbound-messages.ts";

type Message = Extract<MatrixFact, { kind: "message.received" }>;
type Tap = Extract<MatrixFact, { kind: "reaction.added" | "event.withdrawn" }>;

/** What people write and tap in a room for the call that is in it. */
interface CallOrders {
  /** True if it was an order. */
  take(message: Message, where: "the bot's room" | "a number's room"): Promise<boolean>;
  /** `isLate`: it is not to be carried out any more. */
  tapped(tap: Tap, isLate: boolean): Promise<void>;
  changed(runner: CallRunner): void;
}

export interface RoomFactsParts {
  readonly ghosts: Ghosts;
  readonly rooms: Rooms;
  readonly encryptedRooms: Pick<EncryptedRooms, "areRead" | "areReadByBot" | "found" | "look" | "unreadable">;
  readonly conversations: Pick<Conversations, "began" | "spoke">;
  readonly bot: Bot;
  readonly messages: Pick<OutboundMessages, "hear">;
  readonly admission: Pick<OutboundAdmission, "heeds" | "admits">;
  readonly greeter: Pick<Greeter, "joined">;
  readonly callBacks: Pick<CallBacks, "refuse">;
  readonly callOrders: CallOrders;
  readonly botUser: UserId;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** An order that is read later is not carried out: it was meant for a call of then, and whoever wrote it is elsewhere. */
const orderLifetimeMs = 60_000;

export class RoomFacts {
  readonly #parts: RoomFactsParts;

  constructor(parts: RoomFactsParts) {
    this.#parts = parts;
  }

  /** One of ours was invited: it joins, unless that is not wanted. True if it is in the room now. Throws HomeserverError. */
  async invited(fact: Extract<MatrixFact, { kind: "member.invited" }>): Promise<boolean> {
    const { ghosts, rooms, encryptedRooms, conversations, bot, botUser, admission, telemetry } = this.#parts;
    const isBot = fact.user === botUser;
    const ghost = isBot ? undefined : ghosts.read(fact.user);
    if (!isBot && ghost === undefined) return false;
    // Our own doing: the ghost is on its way already.
    if (fact.sender === botUser || ghosts.isGhost(fact.sender)) return false;
    if (fact.public) {
      // Clients neither call nor ring in public rooms (Matrix spec, VoIP module), and a number has no business there.
      telemetry.log.info("invitation to a public room ignored", { room: fact.room, user: fact.user });
      return false;
    }
    if (!admission.heeds(fact.sender, "invitation")) {
      telemetry.factIgnored(fact.kind, "none");
      return false;
    }
    if (ghost !== undefined && !admission.admits(fact.sender, ghost)) {
      await rooms.refuse(fact.room, fact.user, fact.sender);
      return false;
    }
    if (ghost !== undefined) await ghosts.ensure(ghost);
    const entered = await rooms.enter(fact.room, fact.user);
    const unreadable = fact.encrypted && !encryptedRooms.areRead;
    if (fact.encrypted) await encryptedRooms.found(fact.room);
    if (!unreadable && fact.direct) await conversations.began(fact.room, fact.sender, ghost ?? fact.user);
    if (isBot) await bot.greet(fact.room, fact.encrypted && !encryptedRooms.areReadByBot);
    // No call waits for it.
    else if (entered && !fact.encrypted) void encryptedRooms.look(fact.room, fact.user);
    return entered && !(unreadable && !isBot);
  }

  /** Never rejects. */
  async joined(room: RoomId, person: UserId): Promise<void> {
    const { greeter, encryptedRooms, rooms } = this.#parts;
    await greeter.joined(room, person);
    if (!encryptedRooms.areRead) return;
    const [one] = await rooms.ours(room);
    // A room that the bridge made may have been encrypted by the homeserver.
    if (one !== undefined) void encryptedRooms.look(room, one);
  }

  /** What was sent before one of ours joined, invites last: a call that was given up again must not ring. */
  async missed(room: RoomId, user: UserId): Promise<readonly MatrixFact[]> {
    const missed = await this.#parts.rooms.readBack(room, user);
    const isInvite = (one: MatrixFact): boolean => one.kind === "call.invited";
    return [...missed.filter((one) => !isInvite(one)), ...missed.filter(isInvite)];
  }

  /** An order in a call; else in a room of the bot's for the bot, which reads words only, in any other for the number. */
  async heard(fact: Message): Promise<void | "later"> {
    const { kind, room, sender, form, body, edits } = fact;
    const { rooms, bot, botUser, admission, telemetry, messages, callOrders } = this.#parts;
    const isBots = (await rooms.ours(room)).includes(botUser);
    const isLate = this.#isLate(fact);
    if (!isLate && (await callOrders.take(fact, isBots ? "the bot's room" : "a number's room"))) return undefined;
    if (!isBots) return messages.hear(fact);
    if (form !== "text" || edits) return undefined;
    if (!admission.heeds(sender, "message")) telemetry.factIgnored(kind, "none");
    else if (isLate) await bot.missed(room);
    else await bot.hear(room, sender, body);
    return undefined;
  }

  /** A person put a mark under something, or took something back. */
  tapped(fact: Tap): Promise<void> {
    return this.#parts.callOrders.tapped(fact, this.#isLate(fact));
  }

  #isLate({ ageMs, receivedAtMs }: Pick<MatrixFact, "ageMs" | "receivedAtMs">): boolean {
    return ageMs + this.#parts.clock.nowMs() - receivedAtMs > orderLifetimeMs;
  }

  /** A person calls in a room: where nobody was named, the two are alone there, and the number may ring in it too. */
  async called(
    { room, sender, invitee }: Extract<MatrixFact, { kind: "call.invited" }>,
    ghost: GhostNumber,
  ): Promise<void> {
    const { conversations } = this.#parts;
    if (invitee === undefined) await conversations.began(room, sender, ghost);
    else await conversations.spoke(room, sender);
  }

  /** A client offers video in a call that is not refused: a telephone number has none. */
  async offeredVideo(call: Call): Promise<void> {
    const leg = legOf(call);
    if (leg !== undefined && isRunning(call)) await this.#parts.rooms.declineVideo(leg.room, leg.ghost);
  }

  /** Of ours, or the last person: then ours leave, too. */
  async left(room: RoomId, user: UserId): Promise<void> {
    const { rooms } = this.#parts;
    if ((await rooms.ours(room)).includes(user)) await rooms.gone(room, user);
    else await rooms.leaveIfEmpty(room);
  }

  encrypted(room: RoomId): Promise<void> {
    return this.#parts.encryptedRooms.found(room);
  }

  unreadable(room: RoomId): Promise<void> {
    return this.#parts.encryptedRooms.unreadable(room);
  }

  /**
   * The ghost an invite is for: the one it names, or the only one in a room with nobody else in it. Two numbers are never
   * rung at once, and none is by a call that was meant for somebody else.
   */
  async calledIn(fact: Extract<MatrixFact, { kind: "call.invited" }>): Promise<GhostNumber | undefined> {
    const { rooms, ghosts, telemetry, botUser, admission, callBacks } = this.#parts;
    const ours = await rooms.ours(fact.room, fact.invitee);
    const present = ours.flatMap((user) => ghosts.read(user) ?? []);
    if (present.length === 0 && ours.includes(botUser) && admission.heeds(fact.sender, "message")) {
      await callBacks.refuse(fact);
      return undefined;
    }
    if (fact.invitee !== undefined) return present.find(({ user }) => user === fact.invitee);
    const [only, second] = present;
    if (only === undefined) return undefined;
    const alone = second === undefined && (await rooms.isAlone(fact.sender, fact.room, only.user));
    if (alone === true) return only;
    telemetry.log.info("call ignored: it names nobody, and the room is not for one number alone", {
      room: fact.room,
      ghosts: present.length,
    });
    if (alone === false) await rooms.explain("crowd", fact.room, only.user);
    return undefined;
  }
}
