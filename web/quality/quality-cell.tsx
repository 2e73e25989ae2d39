// How good a call sounds, in a cell of the list: the opinion score of the worse direction, now and in the last minutes.
import type { JSX } from "preact";
import { useLive } from "../app/use-app.ts";
import { pathOf, scaleOf } from "../parts/chart-shape.ts";
import { gradeOf, mosOf, type Grade } from "../state/quality.ts";
import { Mark, type Tone } from "../parts/small.tsx";
import { useWords } from "../text/use-words.ts";

const size = { width: 72, height: 18 };

const tones: Readonly<Record<Grade, Tone>> = { good: "good", fair: "good", poor: "warn", bad: "bad" };

export function QualityCell({ call }: { readonly call: string }): JSX.Element | null {
  const { quality } = useLive();
  const samples = quality.of(call);
  const mos = mosOf(samples.at(-1));
  if (mos === undefined) return null;
  const points = samples.flatMap((sample) => {
    const value = mosOf(sample);
    return value === undefined ? [] : [{ atMs: Date.parse(sample.at), value }];
  });
  return (
    <span class="spark">
      <Opinion mos={mos} />
      <svg viewBox={`0 -1 ${size.width} ${size.height + 2}`} aria-hidden="true">
        <path d={pathOf(points, scaleOf([points], { from: 1, to: 4.5 }), size)} />
      </svg>
    </span>
  );
}

function Opinion({ mos }: { readonly mos: number }): JSX.Element {
  const { t, f } = useWords();
  const grade = gradeOf(mos);
  return (
    <Mark tone={tones[grade]}>
      {f.number(mos, 1)} <span class="grade">{t.quality.words[grade]}</span>
    </Mark>
  );
}
