// Finds the order in what a person has written. Everything in it is a stranger's: it is brought into one line first.
import { nearest } from "../../../core/nearest.ts";
import { plain } from "../../../core/number/entered.ts";
import type { Order } from "./order.ts";

export type FoundOrder =
  | { readonly kind: "order"; readonly order: Order; readonly rest: string }
  /** `near`: the name that was probably meant. */
  | { readonly kind: "unknown"; readonly word: string; readonly near: string | undefined };

const longestWord = 40;

/** One line, without what nobody sees, a quotation in front of a reply, or the bot's own name in front. */
export function oneLineOf(body: string, names: readonly string[]): string {
  const own = body.replace(/^(?:> ?.*\n)+\n?/, "");
  const line = plain(own)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Z}]+/gu, " ")
    .trim();
  const name = names.find((one) => line.toLowerCase().startsWith(`${one.toLowerCase()}:`));
  return name === undefined ? line : line.slice(name.length + 1).trim();
}

export function findOrder(line: string, orders: readonly Order[]): FoundOrder {
  const text = line.replace(/^!/, "");
  const fits = orders.flatMap((order) =>
    order.words.flatMap((word) => {
      const rest = behind(word, text);
      return rest === undefined ? [] : [{ order, word, rest }];
    }),
  );
  const [best] = fits.toSorted((one, other) => other.word.length - one.word.length);
  if (best !== undefined) return { kind: "order", order: best.order, rest: best.rest };
  const [word = ""] = text.split(" ");
  return { kind: "unknown", word: word.slice(0, longestWord), near: nearest(word, namesOf(orders)) };
}

function namesOf(orders: readonly Order[]): readonly string[] {
  return orders.map(({ words: [name] }) => name);
}

/** Undefined: the text does not begin with the word. */
function behind(word: string, text: string): string | undefined {
  const pattern = new RegExp(`^${word.split("-").join("[ -]+")}(?: +(.*))?$`, "i");
  const match = pattern.exec(text);
  return match === null ? undefined : (match[1] ?? "").trim();
}
