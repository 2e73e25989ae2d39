// Every link between the README, docs/ and other files of the project leads somewhere, to a heading too; and so does every
// path of a page that the software names.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { anchorOf } from "../../dev/docs/anchors.ts";
import { chapters } from "../../dev/docs/chapters.ts";
import { pages, root, textOf } from "./pages.ts";

const proseOf = (page: string): string => textOf(page).replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");

const anchorsIn = (page: string): string[] =>
  [...proseOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) => anchorOf(heading));

/** Where nothing is. */
const leadsNowhere = (from: string, link: string): boolean => {
  const [path = "", anchor] = link.split("#");
  const target = path === "" ? from : join(dirname(from), path);
  if (!existsSync(join(root, target))) return true;
  return anchor !== undefined && target.endsWith(".md") && !anchorsIn(target).includes(anchor);
};

test.for(pages)("%s has no link that leads nowhere", (page) => {
  const links = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  expect(links.filter((link) => !/^[a-z]+:/.test(link) && leadsNowhere(page, link))).toEqual([]);
});

test("every picture has words for those who cannot see it, and says the same inside", () => {
  const pictures = pages.flatMap((page) =>
    [...proseOf(page).matchAll(/!\[([^\]]*)\]\(([^)]+)\)/g)].map(([, words = "", path = ""]) => ({
      words,
      path: join(dirname(page), path),
    })),
  );
  expect(pictures.length).toBeGreaterThan(0);
  for (const { words, path } of pictures.filter((picture) => picture.path.endsWith(".svg")))
    expect(textOf(path), path).toContain(`<desc id="desc">${words}</desc>`);
  expect(pictures.filter(({ words }) => words.length < 20)).toEqual([]);
});

test("every page of docs/ that the software, its settings and its files name is there", () => {
  const files = ["src", "deploy", "config", "dev", "Dockerfile"].flatMap((place) =>
    place === "Dockerfile"
      ? [place]
      : readdirSync(join(root, place), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile() && /\.(?:ts|mjs|yaml|yml|json|sh|service|conf|md)$/.test(entry.name))
          .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1)),
  );
  const named = files.flatMap((file) =>
    [...readFileSync(join(root, file), "utf8").matchAll(/\bdocs\/[\w/-]+\.md(?:#[\w-]+)?/g)].map(([path]) => ({
      file,
      path,
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  // The generator of a page per preset names them all at once.
  const absent = named.filter(({ path }) => path !== "docs/trunks/ID.md" && leadsNowhere("README.md", path));
  expect(absent).toEqual([]);
});

test("the site lists every page", () => {
  const listed = new Set(chapters.flatMap((chapter) => chapter.pages).map((page) => `docs/${page}`));
  const missing = pages.filter((page) => /^docs\/(?!index\.md|decisions\/)/.test(page) && !listed.has(page));
  expect(missing).toEqual([]);
});
