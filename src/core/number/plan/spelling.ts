// The ways in which one and the same number may be written by those who send it: nationally, internationally, with the plus
// or without. Who comes in: the DID table and the caller's identity, since no two trunks write numbers alike.
import type { DialString, E164 } from "../../ids.ts";
import { contextOf, dialString, inContext } from "../dialled.ts";
import { callingCodeOf, nationalForm, type Country } from "../e164.ts";
import { readingsOf, type Reading } from "./readings.ts";

/** How a trunk writes numbers without a plus. `auto`: in whichever way that makes an assigned number of them. */
export type InboundNumberFormat = "auto" | "e164" | "e164-without-plus" | "national";

/** A number, user name or address as it was sent, and what the numbering plan makes of it. */
export interface Spelling {
  /** Without visual separators where a telephone could dial it, else as it is. A local number of elsewhere has its context in front. */
  readonly sent: string;
  /** The likeliest first; none for extensions, service codes and names. */
  readonly e164: readonly E164[];
}

/** A number may have a context of RFC 3966 s5.1.5 behind it: `1632960123;phone-context=+44`. */
export function spellingOf(text: string, country: Country | undefined, format: InboundNumberFormat = "auto"): Spelling {
  const [head = "", ...parameters] = text.split(";");
  const context = contextOf(parameters);
  const keys = dialString(context === undefined ? text : head);
  return keys === undefined ? { sent: text.trim(), e164: [] } : spellingIn(context, keys, country, format);
}

/** As `spellingOf`, of what a telephone can dial. */
export function spellingIn(
  context: DialString | undefined,
  keys: DialString,
  country: Country | undefined,
  format: InboundNumberFormat = "auto",
): Spelling & { readonly sent: DialString } {
  const whole = inContext(context, keys);
  if (whole === undefined) return { sent: keys, e164: readings(keys, country, format) };
  const e164 = readings(whole, country, format);
  // Extensions are not in the numbering plan; that of the country itself says nothing about them.
  const isHere = country !== undefined && context === `+${callingCodeOf(country)}`;
  return { sent: e164.length === 0 && isHere ? keys : whole, e164 };
}

function readings(keys: string, country: Country | undefined, format: InboundNumberFormat): readonly E164[] {
  if (/[*#]/.test(keys)) return [];
  const all = readingsOf(keys, country).filter(({ e164 }) => e164 !== undefined);
  const written = all.find(({ way }) => isWritten(way, format));
  // Two guesses are not better than one: of what is assigned nowhere only the likeliest counts.
  const likely = written ? [written] : all.filter(({ kind }, at) => kind !== undefined || at === 0);
  return likely.flatMap(({ e164 }) => e164 ?? []);
}

/** What a trunk sends that is not in its own format is taken as `auto` takes it. */
function isWritten(way: Reading["way"], format: InboundNumberFormat): boolean {
  switch (format) {
    case "auto":
    case "e164":
      return way === "e164";
    case "e164-without-plus":
      return way === "e164" || way === "e164-without-plus";
    case "national":
      return way !== "e164-without-plus";
  }
}

/** All that a rule may be compared with, the likeliest first. */
export function allForms({ sent, e164 }: Spelling, country: Country | undefined): readonly string[] {
  const national = country === undefined ? [] : e164.map((number) => nationalForm(number, country));
  return [...new Set([sent, ...e164, ...national])];
}
