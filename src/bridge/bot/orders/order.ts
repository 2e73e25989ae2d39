// What an order to the bot is: its words, who may give it, how it is read and carried out. `help` and docs/orders.md are made
// of the same values.
import type { RoomId, UserId } from "../../../core/ids.ts";
import { reply, type Reply } from "./reply.ts";

/** Who has written, in a room with nobody else but the bot. */
export interface Asker {
  readonly person: UserId;
  readonly room: RoomId;
  readonly isAdmin: boolean;
}

/** `anybody`: who has the room; a call is judged by itself. `people`: of this homeserver, or known to the configuration. */
type Who = "anybody" | "people" | "admins";

interface OrderAbout {
  /** The first one is its name. A space stands for a hyphen, too. */
  readonly words: readonly [string, ...string[]];
  readonly who: Who;
  /** What is written behind the name: "NUMBER [for all]"; empty: nothing. */
  readonly behind: string;
  readonly does: string;
  /** A whole order. */
  readonly example: string;
}

export interface Order extends OrderAbout {
  /** `rest`: what stands behind the word, in one line. Undefined: nothing is to be said. */
  take(rest: string, asker: Asker): Promise<Reply | undefined>;
}

type Read<Asked> = { readonly kind: "asked"; readonly asked: Asked } | { readonly kind: "wrong"; readonly why: string };

export function asked<Asked>(value: Asked): Read<Asked> {
  return { kind: "asked", asked: value };
}

/** `why`: a sentence; an example comes behind it. */
export function wrong(why: string): Read<never> {
  return { kind: "wrong", why };
}

/** For orders that take nothing. */
export function nothing(rest: string): Read<undefined> {
  return rest === "" ? asked(undefined) : wrong("Nothing belongs behind this word.");
}

export interface OrderDefinition<Asked> extends OrderAbout {
  parse(rest: string, asker: Asker): Read<Asked>;
  run(what: Asked, asker: Asker): Reply | undefined | Promise<Reply | undefined>;
}

/** What an order reads and what it carries out fit each other here, and nobody needs the type outside. */
export function order<Asked>(definition: OrderDefinition<Asked>): Order {
  const { words, who, behind, does, example } = definition;
  return {
    words,
    who,
    behind,
    does,
    example,
    async take(rest, asker) {
      const read = definition.parse(rest, asker);
      return read.kind === "asked" ? definition.run(read.asked, asker) : reply(`${read.why} Example: ${example}`);
    },
  };
}
