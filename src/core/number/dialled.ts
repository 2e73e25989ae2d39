// What a person types on a dial pad, and whether a telephone could dial it. Knows no country and no trunk. The only maker of
// dial strings: whoever has one need not look at it again.
import type { DialString, E164 } from "../ids.ts";

/**
 * What stays when the visual separators of RFC 3966 s5.1.1, spaces and slashes are taken away: digits, `*`, `#`,
 * and a `+` in front of a number or behind a service code (`*31#+44...`). undefined: no telephone could dial it.
 */
export function dialString(text: string): DialString | undefined {
  // As most are: nothing has to be taken away.
  if (/^\+?\d+$/.test(text)) return text as DialString;
  if (!/^[\d*#+(][\d*#+() ./-]*$/.test(text)) return undefined;
  const keys = text.replaceAll(/[() ./-]/g, "");
  const isDialable = /^\+\d+$/.test(keys) || /^[\d*#]+(?:(?<=[*#])\+\d[\d*#]*)?$/.test(keys);
  return isDialable ? (keys as DialString) : undefined;
}

/** The `phone-context` among the parameters of a number. */
export function contextOf(parameters: readonly string[]): DialString | undefined {
  for (const parameter of parameters) {
    const [name = "", value = ""] = parameter.split("=");
    const context = name.trim().toLowerCase() === "phone-context" ? contextIn(value) : undefined;
    if (context !== undefined) return context;
  }
  return undefined;
}

/** The beginning of a number that a `phone-context` is; those that are domains say nothing here. */
export function contextIn(value: string): DialString | undefined {
  const context = value.replace(/^%2b/i, "+").replaceAll(/[-.()\s]/g, "");
  return /^\+\d{1,15}$/.test(context) ? (context as DialString) : undefined;
}

/** RFC 3966 s5.1.5: a local number belongs where its context says. undefined: the keys are no local number, or have no context. */
export function inContext(context: DialString | undefined, keys: DialString): DialString | undefined {
  return context !== undefined && /^\d+$/.test(keys) ? ((context + keys) as DialString) : undefined;
}

export function withoutPlus(number: E164): DialString {
  return number.slice(1) as DialString;
}
