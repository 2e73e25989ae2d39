// Links by which admins log in to the console: the bot writes one to an admin who asks for it. Each is good for one login.
import type { UserId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";

export interface ConsoleLoginsParts {
  /** Of the moment. */
  readonly admins: () => ReadonlySet<UserId>;
  /** Where the console is; undefined: there is none. */
  readonly url: () => string | undefined;
  readonly clock: Clock;
}

const linkMinutes = 5;

interface Link {
  readonly code: string;
  readonly untilMs: number;
}

export class ConsoleLogins {
  readonly minutes = linkMinutes;
  readonly #parts: ConsoleLoginsParts;
  /** The latest of each admin. */
  readonly #links = new Map<UserId, Link>();

  constructor(parts: ConsoleLoginsParts) {
    this.#parts = parts;
  }

  /** Whether this person is told of the console. */
  offers(person: UserId): boolean {
    return this.#parts.url() !== undefined && this.#parts.admins().has(person);
  }

  /** Undefined for whoever is no admin, or where there is no console. An earlier link of theirs is good for nothing then. */
  link(person: UserId): string | undefined {
    const { url, clock } = this.#parts;
    if (!this.offers(person)) return undefined;
    const code = `${clock.newId()}${clock.newId()}`;
    this.#links.set(person, { code, untilMs: clock.nowMs() + linkMinutes * 60_000 });
    // Behind the #, it reaches no server, no log and no preview of the link.
    return `${url()}/#login=${code}`;
  }

  /** Whose code it is; it is used up then. Undefined: nobody's, or no longer. */
  redeem(code: string): UserId | undefined {
    const { admins, clock } = this.#parts;
    const [person, found] = [...this.#links].find(([, link]) => isSame(link.code, code)) ?? [];
    if (person === undefined || found === undefined) return undefined;
    this.#links.delete(person);
    return found.untilMs > clock.nowMs() && admins().has(person) ? person : undefined;
  }
}

/** Takes as long for a code that is nearly right as for one that is all wrong. */
function isSame(code: string, given: string): boolean {
  if (code.length !== given.length) return false;
  let difference = 0;
  for (let at = 0; at < code.length; at++) difference |= code.charCodeAt(at) ^ given.charCodeAt(at);
  return difference === 0;
}
