// What is said of many measurements.

/** The value below which `share` of the values lie (nearest rank); 0 of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Now, on a clock that all programs of this machine share to a fraction of a millisecond. */
export function sharedMs(): number {
  return performance.timeOrigin + performance.now();
}

/** `12,345`, or with so many decimals `12.35`. */
export function figure(value: number, decimals = 0): string {
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}
