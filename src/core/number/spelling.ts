// The ways in which one and the same number may be written by those who send it: nationally, internationally, with the plus
// or without. Who comes in: the DID table and the caller's identity, since no two trunks write numbers alike.
import type { E164 } from "../ids.ts";
import { dialString } from "./dialled.ts";
import { knownForm, nationalForm, shortestPublicNumber, toE164, type Country } from "./e164.ts";

/** A number, user name or address as it was sent, and what the numbering plan makes of it. */
export interface Spelling {
  /** Without visual separators where a telephone could dial it, else as it is. */
  readonly sent: string;
  /** The likeliest first; none for extensions, service codes and names. */
  readonly e164: readonly E164[];
}

export function spellingOf(text: string, country: Country | undefined): Spelling {
  const keys = dialString(text);
  return keys === undefined ? { sent: text.trim(), e164: [] } : { sent: keys, e164: readings(keys, country) };
}

/** Read as dialled in the country, and as an international number whose plus was left out. */
function readings(keys: string, country: Country | undefined): readonly E164[] {
  const dialled = toE164(keys, country);
  const bare = /^[1-9]\d*$/.test(keys) && keys.length >= shortestPublicNumber ? `+${keys}` : undefined;
  if (bare === undefined || bare === dialled) return dialled === undefined ? [] : [dialled];
  const isKnown = knownForm(keys, country) !== undefined;
  const known = knownForm(bare);
  // What is assigned goes before what is only as long as a number; two guesses are not better than one.
  const international = known ?? (dialled === undefined ? toE164(bare) : undefined);
  const both = isKnown || known === undefined ? [dialled, international] : [international, dialled];
  return [...new Set(both)].filter((number) => number !== undefined);
}

/** All that a rule may be compared with, the likeliest first. */
export function allForms({ sent, e164 }: Spelling, country: Country | undefined): readonly string[] {
  const national = country === undefined ? [] : e164.map((number) => nationalForm(number, country));
  return [...new Set([sent, ...e164, ...national])];
}
