// One clock for all processes of a benchmark.

/** Of the machine, from an arbitrary start (CLOCK_MONOTONIC), in ms. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1_000_000;
}
