// The dashboard and the alert rules name only what the bridge's metrics really have.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, test } from "vitest";
import { parse } from "yaml";
import { trunkName } from "../../src/core/ids.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { recordOf } from "../contract/store-examples.ts";
import { namedIn, type Selector } from "./promql.ts";

const root = join(import.meta.dirname, "../..");
const textOf = (path: string): string => readFileSync(join(root, path), "utf8");

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity?: string };
  readonly annotations: { readonly summary?: string; readonly runbook?: string };
}

interface Query {
  /** The panel or alert. */
  readonly of: string;
  readonly expr: string;
  /** What people read, with `{{label}}` in it. */
  readonly shown: string;
}

interface Panel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Dashboard {
  readonly panels: readonly Panel[];
  readonly annotations: { readonly list: readonly { readonly expr: string; readonly textFormat: string }[] };
  readonly templating: { readonly list: readonly { readonly query: string | { readonly query: string } }[] };
}

const rules = (
  parse(textOf("deploy/prometheus/alerts.yaml")) as { groups: readonly { rules: readonly Rule[] }[] }
).groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(textOf("deploy/grafana/matrix-appservice-sip.json")) as Dashboard;

const queries: readonly Query[] = [
  ...rules.map(({ alert, expr, annotations }) => ({ of: alert, expr, shown: annotations.summary ?? "" })),
  ...dashboard.panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ of: title, expr, shown: legendFormat })),
  ),
  ...dashboard.annotations.list.map(({ expr, textFormat }) => ({ of: "restarts", expr, shown: textFormat })),
];

/** What Prometheus adds to each series. */
const targetLabels = ["job", "instance"];
const functions: ReadonlySet<string> = new Set(
  "sum max count topk vector increase rate changes min_over_time histogram_quantile clamp_max time".split(" "),
);

/** By metric: its labels, with all values that they had. */
type Series = ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;

/** Of the real registry, after each thing that it counts has happened. */
async function realSeries(): Promise<Series> {
  const metrics = new Metrics();
  metrics.trunkState(trunkName("main"), true);
  metrics.certificateEnds(trunkName("main"), 0);
  metrics.homeserverAnswered("PUT rooms/send", 200, 12);
  metrics.lookedUp("m.protocol.pstn", "found");
  metrics.factIgnored("sip.ringing", "ended");
  const record = recordOf("c-1", 61_000);
  metrics.callEnded(
    { ...record, media: { ...record.media, converted: { a: "opus", b: "PCMA", only: undefined } } },
    "outbound",
  );
  const { text } = await metrics.exposition();
  const series = new Map<string, Map<string, Set<string>>>([["up", new Map()]]);
  for (const [, name = "", labels = ""] of text.matchAll(/^([a-z]\w*)(?:\{(.*)\})? \S+$/gm)) {
    const known = series.get(name) ?? new Map<string, Set<string>>();
    series.set(name, known);
    for (const [, label = "", value = ""] of labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      known.set(label, (known.get(label) ?? new Set()).add(value));
    }
  }
  return series;
}

let series: Series;
beforeAll(async () => {
  series = await realSeries();
});

const labelsOf = (metric: string): readonly string[] => [...(series.get(metric)?.keys() ?? []), ...targetLabels];

/** What no series of the bridge has. */
function wrongIn({ metric, matchers }: Selector): readonly string[] {
  const labels = series.get(metric);
  if (labels === undefined) return [metric];
  return matchers.flatMap(({ label, value }) => {
    if (targetLabels.includes(label)) return [];
    const values = [...(labels.get(label) ?? [])];
    // Each of a|b|c by itself, or a cause that is renamed would go unseen.
    const lost = value.split("|").filter((part) => !values.some((known) => new RegExp(`^(?:${part})$`).test(known)));
    return lost.map((part) => `${metric}{${label}="${part}"}`);
  });
}

describe.for(queries)("$of: $expr", ({ expr, shown }) => {
  it("names metrics, labels and values that the bridge has", () => {
    const { selectors, groupedBy, functions: called } = namedIn(expr);
    expect(selectors.flatMap(wrongIn)).toEqual([]);
    const labels = selectors.flatMap(({ metric }) => labelsOf(metric));
    expect(groupedBy.filter((label) => !labels.includes(label))).toEqual([]);
    expect(
      called.filter((name) => !functions.has(name)),
      "if PromQL has it, add it to this test",
    ).toEqual([]);
  });

  it("shows labels that its result has", () => {
    const { selectors, groupedBy, functions: called } = namedIn(expr);
    const aggregates = called.some((name) => ["sum", "max", "count"].includes(name));
    const left = aggregates ? groupedBy : selectors.flatMap(({ metric }) => labelsOf(metric));
    const names = [...shown.matchAll(/\{\{\s*(?:\$labels\.)?([a-z]\w*)\s*\}\}/g)].map(([, name = ""]) => name);
    expect(names.filter((name) => !left.includes(name))).toEqual([]);
  });
});

test("every metric of the bridge is in a panel", () => {
  const shown = new Set(
    dashboard.panels
      .flatMap(({ targets = [] }) => targets.flatMap(({ expr }) => namedIn(expr).selectors))
      .map(({ metric }) => metric.replace(/_(?:bucket|sum|count)$/, "")),
  );
  const own = [...series.keys()].map((name) => name.replace(/_(?:bucket|sum|count)$/, ""));
  expect(own.filter((name) => name.startsWith("matrix_sip_") && !shown.has(name))).toEqual([]);
});

test("the dashboard's choices read a metric that exists", () => {
  const asked = dashboard.templating.list.flatMap(({ query }) =>
    typeof query === "string" ? [] : [/^label_values\((\w+), \w+\)$/.exec(query.query)?.[1] ?? query.query],
  );
  expect(asked).not.toEqual([]);
  expect(asked.filter((metric) => !series.has(metric))).toEqual([]);
});

test("no panel covers another one", () => {
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)},${y + Math.floor(at / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
});

describe.for(rules)("$alert", ({ labels, annotations }) => {
  it("says how grave it is, what is wrong, and where to read on", () => {
    expect(["critical", "warning"]).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    const [page = "", anchor = ""] = (annotations.runbook ?? "").split("#");
    const headings = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, text = ""]) =>
      text
        .toLowerCase()
        .replaceAll(/[^a-z0-9 -]/g, "")
        .replaceAll(" ", "-"),
    );
    expect(headings).toContain(anchor);
  });
});
