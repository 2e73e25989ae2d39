// What a person types on a dial pad, and whether a telephone could dial it. Knows no country and no trunk.

/**
 * What stays when the visual separators of RFC 3966 s5.1.1, spaces and slashes are taken away: digits, `*`, `#`,
 * and a `+` in front of a number or behind a service code (`*31#+44...`). undefined: no telephone could dial it.
 */
export function dialString(text: string): string | undefined {
  if (!/^[\d*#+(][\d*#+() ./-]*$/.test(text)) return undefined;
  const keys = text.replaceAll(/[() ./-]/g, "");
  return /^\+\d+$/.test(keys) || /^[\d*#]+(?:(?<=[*#])\+\d[\d*#]*)?$/.test(keys) ? keys : undefined;
}
