// The page as files, built once per state of its sources.
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, readdir, rename, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "vite";

const page = join(import.meta.dirname, "page");
const root = resolve(import.meta.dirname, "../..");
const cache = join(root, ".cache", "softphone");

/** Builds into `.cache/softphone` unless these sources were built before; gives the folder. */
export async function buildSoftphone(): Promise<string> {
  const folder = join(cache, await fingerprint());
  if (existsSync(folder)) return folder;
  // Built aside and moved into place whole: two at once, or one that was stopped, do no harm.
  const unfinished = join(cache, `unfinished-${randomBytes(6).toString("hex")}`);
  try {
    await build({
      root: page,
      configFile: false,
      logLevel: "error",
      build: {
        outDir: unfinished,
        emptyOutDir: true,
        target: "es2022",
        chunkSizeWarningLimit: 4000,
        rolldownOptions: {
          // Only loaded by encryption and QR sign-in, of which this page has neither.
          external: ["@matrix-org/matrix-sdk-crypto-wasm"],
        },
      },
    });
    await rename(unfinished, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/** Of everything the result depends on: sources, this file, the versions of what it bundles. */
async function fingerprint(): Promise<string> {
  const hash = createHash("sha256");
  const sources = (await readdir(page)).toSorted().map((name) => join(page, name));
  const versions = ["matrix-js-sdk", "vite"].map((name) => join(root, "node_modules", name, "package.json"));
  for (const file of [...sources, ...versions, import.meta.filename]) hash.update(await readFile(file)).update("\0");
  return hash.digest("hex").slice(0, 16);
}
