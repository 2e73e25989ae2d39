import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { generatedFiles } from "../../dev/generate.ts";
import { parseConfig } from "../../src/config/load.ts";
import { configJsonSchema, type SchemaNode } from "../../src/config/reading/reference.ts";
import { sampleConfig } from "../../dev/config/sample.ts";
import { toPolicy } from "../../src/config/mapping/mapping.ts";

const files = generatedFiles();

test.each([...files.keys()])("%s is what `npm run generate` writes now", (path) => {
  expect(readFileSync(new URL(`../../${path}`, import.meta.url), "utf8")).toBe(files.get(path));
});

describe("the sample", () => {
  const sources = { configPath: "config.sample.yaml", env: {} };
  test("is a good configuration as it is", () => {
    const config = parseConfig(sampleConfig(), sources);
    expect(toPolicy(config).permissions.get("example.org")?.mayCall).toBe(true);
  });
  test("stays one when every setting in it is taken", () => {
    const all = sampleConfig()
      .replaceAll(/^( *)#(?=[^ \n])/gm, "$1")
      .replaceAll(/^ *\w+_file: .*\n/gm, "");
    expect(all).toContain("\n    credentials:\n");
    const config = parseConfig(all, sources);
    expect(config.trunks[0]?.identity.numbers).toEqual({ "@alice:example.org": "+441632960123" });
    expect(config.media.ice.servers).toHaveLength(1);
    expect(config.dial_plan.routes).toHaveLength(1);
    expect(config.inbound.numbers).toHaveLength(4);
  });
  test("has every number and pattern in quotes, so that what is put in their place stays a text", () => {
    expect(sampleConfig()).toContain('pattern: "+4416329602XX"');
    expect(sampleConfig()).not.toMatch(/^ *#? ?(?:- )?\w+: \+/m);
  });
  test("shows every key there is", () => {
    const text = sampleConfig();
    for (const key of keysOf(configJsonSchema())) expect(text).toMatch(new RegExp(`^ *#? ?(?:- )?${key}:`, "m"));
  });
});

test("every key is explained", () => {
  const unexplained: string[] = [];
  const look = (node: SchemaNode, path: string): void => {
    for (const [key, child] of Object.entries(node.properties ?? {})) {
      if (child.description === undefined) unexplained.push(`${path}.${key}`);
      look(child, `${path}.${key}`);
      if (child.items) look(child.items, `${path}.${key}[]`);
    }
  };
  look(configJsonSchema(), "");
  expect(unexplained).toEqual([]);
});

function keysOf(node: SchemaNode): string[] {
  const children = Object.entries(node.properties ?? {});
  const below = [...children.map(([, child]) => child), node.items, ...(node.anyOf ?? [])];
  const further = typeof node.additionalProperties === "object" ? [node.additionalProperties] : [];
  return [...children.map(([key]) => key), ...[...below, ...further].flatMap((child) => (child ? keysOf(child) : []))];
}
