// Money as whole numbers: millionths of the currency's unit. No sum of prices is ever rounded but where a call is billed.

/** Millionths of the currency's unit; always whole. */
export type Money = number;

const decimals = 6;
const perUnit = 10 ** decimals;
/** Larger amounts are more likely a mistake, and times a long call they would not be exact any more. */
const mostDigits = 9;

/** `12.5`; undefined for what is no amount, is negative, or has more decimals than can be kept. */
export function parseMoney(text: string, point: "." | "," = "."): Money | undefined {
  const [whole = "", fraction = "", ...rest] = text.split(point);
  if (rest.length > 0 || !/^\d+$/.test(whole) || !/^\d*$/.test(fraction)) return undefined;
  if (text.endsWith(point)) return undefined;
  const kept = fraction.replace(/0+$/, "");
  if (kept.length > decimals || whole.replace(/^0+/, "").length > mostDigits) return undefined;
  return Number(whole) * perUnit + Number(kept.padEnd(decimals, "0"));
}

/** `1.50 EUR`; smaller parts of a hundredth are shown only where there is nothing else. */
export function moneyText(money: Money, currency: string): string {
  const isTiny = money > 0 && money < perUnit / 100;
  const fraction = String(money % perUnit).padStart(decimals, "0");
  const shown = isTiny ? fraction.replace(/0+$/, "") : fraction.slice(0, 2);
  return `${Math.floor(money / perUnit)}.${shown} ${currency}`;
}

/** For programs: `1.5`, exactly. */
export function moneyDecimal(money: Money): string {
  const fraction = String(money % perUnit)
    .padStart(decimals, "0")
    .replace(/0+$/, "");
  const whole = Math.floor(money / perUnit);
  return fraction === "" ? String(whole) : `${whole}.${fraction}`;
}

/** `of` by `by`, rounded up; exact for all whole numbers. */
export function dividedUp(of: number, by: number): number {
  const rest = of % by;
  return (of - rest) / by + (rest > 0 ? 1 : 0);
}
