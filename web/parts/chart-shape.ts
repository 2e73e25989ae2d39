// Values over time as lines of a picture. Pure.
export interface Point {
  readonly atMs: number;
  readonly value: number;
}

export interface Scale {
  readonly startMs: number;
  readonly endMs: number;
  readonly bottom: number;
  readonly top: number;
}

/** A short call fills no more than its part of the picture. */
const leastSpanMs = 60_000;
/** Nothing was measured in between. */
const gapMs = 12_000;

/** Over all lines; reaches from `from` to `to` at least, and to a round number. */
export function scaleOf(
  lines: readonly (readonly Point[])[],
  { from, to }: { readonly from: number; readonly to: number },
): Scale {
  const all = lines.flat();
  const times = all.map(({ atMs }) => atMs);
  const values = all.map(({ value }) => value);
  const startMs = all.length === 0 ? 0 : Math.min(...times);
  return {
    startMs,
    endMs: Math.max(startMs + leastSpanMs, ...times),
    bottom: Math.min(from, ...values),
    top: to >= Math.max(to, ...values) ? to : roundUp(Math.max(...values)),
  };
}

/** To 1, 2 or 5 with zeros behind. */
function roundUp(value: number): number {
  if (value <= 0) return 0;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * power >= value * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** As an SVG path; a pause in the measurements is a gap. */
export function pathOf(
  points: readonly Point[],
  { startMs, endMs, bottom, top }: Scale,
  { width, height }: { readonly width: number; readonly height: number },
): string {
  const span = top - bottom || 1;
  let lastMs = -Infinity;
  return points
    .map(({ atMs, value }) => {
      const x = ((atMs - startMs) / (endMs - startMs)) * width;
      const y = height - ((value - bottom) / span) * height;
      const verb = atMs - lastMs > gapMs ? "M" : "L";
      lastMs = atMs;
      return `${verb}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}
