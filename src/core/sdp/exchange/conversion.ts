// Which codecs can be turned into each other, and at what price.
import type { MediaEnd } from "../../media-end.ts";

export interface Conversion {
  readonly between: readonly [one: string, other: string];
  /** What a converted call costs, in calls that pass as they are. */
  readonly price: number;
}

/** Codecs that whoever stands at such an end takes for certain, or nearly so: the others may be refused. */
const certain: Readonly<Record<"client" | "trunk", ReadonlySet<string>>> = {
  // RFC 7874 s3 demands G.711 of a client as well, and some have Opus alone.
  client: new Set(["opus"]),
  trunk: new Set(["PCMA", "PCMU"]),
};

export function isCertain(kind: "client" | "trunk", codec: string): boolean {
  return certain[kind].has(codec);
}

/** Undefined: it cannot be done. */
export function priceOf(conversions: readonly Conversion[], from: string, to: string): number | undefined {
  return conversions.find(
    ({ between: [one, other] }) => (one === from && other === to) || (one === to && other === from),
  )?.price;
}

/** What a call costs that speaks these codecs at its ends, in calls that pass as they are. */
export function callPrice(conversions: readonly Conversion[], { a, b }: Readonly<Record<MediaEnd, string>>): number {
  return a === b ? 1 : (priceOf(conversions, a, b) ?? 1);
}

/** The same of a call in which one direction may be converted and the other not: by what is turned into what in each. */
export function waysPrice(
  conversions: readonly Conversion[],
  ways: readonly { readonly from: string; readonly to: string }[],
): number {
  return ways.reduce((sum, { from, to }) => sum + ((priceOf(conversions, from, to) ?? 1) - 1) / ways.length, 1);
}

/** `codecs`, and those that they can be turned into. */
export function convertible(codecs: readonly string[], conversions: readonly Conversion[]): readonly string[] {
  const partners = codecs.flatMap((codec) =>
    conversions.flatMap(({ between: [one, other] }) => (one === codec ? [other] : other === codec ? [one] : [])),
  );
  return [...new Set([...codecs, ...partners])];
}
