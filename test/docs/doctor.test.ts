// Each link that the doctor looks at has a section in docs/troubleshooting.md, and no section is about another.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { checkIds } from "../../src/cli/doctor/catalogue.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/troubleshooting.md"), "utf8");

test("the page has one heading for each link, in the doctor's order", () => {
  expect([...page.matchAll(/^### (.*)$/gm)].map(([, heading]) => heading)).toEqual(checkIds);
});
