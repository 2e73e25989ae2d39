// The bot introduces itself once to everybody whom a number rings: it invites them to a room and tells them which
// numbers ring them. First calls can ring in that room. Whoever leaves it, or never joins, is not invited again.
import type { DidMatch } from "../../core/number/plan/did.ts";
import type { RoomId, UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import { pause } from "../../ports/pause.ts";
import type { RoomDirectory, Settings } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { Conversations } from "../rooms/conversations.ts";
import type { FirstCalls } from "./first-calls.ts";

export interface GreeterParts {
  readonly homeserver: Pick<Homeserver, "bot" | "members" | "notice">;
  /** Whom numbers ring, and by which entries of the number table. */
  readonly people: () => ReadonlyMap<UserId, readonly DidMatch[]>;
  readonly mayCall: (person: UserId) => boolean;
  readonly conversations: Pick<Conversations, "have" | "latest" | "open">;
  readonly firstCalls: Pick<FirstCalls, "observe">;
  readonly directory: Pick<RoomDirectory, "firstTime">;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly log: Log;
}

/** A homeserver has limits on invitations, and people are not to be rung out of bed by a hundred of them at once. */
const betweenMs = 1_000;
const mostNumbers = 10;

export class Greeter {
  readonly #parts: GreeterParts;
  readonly #stopped = new AbortController();

  constructor(parts: GreeterParts) {
    this.#parts = parts;
  }

  /** Greets who was never greeted, one after the other. Once the homeserver is there. Never rejects. */
  async start(): Promise<void> {
    const { signal } = this.#stopped;
    for (const person of this.#parts.people().keys()) {
      if (signal.aborted) return;
      if (await this.#greet(person)) await pause(betweenMs, this.#parts.clock, signal);
    }
  }

  stop(): void {
    this.#stopped.abort();
  }

  /** Somebody joined a room: if it is the one that the bot made for them, they learn what it is for. Never rejects. */
  async joined(room: RoomId, person: UserId): Promise<void> {
    const { homeserver, people, conversations, directory, log } = this.#parts;
    const matches = people().get(person);
    if (matches === undefined) return;
    try {
      if ((await conversations.latest(person, homeserver.bot))?.room !== room) return;
      if (!(await directory.firstTime(room, "welcome"))) return;
      await homeserver.notice(room, homeserver.bot, welcomeWords(matches, this.#parts.mayCall(person)));
    } catch (error) {
      log.warn("bot could not welcome a person", { person, room, error });
    }
  }

  /** True where the homeserver was asked for something. */
  async #greet(person: UserId): Promise<boolean> {
    const { homeserver, conversations, firstCalls, settings, log } = this.#parts;
    const key = `greeted ${person}`;
    try {
      if ((await settings.get(key)) === "yes") return false;
      // Before the invitation: a crash in the middle may cost the greeting, but nobody is greeted twice.
      await settings.set(key, "yes");
      if (await conversations.have(person, homeserver.bot)) return false;
      const { room } = await conversations.open(person, homeserver.bot);
      log.info("bot invited a person whom a number rings", { person, room });
      const members = await homeserver.members(room, homeserver.bot);
      if (members.some(({ user, membership }) => user === person && membership === "join"))
        await this.joined(room, person);
      else await firstCalls.observe(room, person);
      return true;
    } catch (error) {
      log.warn("bot could not invite a person whom a number rings", { person, error });
      // At the next start.
      if (error instanceof HomeserverError) await settings.set(key, "no").catch(() => {});
      return true;
    }
  }
}

function welcomeWords(matches: readonly DidMatch[], mayCall: boolean): string {
  const numbers = [...new Set(matches.map(numberWords))];
  const shown = numbers.slice(0, mostNumbers);
  if (numbers.length > shown.length) shown.push(`${numbers.length - shown.length} more`);
  const lines = [
    "Hello. I connect Matrix calls to telephones.",
    `Calls to these numbers ring you: ${shown.join(", ")}.`,
  ];
  if (mayCall) lines.push("To call a telephone, write: call NUMBER. Example: call +44 1632 960123");
  lines.push("Please stay in this room: calls from new numbers can ring here.");
  return lines.join("\n");
}

function numberWords(match: DidMatch): string {
  switch (match.kind) {
    case "exact":
      return match.number;
    case "pattern":
      return match.pattern;
    case "prefix":
      return match.prefix === ""
        ? "every number that rings nobody else"
        : `every number that begins with ${match.prefix}`;
  }
}
