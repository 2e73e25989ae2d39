// The site is built of docs/ without a link that leads nowhere (the build fails on one), and needs nothing from other hosts.
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { pages, root } from "../../docs/pages.ts";

const folder = mkdtempSync(join(tmpdir(), "site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const built = (extension: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(extension));
const read = (name: string): string => readFileSync(join(folder, name), "utf8");

beforeAll(async () => {
  const program = join(root, "node_modules/vitepress/bin/vitepress.js");
  await promisify(execFile)(process.execPath, [program, "build", "docs", "--outDir", folder], { cwd: root });
}, 240_000);

test("every page is there, and finds its pictures", () => {
  const expected = pages.filter((page) => page.startsWith("docs/")).map((page) => page.slice(5).replace(/md$/, "html"));
  expect(built(".html").toSorted()).toEqual([...expected, "404.html"].toSorted());
  const pictures = built(".html").flatMap((page) =>
    [...read(page).matchAll(/<img src="([^"]+)"/g)].map(([, source = ""]) => source),
  );
  expect(pictures.length).toBeGreaterThan(2);
  // Small ones are in the page itself.
  const files = pictures.filter((source) => !source.startsWith("data:"));
  expect(files.filter((source) => !existsSync(join(folder, source)))).toEqual([]);
});

test("no page loads anything from another host", () => {
  const loaded = built(".html").flatMap((page) =>
    [...read(page).matchAll(/<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)="([^"]+)"/g)].map(
      ([, source = ""]) => source,
    ),
  );
  expect(loaded.length).toBeGreaterThan(100);
  expect(loaded.filter((source) => !/^(?:\/(?!\/)|data:image\/)/.test(source))).toEqual([]);
  const styles = built(".css").map(read).join("\n");
  expect(styles.match(/(?:@import|url\()\s*["']?(?:https?:)?\/\/[^)"']+/g)).toBeNull();
});

test("links to files of the project, which are not on the site, are words", () => {
  const quickStart = read("quick-start.html");
  expect(quickStart).toContain("the unit for systemd");
  expect(quickStart).not.toMatch(/href="[^"]*matrix-appservice-sip\.service/);
});

test("the pages can be searched without a server", () => {
  expect(built(".js").some((name) => name.includes("localSearchIndex"))).toBe(true);
});
