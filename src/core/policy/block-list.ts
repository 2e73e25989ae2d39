// What the block list holds, and which entries are about a number. Who keeps it: bridge/blocking.
import type { UserId } from "../ids.ts";
import { dialString } from "../number/dialled.ts";
import { internationalPrefix, type Country } from "../number/e164.ts";
import { plain } from "../number/entered.ts";
import type { GhostIds } from "../number/ghost/ghost-id.ts";
import type { PlannedCall } from "../number/plan/dial-plan.ts";
import { allForms, spellingOf } from "../number/plan/spelling.ts";

/** What a blocked caller hears. */
export const blockResponses = ["decline", "unwanted", "busy", "unavailable"] as const;
export type BlockResponse = (typeof blockResponses)[number];

export interface Block {
  /** As `readBlocked` writes it. */
  readonly what: string;
  /** Whom it keeps callers away from; undefined: everybody. */
  readonly person: UserId | undefined;
  /** Undefined: as the configuration says. */
  readonly response: BlockResponse | undefined;
  /** Who put it there: a Matrix user, or an admin as the log of their actions names them. */
  readonly by: string;
  readonly atMs: number;
}

const anonymousCallers = "anonymous";
const anonymousWords: ReadonlySet<string> = new Set([anonymousCallers, "withheld", "private"]);
/** A shorter beginning is that of half the world's numbers. */
const shortestPrefix = 2;
const longestPrefix = 20;
const longestAddress = 255;

type ReadBlocked =
  | { readonly kind: "blocked"; readonly what: string }
  | { readonly kind: "none"; readonly why: "not-a-number" | "prefix-too-short" };

/**
 * Whom a text is about: `anonymous`, a number in any spelling, its beginning with `*` behind it, or a SIP address. Numbers are
 * written as E.164 where they are understood.
 */
export function readBlocked(
  text: string,
  ids: Pick<GhostIds, "forDialled">,
  country: Country | undefined,
): ReadBlocked {
  const shown = plain(text).trim();
  if (anonymousWords.has(shown.toLowerCase())) return { kind: "blocked", what: anonymousCallers };
  const [, beginning] = /^([^*]*\d[^*]*)\*$/.exec(shown) ?? [];
  if (beginning !== undefined) return readPrefix(beginning, country);
  if (shown.includes("@")) return readAddress(shown);
  const found = ids.forDialled(shown);
  const keys = found.kind === "ghost" && found.target.kind === "number" ? found.target.dialled : undefined;
  if (keys === undefined || /[*#]/.test(keys)) return { kind: "none", why: "not-a-number" };
  const { sent, e164 } = spellingOf(keys, country);
  return { kind: "blocked", what: e164[0] ?? sent };
}

function readPrefix(text: string, country: Country | undefined): ReadBlocked {
  const keys = dialString(text);
  if (keys === undefined || !/^\+?\d+$/.test(keys)) return { kind: "none", why: "not-a-number" };
  const abroad = country === undefined ? undefined : internationalPrefix(country).exec(keys)?.[0];
  const prefix = abroad === undefined ? keys : `+${keys.slice(abroad.length)}`;
  if (prefix.replace("+", "").length < shortestPrefix) return { kind: "none", why: "prefix-too-short" };
  return prefix.length > longestPrefix
    ? { kind: "none", why: "not-a-number" }
    : { kind: "blocked", what: `${prefix}*` };
}

/** As callers have them, from whichever host. */
function readAddress(text: string): ReadBlocked {
  const [, user = "", host = ""] = /^(?:sips?:)?([^\s\p{C}@<>"*]+)@([a-z0-9.-]+|\[[0-9a-f:.]+\])$/iu.exec(text) ?? [];
  if (user === "" || text.length > longestAddress) return { kind: "none", why: "not-a-number" };
  return { kind: "blocked", what: `${user}@${host.toLowerCase()}` };
}

/** Each entry that would be about the number, the most exact first. `number`: undefined of a caller who withholds theirs. */
export function blockKeys(number: string | undefined, country: Country | undefined): readonly string[] {
  if (number === undefined) return [anonymousCallers];
  const forms = allForms(spellingOf(number, country), country);
  const longestFirst = Array.from({ length: longestPrefix - shortestPrefix + 1 }, (_, index) => longestPrefix - index);
  const prefixes = longestFirst.flatMap((length) =>
    forms.flatMap((form) => (form.length >= length && /^\+?\d/.test(form) ? `${form.slice(0, length)}*` : [])),
  );
  return [...forms, ...prefixes];
}

/** What a call may reach, in every spelling that a trunk would be sent. */
export function numbersReached(plan: PlannedCall): readonly string[] {
  if (plan.kind === "refused") return [];
  const { number, e164, alternatives } = plan;
  return [...new Set([number, ...(e164 === undefined ? [] : [e164]), ...alternatives.map((other) => other.number)])];
}
