// Every YAML example of the README and of docs/ is a configuration that the bridge accepts.
import { expect, test } from "vitest";
import { parse } from "yaml";
import { checkConfig } from "../../src/config/checks/checks.ts";
import { explainIssues } from "../../src/config/reading/explain.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { trunkPresets } from "../../src/config/presets/presets.ts";
import { configSchema } from "../../src/config/schema/schema.ts";
import { readYaml } from "../../src/config/reading/yaml-source.ts";
import { blocksIn, pages } from "./pages.ts";

/** Chapters of Synapse's, Dendrite's and Prometheus's configuration, which docs show too. Add what new docs need. */
const OTHER_PROGRAMS = [
  "app_service_api",
  "app_service_config_files",
  "auto_accept_invites",
  "client_api",
  "experimental_features",
  "rc_invites",
  "rc_message",
  "rc_room_creation",
  "rule_files",
  "scrape_configs",
];

const examplesIn = (page: string) => blocksIn(page, /ya?ml/);

const chapters = (text: string): string[] => Object.keys(parse(text) as Record<string, unknown>);
const isOurs = (chapter: string): boolean => Object.hasOwn(configSchema.shape, chapter);

const examples = pages.flatMap(examplesIn);

/** What is wrong with the example, once the chapters that it leaves out are those of the smallest configuration. */
const faults = (text: string): string[] => {
  const config = { ...(parse(minimalConfig) as object), ...(parse(text) as object) };
  const parsed = configSchema.safeParse(config);
  const problems = parsed.success ? [...checkConfig(parsed.data)] : explainIssues(parsed.error.issues, readYaml(text));
  return problems.map(({ path, message }) => `${path.join(".")} ${message}`);
};

test.for(examples.filter(({ text }) => chapters(text).some(isOurs)))("$where is accepted", ({ text }) => {
  expect(faults(text)).toEqual([]);
});

test("every other YAML example is of a program that is known", () => {
  const others = examples.filter(({ text }) => !chapters(text).some(isOurs));
  const strange = others.flatMap(({ where, text }) =>
    chapters(text).flatMap((chapter) => (OTHER_PROGRAMS.includes(chapter) ? [] : [`${where}: ${chapter}`])),
  );
  expect(strange).toEqual([]);
});

test("every page about a preset, and those with larger examples, show trunks", () => {
  const shown = [...trunkPresets.map(({ id }) => id), "index", "asterisk-examples", "other-systems"];
  const without = shown.filter((name) =>
    examplesIn(`docs/trunks/${name}.md`).every(({ text }) => !chapters(text).includes("trunks")),
  );
  expect(without).toEqual([]);
});
