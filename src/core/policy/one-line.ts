// Text of strangers made fit to be shown in one line.

/** Names longer than this are cut: gateways drop messages for less, and people read no further. */
const longestName = 64;

/** One line without control, format (direction) and surrogate characters, cut; undefined if nothing is left. */
export function oneLine(text: string | undefined): string | undefined {
  const line = text
    ?.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replaceAll(/[\p{Cf}\p{Cs}]/gu, "")
    .trim();
  return line ? Array.from(line).slice(0, longestName).join("").trimEnd() : undefined;
}
