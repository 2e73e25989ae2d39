// The audio of a call that is up, as graphs and as a table of the same values.
import type { JSX } from "preact";
import type { Call } from "../api/types.ts";
import { useLive } from "../app/use-app.ts";
import { Chart } from "../parts/chart.tsx";
import { Facts, Time } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import type { Sample, Side } from "../state/quality.ts";
import { useWords } from "../text/use-words.ts";

export function QualityCharts({ call }: { readonly call: Call }): JSX.Element {
  const { t, f } = useWords();
  const { quality } = useLive();
  const { media } = call;
  const sides: readonly (readonly [Side, string])[] = [
    ["from_matrix", t.quality.fromMatrix],
    ["from_trunk", t.quality.fromTrunk],
  ];
  const linesOf = (value: (sample: Sample) => number) =>
    sides.map(([side, name]) => ({
      name,
      dashed: side === "from_trunk",
      points: quality.of(call.id, side).map((sample) => ({ atMs: sample.atMs, value: value(sample) })),
    }));
  const rows = sides
    .flatMap(([side, name]) => quality.of(call.id, side).map((sample) => ({ name, sample })))
    .toSorted((a, b) => b.sample.atMs - a.sample.atMs);
  return (
    <section aria-labelledby="quality">
      <h2 id="quality">{t.quality.title}</h2>
      {rows.length === 0 ? (
        <p class="faint">{t.quality.waiting}</p>
      ) : (
        <div class="charts">
          <Chart
            title={t.quality.loss}
            lines={linesOf(({ loss }) => loss)}
            format={f.percent}
            from={0}
            to={0.05}
            worst="high"
          />
          <Chart
            title={t.quality.jitter}
            lines={linesOf(({ jitterMs }) => jitterMs)}
            format={f.milliseconds}
            from={0}
            to={40}
            worst="high"
          />
        </div>
      )}
      {media !== undefined && (
        <div class="panel">
          <Facts
            facts={sides.flatMap(([side, name]) => [
              [`${name}: ${t.call.packets}`, f.number(media[side].packets)] as const,
              [`${name}: ${t.call.lost}`, f.number(media[side].lost)] as const,
            ])}
          />
        </div>
      )}
      {rows.length > 0 && (
        <details>
          <summary>{t.quality.table}</summary>
          <Table
            caption={t.quality.title}
            rows={rows.slice(0, 60)}
            rowKey={({ name, sample }) => `${name}${sample.atMs}`}
            columns={[
              { key: "at", head: t.quality.time, names: true, cell: ({ sample }) => <Time at={sample.atMs} /> },
              { key: "side", head: t.call.directionHead, cell: ({ name }) => name },
              { key: "loss", head: t.quality.loss, numeric: true, cell: ({ sample }) => f.percent(sample.loss) },
              {
                key: "jitter",
                head: t.quality.jitter,
                numeric: true,
                cell: ({ sample }) => f.milliseconds(sample.jitterMs),
              },
            ]}
          />
        </details>
      )}
    </section>
  );
}
