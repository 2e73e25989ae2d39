// The audio of a call that is up, as graphs and as a table of the same values.
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { Call } from "../api/types.ts";
import { useApp, useLive } from "../app/use-app.ts";
import { Chart } from "../parts/chart.tsx";
import { Facts, Time } from "../parts/small.tsx";
import { Table } from "../parts/table.tsx";
import type { Sample, Side } from "../state/quality.ts";
import { useWords } from "../text/use-words.ts";

type Direction = Sample[Side];

export function QualityCharts({ call }: { readonly call: Call }): JSX.Element {
  const { t, f } = useWords();
  const { quality } = useLive();
  const { feed } = useApp();
  const { id, media, answered_at: answered } = call;
  useEffect(() => {
    if (answered !== undefined) feed.loadQuality(id);
  }, [id, answered]);
  const samples = quality.of(id);
  const sides: readonly (readonly [Side, string])[] = [
    ["from_matrix", t.quality.fromMatrix],
    ["from_trunk", t.quality.fromTrunk],
  ];
  const linesOf = (value: (direction: Direction) => number | undefined) =>
    sides.map(([side, name]) => ({
      name,
      dashed: side === "from_trunk",
      points: samples.flatMap((sample) => {
        const found = value(sample[side]);
        return found === undefined ? [] : [{ atMs: Date.parse(sample.at), value: found }];
      }),
    }));
  const rows = samples
    .flatMap((sample) => sides.map(([side, name]) => ({ at: sample.at, name, ...sample[side] })))
    .toReversed();
  const percent = (value: number): string => f.percent(value / 100);
  const level = (value: number): string => `${f.number(value)} dBov`;
  const measures = [
    { title: t.quality.mos, of: (one: Direction) => one.mos, format: opinion, from: 1, to: 4.5, worst: "low" },
    { title: t.quality.loss, of: (one: Direction) => one.lost_percent, format: percent, from: 0, to: 5, worst: "high" },
    {
      title: t.quality.jitter,
      of: (one: Direction) => one.jitter_ms,
      format: f.milliseconds,
      from: 0,
      to: 40,
      worst: "high",
    },
    {
      title: t.quality.roundTrip,
      of: (one: Direction) => one.round_trip_ms,
      format: f.milliseconds,
      from: 0,
      to: 200,
      worst: "high",
    },
    { title: t.quality.level, of: (one: Direction) => one.level_dbov, format: level, from: -90, to: 0, worst: "low" },
  ] as const;
  function opinion(value: number): string {
    return f.number(value, 1);
  }
  return (
    <section aria-labelledby="quality">
      <h2 id="quality">{t.quality.title}</h2>
      {samples.length === 0 ? (
        <p class="faint">{t.quality.waiting}</p>
      ) : (
        <div class="charts">
          {measures.map(({ title, of, ...rest }) => {
            const lines = linesOf(of);
            const isMeasured = lines.some(({ points }) => points.length > 0);
            return isMeasured && <Chart key={title} title={title} lines={lines} {...rest} />;
          })}
        </div>
      )}
      {media !== undefined && (
        <div class="panel">
          <Facts
            facts={sides.map(([side, name]) => [
              name,
              t.quality.totals(
                f.number(media[side].packets),
                f.number(media[side].lost),
                f.milliseconds(media[side].jitter_ms),
              ),
            ])}
          />
        </div>
      )}
      {rows.length > 0 && (
        <details>
          <summary>{t.quality.table}</summary>
          <Table
            caption={t.quality.title}
            rows={rows}
            rowKey={({ name, at }) => `${name}${at}`}
            columns={[
              { key: "at", head: t.quality.time, names: true, cell: ({ at }) => <Time at={at} /> },
              { key: "side", head: t.call.directionHead, cell: ({ name }) => name },
              ...measures.map(({ title, of, format }) => ({
                key: title,
                head: title,
                numeric: true,
                cell: (row: (typeof rows)[number]) => {
                  const value = of(row);
                  return value === undefined ? "" : format(value);
                },
              })),
            ]}
          />
        </details>
      )}
    </section>
  );
}
