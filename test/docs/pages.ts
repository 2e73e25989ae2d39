// The pages that people read, as the tests of docs see them.
import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

export const root = resolve(import.meta.dirname, "../..");

export const textOf = (page: string): string => readFileSync(join(root, page), "utf8");

const pagesBelow = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join(folder, name));

const atTheTop = readdirSync(root).filter((name) => name.endsWith(".md"));

/** All of them, by path from the top of the repository. */
export const pages: readonly string[] = [...atTheTop, ...pagesBelow("docs")].toSorted();

interface Block {
  /** `file:line` */
  readonly where: string;
  readonly text: string;
}

/** The fenced blocks of a page in one of these languages, without their indent. */
export const blocksIn = (page: string, language: RegExp): readonly Block[] => {
  const markdown = textOf(page);
  return [...markdown.matchAll(new RegExp(`^( *)\`\`\`(?:${language.source})\\n([\\s\\S]*?)^ *\`\`\`$`, "gm"))].map(
    ({ index, 1: indent = "", 2: text = "" }) => ({
      where: `${page}:${markdown.slice(0, index).split("\n").length}`,
      text: text.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
    }),
  );
};
