// What an admin says in one line: which number rings whom, and who may call.
import type { Settings } from "../writing/commented.ts";

export interface Ring {
  /** A number, a block of numbers or a name; `*` for every number that has no entry of its own. */
  readonly called: string;
  /** User ids, or one room. */
  readonly who: readonly string[];
}

/** `NUMBER=USER`, `NUMBER=USER,USER`, `NUMBER=ROOM`; undefined if it is none of them. */
export function parseRing(text: string): Ring | undefined {
  const split = text.indexOf("=");
  if (split < 1) return undefined;
  const who = words(text.slice(split + 1));
  if (who.length === 0) return undefined;
  return { called: text.slice(0, split).trim(), who };
}

export function words(text: string): string[] {
  return text.split(/[\s,]+/).filter((word) => word !== "");
}

/** As an entry of `inbound.numbers`. */
export function toNumberEntry({ called, who }: Ring, trunk: string): Settings {
  return { ...matchOf(called, trunk), ...targetOf(who) };
}

function matchOf(called: string, trunk: string): Settings {
  if (called === "*") return { prefix: "", trunks: [trunk] };
  // A name is none of the patterns, which begin as numbers do.
  const isPattern = /^[+\d]/.test(called) && /[XZN[.]/i.test(called);
  return isPattern ? { pattern: called } : { number: called };
}

function targetOf(who: readonly string[]): Settings {
  const [first = ""] = who;
  if (who.length > 1) return { users: who };
  return first.startsWith("!") ? { room: first } : { user: first };
}

/** Whoever says this may call nobody. */
const nobody = "nobody";

/** As `permissions`. Who is named may call, and nobody else. */
export function toPermissions(text: string): Settings {
  return Object.fromEntries(words(text).flatMap((word) => (word === nobody ? [] : [[word, "call"] as const])));
}
