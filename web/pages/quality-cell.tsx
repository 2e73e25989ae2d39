// How good a call sounds, in a cell of the list: the loss of the last minutes as a line, of the worse side.
import type { JSX } from "preact";
import type { Call } from "../api/types.ts";
import { useLive } from "../app/use-app.ts";
import { pathOf, scaleOf } from "../parts/chart-shape.ts";
import { useWords } from "../text/use-words.ts";

const size = { width: 72, height: 18 };

export function QualityCell({ call }: { readonly call: Call }): JSX.Element | null {
  const { t, f } = useWords();
  const { quality } = useLive();
  const sides = (["from_matrix", "from_trunk"] as const).map((side) => quality.of(call.id, side));
  const lossOf = (samples: (typeof sides)[number]): number => samples.at(-1)?.loss ?? 0;
  const worse = sides.toSorted((a, b) => lossOf(b) - lossOf(a))[0] ?? [];
  const last = worse.at(-1);
  if (last === undefined) return null;
  const points = worse.map(({ atMs, loss }) => ({ atMs, value: loss }));
  return (
    <span class="spark">
      <svg viewBox={`0 -1 ${size.width} ${size.height + 2}`} aria-hidden="true">
        <path d={pathOf(points, scaleOf([points], { from: 0, to: 0.05 }), size)} />
      </svg>
      <span title={t.quality.loss}>{f.percent(last.loss)}</span>
      <span title={t.quality.jitter}>{f.milliseconds(last.jitterMs)}</span>
    </span>
  );
}
