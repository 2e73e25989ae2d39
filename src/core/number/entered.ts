// A number as people type it, paste it or follow it as a link: with whatever stands between its digits on web pages, in
// address books and in other scripts. What a telephone can dial: dialled.ts.
import type { DialString } from "../ids.ts";
import { contextOf, dialString, inContext } from "./dialled.ts";

/**
 * The dial string that is meant. undefined: none is, or not for certain. Letters, extensions and pauses are refused: without
 * them another telephone than the one that is meant would ring.
 */
export function keysEntered(text: string): DialString | undefined {
  // As most are typed: nothing else is to be read in it.
  if (/^\+?\d+$/.test(text)) return dialString(text);
  const shown = plain(text).trim();
  const link = /^(tel|callto|sips?):(?:\/\/)?(.*)$/is.exec(shown);
  if (!link) return dialString(withoutTrunkZero(shown));
  const [head = "", ...parameters] = (decoded(link[2] ?? "") ?? "").split(";");
  // RFC 3966 s5.3, and RFC 4967's kin: digits to be sent after the answer.
  if (parameters.some((parameter) => /^\s*(?:ext|postd)=/i.test(parameter))) return undefined;
  const keys = dialString(withoutTrunkZero(head.trim()));
  return keys && (inContext(contextOf(parameters), keys) ?? keys);
}

/** Where a query string carried a raw plus, an HTTP parser made a space of it (WHATWG URL s5.1). No country code begins with 0. */
export function restorePlus(text: string): string {
  return text.replace(/^(\p{Cf}*) (?=\p{Cf}*[1-9(])/u, "$1+");
}

/** Characters that look like those of a dial pad, and the separators of RFC 3966 s5.1.1, as those; what nobody sees is gone. */
export function plain(text: string): string {
  // Most are plain already, and a dial pad asks at each key.
  if (/^[ -Z^-~]*$/.test(text)) return text;
  return (
    text
      .replaceAll(/[\p{Cf}\p{Variation_Selector}\u034f]/gu, "")
      .replaceAll(/\p{Nd}/gu, digitOf)
      .replaceAll(/[\uff0b\ufe62\u207a\u2795]/g, "+")
      .replaceAll(/[\uff0a\u2217\ufe61]/g, "*")
      .replaceAll(/[\uff03\ufe5f]/g, "#")
      .replaceAll(/[\p{Zs}\t]/gu, " ")
      // Not the wave dash, which stands between the first and the last of several numbers.
      .replaceAll(/[\u2212\u02d7\u2043\u30fc]|(?![\u301c\u3030])\p{Pd}/gu, "-")
      .replaceAll(/[\uff0e\u2024\u00b7\u2022\u2027\u30fb]/g, ".")
      .replaceAll(/[\uff0f\u2044\u2215]/g, "/")
      .replaceAll(/[[\uff08\uff3b]/g, "(")
      .replaceAll(/[\]\uff09\uff3d]/g, ")")
  );
}

/** The digits of a script stand together in Unicode, from 0 to 9. */
function digitOf(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  let before = 0;
  while (/\p{Nd}/u.test(String.fromCodePoint(code - before - 1))) before += 1;
  return String(before % 10);
}

/** Undefined for a broken escape. */
function decoded(text: string): string | undefined {
  try {
    return plain(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

/**
 * `+44 (0)20` is `+44 20` from abroad and `020` at home. In front of everything, `(0)` is dialled; and to the numbers of Italy
 * and San Marino the zero belongs.
 */
function withoutTrunkZero(text: string): string {
  const [, before = "", behind = ""] = /^([^(]*\d[^(]*)\( *0 *\)(.*)$/.exec(text) ?? [];
  if (before === "" || /^(?:00|011)?(?:39|378)$/.test(before.replaceAll(/\D/g, ""))) return text;
  return before + behind;
}
