// The site that `npm run docs:build` makes of docs/. Links and anchors work there as they do where the pages are read as files.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { defineConfig } from "vitepress";
import { anchorOf } from "../../dev/docs/anchors.ts";
import { chapters } from "../../dev/docs/chapters.ts";

const docs = resolve(import.meta.dirname, "..");

/** Where the project's files can be read, such as https://example.org/project/blob/main. Without it they are named, not linked. */
const filesUrl = process.env["DOCS_FILES_URL"]?.replace(/\/$/, "");

const titleOf = (page: string): string => /^# (.*)$/m.exec(readFileSync(join(docs, page), "utf8"))?.[1] ?? page;
const linkTo = (page: string) => ({ text: titleOf(page), link: `/${page.replace(/(?:index)?\.md$/, "")}` });
const decisions = readdirSync(join(docs, "decisions"))
  .filter((name) => name.endsWith(".md"))
  .map((name) => `decisions/${name}`);

export default defineConfig({
  title: "matrix-appservice-sip",
  description: "A bridge between Matrix and the telephone network",
  lang: "en-GB",
  outDir: resolve(docs, "../site"),
  cacheDir: resolve(docs, "../.cache/vitepress"),
  // On a telephone, pictures keep a size at which their words can be read, and are moved sideways.
  head: [["style", {}, ".vp-doc p:has(> img) { overflow-x: auto } .vp-doc p > img { min-width: 620px }"]],
  themeConfig: {
    nav: [linkTo("quick-start.md"), linkTo("trunks/index.md"), linkTo("configuration.md")],
    sidebar: [
      ...chapters.map(({ title, pages, isFolded }) => ({
        text: title,
        ...(isFolded && { collapsed: true }),
        items: pages.filter((page) => existsSync(join(docs, page))).map(linkTo),
      })),
      { text: "Decisions", collapsed: true, items: decisions.map(linkTo) },
    ],
    outline: { level: [2, 3] },
    search: { provider: "local" },
  },
  markdown: {
    // What looks like HTML in a page is meant to be read.
    html: false,
    anchor: { slugify: anchorOf },
    config(markdown) {
      markdown.core.ruler.push("files of the project", (state) => {
        const page = String(state.env.relativePath ?? "");
        for (const { children } of state.tokens) {
          for (const token of children ?? []) {
            if (token.type !== "link_open") continue;
            const href = token.attrGet("href") ?? "";
            if (/^(?:[a-z]+:|#)/.test(href) || href === "") continue;
            const path = posix.join("docs", posix.dirname(page), href);
            if (path.startsWith("docs/") && /\.md(?:#|$)/.test(path)) continue;
            // They are not on the site.
            if (filesUrl === undefined) token.tag = "span";
            else token.attrSet("href", `${filesUrl}/${path}`);
            if (filesUrl === undefined) {
              token.attrs = [["title", path]];
              const end = (children ?? [])
                .slice((children ?? []).indexOf(token))
                .find(({ type }) => type === "link_close");
              if (end !== undefined) end.tag = "span";
            }
          }
        }
      });
    },
  },
});
