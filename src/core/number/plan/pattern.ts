// Wildcards for numbers, as telephone exchanges write them: `+4416329601XX`. No regular expressions of the admin's own:
// what a stranger dials is matched against these, and must not be able to take long.

const digitsOf: Readonly<Record<string, string>> = { X: "0-9", Z: "1-9", N: "2-9" };
const longestPattern = 64;

/**
 * `X` any digit, `Z` 1 to 9, `N` 2 to 9, `[13-5]` one of those, and `.` at the end for one key or more; everything else
 * stands for itself. undefined: it is no such pattern.
 */
export function compilePattern(text: string): RegExp | undefined {
  if (text.length > longestPattern) return undefined;
  const match = /^(\+?)((?:[\dXZN*#]|\[\d[\d-]*\])*)(\.?)$/.exec(text.toUpperCase());
  const [, plus = "", keys = "", open = ""] = match ?? [];
  if (!match || keys + open === "") return undefined;
  let source = plus === "" ? "" : "\\+";
  for (const [part] of keys.matchAll(/\[[\d-]+\]|./g)) {
    if (part.startsWith("[")) {
      const set = setOf(part.slice(1, -1));
      if (set === undefined) return undefined;
      source += `[${set}]`;
    } else {
      const digits = digitsOf[part];
      source += digits === undefined ? part.replace(/[*#]/, "\\$&") : `[${digits}]`;
    }
  }
  // One character class after the other, and one repetition at the end: linear in the length of the number.
  return new RegExp(`^${source}${open === "" ? "" : "[0-9*#]+"}$`);
}

/** Digits and ranges of digits that rise. */
function setOf(text: string): string | undefined {
  if (!/^(?:\d(?:-\d)?)+$/.test(text)) return undefined;
  for (const [, from = "", to = ""] of text.matchAll(/(\d)-(\d)/g)) if (from > to) return undefined;
  return text;
}
