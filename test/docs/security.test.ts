// SECURITY.md tells what defends the bridge and what shows it: each file that it names is there, and has the tests that it names.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../..");

const text = readFileSync(join(root, "SECURITY.md"), "utf8");

interface Row {
  readonly line: string;
  readonly defence: string;
  readonly test: string;
}

/** The rows of the threat model, without headings. */
const rows = text
  .slice(text.indexOf("## Threat model"))
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| asset "))
  .map((line): Row => {
    const [, , , defence = "", test = "", ...rest] = line.split("|").map((cell) => cell.trim());
    expect(rest, line).toEqual([""]);
    return { line, defence, test };
  });

const linked = (cell: string): string[] => [...cell.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);

test("every file that SECURITY.md names is there", () => {
  const missing = rows.flatMap(({ defence, test: shown }) => [...linked(defence), ...linked(shown)]);
  expect(missing.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});

test("every row names who defends and who shows it, or says that nobody does", () => {
  expect(rows.length).toBeGreaterThan(50);
  for (const { line, defence, test: shown } of rows) {
    const isUndefended = shown.startsWith("not tested: there is no such defence");
    if (!isUndefended) expect(linked(defence), line).toContainEqual(expect.stringMatching(/^src\//));
    if (!/not tested/i.test(shown)) expect(linked(shown), line).toContainEqual(expect.stringMatching(/^test\//));
  }
});

test("every test that SECURITY.md quotes is in the file that it names", () => {
  const quotes = rows.flatMap(({ test: shown }) =>
    shown.split("<br>").flatMap((part) => {
      const [path = ""] = linked(part);
      return [...part.matchAll(/"([^"]+)"/g)].map(([, name = ""]) => ({ path, name }));
    }),
  );
  expect(quotes.length).toBeGreaterThan(100);
  const absent = quotes.filter(({ path, name }) => !readFileSync(join(root, path), "utf8").includes(`"${name}"`));
  expect(absent).toEqual([]);
});
