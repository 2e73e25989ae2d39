// The console as files: one page, one script, one style sheet, all from the place that serves it.
import { defineConfig } from "vite";

export default defineConfig({
  root: import.meta.dirname,
  base: "./",
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    outDir: "../dist/web",
    emptyOutDir: true,
    target: "es2022",
    // The page's policy forbids data: addresses.
    assetsInlineLimit: 0,
    modulePreload: false,
  },
});
