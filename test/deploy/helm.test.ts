// The Helm chart as far as it goes without Helm: its values against their schema and the bridge's own loader, and the names in
// its templates. No test renders the templates.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import * as z from "zod";
import { adviseOn } from "../../src/config/checks/advice.ts";
import { parseConfig } from "../../src/config/load.ts";

const root = join(import.meta.dirname, "../..");
const chart = join(root, "deploy/helm/matrix-appservice-sip");
const textOf = (path: string): string => readFileSync(join(chart, path), "utf8");

type Values = Readonly<Record<string, unknown>>;
const isSection = (value: unknown): value is Values =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** As Helm lays one file of values over another. */
const over = (below: Values, above: Values): Values => {
  const merged: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) {
    const former = merged[key];
    merged[key] = isSection(former) && isSection(value) ? over(former, value) : value;
  }
  return merged;
};

const defaults = parse(textOf("values.yaml")) as Values;
const example = over(defaults, parse(textOf("ci/example-values.yaml")) as Values);
const schema = z.fromJSONSchema(JSON.parse(textOf("values.schema.json")) as Parameters<typeof z.fromJSONSchema>[0]);
const templates = readdirSync(join(chart, "templates")).map((name) => [name, textOf(`templates/${name}`)] as const);

/** As the ConfigMap gives it to the bridge. */
const load = (values: Values, env: Readonly<Record<string, string>>) =>
  parseConfig(stringify(values["config"]), { configPath: "/etc/matrix-appservice-sip/config.yaml", env });

const secrets = {
  MATRIX_SIP_TRUNK_MAIN_PASSWORD: "password",
  MATRIX_SIP_ADMIN_TOKEN: "a-token-of-the-admin-who-reads-metrics",
};

describe("the values", () => {
  it("of the example pass the schema, and the bridge takes their configuration without a warning", () => {
    expect(schema.safeParse(example).error?.issues ?? []).toEqual([]);
    const config = load(example, secrets);
    expect(adviseOn(config)).toEqual([]);
    expect([config.appservice.listen.host, config.http.listen.host]).toEqual(["0.0.0.0", "0.0.0.0"]);
  });

  it("let nobody call by default, and name no trunk", () => {
    expect(Object.keys(defaults["config"] as Values).toSorted()).toEqual(["appservice", "http"]);
    expect(schema.safeParse(defaults).success).toBe(false);
  });

  it.each([
    ["a mistyped setting of the bridge", { config: { homesrever: {} } }],
    ["a trunk without a server", { config: { trunks: [{ name: "main" }] } }],
    ["a mistyped value of the chart", { hostNetworks: true }],
    ["a number of replicas, because there is one bridge", { replicaCount: 2 }],
    ["a wrong kind of Service", { service: { type: "Ingress" } }],
  ])("refuse %s", (_, wrong) => {
    expect(schema.safeParse(over(example, wrong)).success).toBe(false);
  });
});

/** `.Values.image.tag`; below `.Values.config` everything is the bridge's. */
const pathsIn = (text: string): string[] =>
  [...text.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path = ""]) => path.replace(/^config\..*/, "config"));

const leavesOf = (values: Values, path = ""): string[] =>
  Object.entries(values).flatMap(([key, value]) => {
    const here = `${path}${key}`;
    return isSection(value) && Object.keys(value).length > 0 && here !== "config" && here !== "resources"
      ? leavesOf(value, `${here}.`)
      : [here];
  });

describe("the templates", () => {
  it("use every value, and none that is not there", () => {
    const used = new Set(templates.flatMap(([, text]) => pathsIn(text)));
    expect([...used].toSorted()).toEqual(leavesOf(defaults).toSorted());
  });

  it.each(templates)("%s: closes what it opens, and includes what is defined", (_, text) => {
    expect(text.match(/\{\{/g)?.length).toBe(text.match(/\}\}/g)?.length);
    const blocks = text.match(/\{\{-? *(?:if|with|range|define)\b/g)?.length ?? 0;
    expect(text.match(/\{\{-? *end *-?\}\}/g)?.length ?? 0).toBe(blocks);
    const defined = [...textOf("templates/_helpers.tpl").matchAll(/define "([^"]+)"/g)].map(([, name]) => name);
    const included = [...text.matchAll(/include "([^"]+)"/g)].map(([, name]) => name);
    expect(included.filter((name) => !defined.includes(name))).toEqual([]);
  });

  it("give the bridge the ports, paths and time that it has by default", () => {
    const helpers = textOf("templates/_helpers.tpl");
    const { appservice, http, shutdown } = load(example, secrets);
    expect(helpers).toContain(`dig "appservice" "listen" "port" ${appservice.listen.port} `);
    expect(helpers).toContain(`dig "http" "listen" "port" ${http.listen.port} `);
    expect(shutdown.drain_seconds).toBe(300);
    const deployment = textOf("templates/deployment.yaml");
    expect(deployment).toContain('add 15 (int (dig "shutdown" "drain_seconds" 0 .Values.config))');
    for (const path of ["/health", "/ready"]) expect(deployment).toContain(`path: ${path}, port: http`);
  });

  it("run one bridge, not as root, that writes nowhere but into its volumes", () => {
    const deployment = textOf("templates/deployment.yaml");
    for (const line of ["replicas: 1", "type: Recreate", "runAsNonRoot: true", "readOnlyRootFilesystem: true"])
      expect(deployment).toContain(line);
  });
});

it("the chart installs the bridge's present version", () => {
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string };
  expect(parse(textOf("Chart.yaml"))).toMatchObject({ name: "matrix-appservice-sip", version, appVersion: version });
});
