// One measure of a call over time, of both sides: what comes from Matrix as a whole line, what comes from the trunk as a dashed one.
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useWords } from "../text/use-words.ts";
import { pathOf, scaleOf, type Point } from "./chart-shape.ts";

interface Line {
  readonly name: string;
  readonly dashed: boolean;
  readonly points: readonly Point[];
}

interface ChartProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly format: (value: number) => string;
  /** The axis reaches at least so far. */
  readonly from: number;
  readonly to: number;
  /** Which end is the bad one. */
  readonly worst: "high" | "low";
}

const height = 100;
const width = 600;

export function Chart({ title, lines, format, from, to, worst }: ChartProps): JSX.Element {
  const { t, f } = useWords();
  const [pointed, setPointed] = useState<number | undefined>();
  const scale = scaleOf(
    lines.map(({ points }) => points),
    { from, to },
  );
  const atMs = pointed === undefined ? undefined : scale.startMs + pointed * (scale.endMs - scale.startMs);
  const shown = lines.map(({ name, dashed, points }) => {
    const point = atMs === undefined ? points.at(-1) : nearest(points, atMs);
    const values = points.map(({ value }) => value);
    const extreme = worst === "high" ? Math.max(...values) : Math.min(...values);
    return { name, dashed, point, extreme: values.length === 0 ? undefined : extreme };
  });
  const words = shown
    .filter(({ point }) => point !== undefined)
    .map(({ name, point, extreme }) => t.quality.chart(name, format(point?.value ?? 0), format(extreme ?? 0)))
    .join("; ");
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        {atMs !== undefined && <span class="faint">{f.clock(atMs)}</span>}
      </figcaption>
      <div class="chart-now">
        {shown.map(({ name, dashed, point, extreme }) => (
          <span key={name}>
            <svg class={`key ${dashed ? "second" : "first"}`} viewBox="0 0 20 8" aria-hidden="true">
              <path d="M0 4H20" />
            </svg>
            <span class="faint">{name}</span> <strong>{point === undefined ? "–" : format(point.value)}</strong>
            {extreme !== undefined && atMs === undefined && (
              <span class="faint">
                {" "}
                {t.quality.worst} {format(extreme)}
              </span>
            )}
          </span>
        ))}
      </div>
      <div class="chart-box">
        <svg
          viewBox={`0 0 ${width} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}. ${words === "" ? t.quality.none : words}`}
          onPointerMove={({ currentTarget, clientX }) => {
            const box = currentTarget.getBoundingClientRect();
            setPointed(Math.min(1, Math.max(0, (clientX - box.left) / box.width)));
          }}
          onPointerLeave={() => setPointed(undefined)}
        >
          <path class="grid" d={`M0 .5H${width}M0 ${height / 2}H${width}M0 ${height - 0.5}H${width}`} />
          {lines.map(({ name, dashed, points }) => (
            <path
              key={name}
              class={dashed ? "line second" : "line first"}
              d={pathOf(points, scale, { width, height })}
            />
          ))}
          {pointed !== undefined && <path class="pointed" d={`M${pointed * width} 0V${height}`} />}
        </svg>
        <span class="axis top" aria-hidden="true">
          {format(scale.top)}
        </span>
        <span class="axis bottom" aria-hidden="true">
          {format(scale.bottom)}
        </span>
      </div>
    </figure>
  );
}

function nearest(points: readonly Point[], atMs: number): Point | undefined {
  return points.reduce<Point | undefined>(
    (best, point) => (best === undefined || Math.abs(point.atMs - atMs) < Math.abs(best.atMs - atMs) ? point : best),
    undefined,
  );
}
