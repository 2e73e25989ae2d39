// The bridge's bot: `call NUMBER`, `invite NUMBER` and `help`, for clients and homeservers without a dial pad.
import type { RoomId, UserId } from "../../core/ids.ts";
import { describeCause, type Cause } from "../../core/call/model/cause.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import { ghostNumber, type GhostNumber } from "../../core/number/plan/number-key.ts";
import { loneNumber, type LoneNumber } from "../../core/number/plan/lone-number.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { judge, type Policy } from "../../core/policy/permission.ts";
import { attempt } from "../../ports/attempt.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Blocks } from "../blocking/blocks.ts";
import { roomLink } from "../rooms/room-link.ts";
import type { Rooms } from "../rooms/rooms.ts";
import { linkMinutes, type ConsoleLogins } from "./console-logins.ts";
import type { DialIns } from "./dial-ins.ts";
import type { Conversations } from "../rooms/conversations.ts";

/** Rings a person in their room with the bot, and dials when they answer; false where their client does not take that. */
interface RingBack {
  begin(room: RoomId, person: UserId, number: GhostNumber): Promise<boolean>;
}

export interface BotParts {
  readonly user: UserId;
  /** Of the configuration: numbers ring there, and come in by the bot's invitation. */
  readonly ringingRooms: () => ReadonlySet<RoomId>;
  readonly ids: GhostIds;
  readonly rooms: Rooms;
  readonly conversations: Pick<Conversations, "open">;
  readonly ringBacks: RingBack;
  readonly dialIns: Pick<DialIns, "begin">;
  readonly consoleLogins: Pick<ConsoleLogins, "link" | "offers">;
  readonly homeserver: Homeserver;
  readonly plan: () => DialPlan;
  readonly policy: () => Policy;
  readonly blocks: Pick<Blocks, "bars">;
  readonly log: Log;
}

const helpWords = [
  "I connect Matrix calls to telephones.",
  "call NUMBER – calls that number: I ring you here, or give you its room, where you press the call button. Example: call +44 1632 960123",
  "invite NUMBER – in a room where people are in a call with each other: calls that number, and brings it in.",
  "keypad – in a call for which your client has no keys: shows keys to tap. You can also write them: 123#",
  "transfer NUMBER – in such a call: transfers it.",
  "help – shows this.",
].join("\n");
const consoleHelp = "console – gives you a link that logs you in to the console of the bridge.";
const consoleWords = (link: string): string =>
  `${link}\nThis link logs whoever opens it in to the console as you. It works once, for ${linkMinutes} minutes.`;

const invitationForm = /^!?invite(?:\s+(.*))?$/is;

const doubtWords = (text: string): string => `Is that a telephone number? Write “call ${text}” to call it.`;
const lateWords = "I have read this only now. If you still want it, please write it again.";
const crowdWords = "I can only help in a room with just you and me in it.";

export class Bot {
  readonly #parts: BotParts;

  constructor(parts: BotParts) {
    this.#parts = parts;
  }

  /** What a person reads first, unless the bot reads nothing there. */
  async greet(room: RoomId, isDeaf: boolean): Promise<void> {
    if ((await this.#isDirect(room)) && !isDeaf) await this.#say(room, helpWords);
  }

  /** A message in a room of the bot's. */
  async hear(room: RoomId, person: UserId, body: string): Promise<void> {
    const { ringingRooms, homeserver } = this.#parts;
    const [isInvitation, invited = ""] = invitationForm.exec(body.trim()) ?? [];
    if (isInvitation !== undefined && (ringingRooms().has(room) || (await homeserver.hasRunningCall(room))))
      return this.#invite(room, person, invited);
    if (!(await this.#isDirect(room))) return;
    const alone = this.#numberAlone(body.trim());
    if (alone === "number") return this.#call(room, person, body.trim());
    if (alone === "doubtful") return this.#say(room, doubtWords(body.trim()));
    const [, word = "", rest = ""] = /^\s*!?(\S+)\s*(.*?)\s*$/s.exec(body) ?? [];
    if (/^(call|dial)$/i.test(word)) return this.#call(room, person, rest);
    const { consoleLogins } = this.#parts;
    const link = /^console$/i.test(word) ? consoleLogins.link(person) : undefined;
    if (link !== undefined) return this.#say(room, consoleWords(link));
    return this.#say(room, consoleLogins.offers(person) ? `${helpWords}\n${consoleHelp}` : helpWords);
  }

  /** A message that is too old to be acted on. Other people's talk is none of its business. */
  async missed(room: RoomId): Promise<void> {
    const { homeserver } = this.#parts;
    if (!(await homeserver.hasRunningCall(room)) && (await this.#isDirect(room))) await this.#say(room, lateWords);
  }

  #numberAlone(text: string): LoneNumber {
    const { ids, plan } = this.#parts;
    const found = ids.forDialled(text);
    const isNumber = found.kind === "ghost" && found.target.kind === "number";
    return isNumber ? loneNumber(text, found.target.dialled, plan()) : "none";
  }

  async #invite(room: RoomId, person: UserId, text: string): Promise<void> {
    const number = await this.#permitted(room, person, text, "invite");
    const why = number && (await this.#parts.dialIns.begin(room, person, number));
    if (why !== undefined) await this.#say(room, why);
  }

  /** A number that the person may call; undefined where there is none, which they have been told. */
  async #permitted(room: RoomId, person: UserId, text: string, word: string): Promise<GhostNumber | undefined> {
    const { ids, plan, policy, blocks } = this.#parts;
    const found = ids.forDialled(text);
    if (found.kind === "none") {
      const cause = found.why === "domain-not-allowed" ? found.why : "not-dialable";
      await this.#say(room, text === "" ? `Which number? Example: ${word} +44 1632 960123` : wordsOf(cause));
      return undefined;
    }
    const number = ghostNumber(found.user, found.target, plan());
    const isBlocked = blocks.bars(number.planned);
    const verdict = judge({ person, plan: number.planned, isBlocked, callsOfPerson: 0, callsInAll: 0 }, policy());
    if (verdict.kind !== "refused") return number;
    await this.#say(room, wordsOf(verdict.cause));
    return undefined;
  }

  async #call(room: RoomId, person: UserId, text: string): Promise<void> {
    const { ids, conversations, ringBacks, log } = this.#parts;
    const number = await this.#permitted(room, person, text, "call");
    if (number === undefined) return;
    const name = ids.displayName(number.target);
    const isRinging = await ringBacks.begin(room, person, number);
    const ringing = `I am ringing you. Answer, and I call ${name}.`;
    try {
      const link = roomLink((await conversations.open(person, number)).room);
      const words = isRinging
        ? `${ringing} Next time you can also call it in its own room: ${link}`
        : `Here is the room of ${name}: ${link} – press the call button there.`;
      await this.#say(room, words);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.warn("could not create a room for a number", { person, code: error.code, error });
      await this.#say(room, isRinging ? ringing : "I could not create a room for this number. Please try again later.");
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
    await this.#say(room, crowdWords);
    await attempt(rooms.leave(room, user), log, "bot could not leave a room", { room });
    return false;
  }

  async #say(room: RoomId, text: string): Promise<void> {
    const { homeserver, user, log } = this.#parts;
    await attempt(homeserver.notice(room, user, text), log, "bot could not write in a room", { room });
  }
}

function wordsOf(cause: Cause): string {
  return describeCause(cause).words ?? "This is not possible.";
}
