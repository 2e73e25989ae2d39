// The test telephone's page: bundled once by vite, kept in .cache until its sources change, and
// served on localhost, where a browser allows a microphone.
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, readdir, readFile, rename, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { dirname, extname, join, normalize, resolve } from "node:path";
import { build } from "vite";
import { listen } from "../../../../dev/loopback/listen.ts";
import { CACHE } from "../../setup/versions.ts";

const PAGE = resolve(import.meta.dirname, "../../page");
const REPOSITORY = resolve(import.meta.dirname, "../../../..");
// Not import.meta.resolve: the global setup, which is loaded in another way, has none.
const require = createRequire(import.meta.url);
/** The real Element Call; it is served for each mode, `compatibility` and `matrix_2_0`, in a folder of that name. */
const ELEMENT_CALL = join(dirname(require.resolve("@element-hq/element-call-embedded/package.json")), "dist");
const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
  ".css": "text/css",
  ".json": "application/json",
};

/** One digest over all that the bundle is made of: our sources and the versions of the packages. */
async function fingerprint(): Promise<string> {
  const entries = await readdir(PAGE, { recursive: true, withFileTypes: true });
  const own = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const hash = createHash("sha256");
  for (const file of [
    ...own.toSorted(),
    join(REPOSITORY, "dev/audio/goertzel.ts"),
    join(REPOSITORY, "package-lock.json"),
  ]) {
    hash.update(await readFile(file));
  }
  return hash.digest("hex").slice(0, 16);
}

let bundled: Promise<string> | undefined;

/** The folder of the bundled page. */
export const bundlePage = (): Promise<string> => (bundled ??= bundle());

async function bundle(): Promise<string> {
  const folder = join(CACHE, `e2e-page-${await fingerprint()}`);
  try {
    await access(folder);
    return folder;
  } catch {
    // not bundled yet
  }
  const unfinished = `${folder}.${process.pid}`;
  await build({
    root: PAGE,
    configFile: false,
    base: "./",
    logLevel: "warn",
    build: { outDir: unfinished, emptyOutDir: true, minify: false, target: "esnext", chunkSizeWarningLimit: 10_000 },
  });
  await rename(unfinished, folder);
  const old = (await readdir(CACHE)).filter((name) => name.startsWith("e2e-page-"));
  for (const name of old)
    if (join(CACHE, name) !== folder) await rm(join(CACHE, name), { recursive: true, force: true });
  return folder;
}

/** Serves a folder; the address ends with a slash. */
export async function servePage(folder: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((request, response) => {
    const path = normalize(decodeURIComponent(new URL(request.url ?? "/", "http://localhost").pathname));
    const [, mode, rest] = /^\/element-call\/(\w+)\/(.+)$/.exec(path) ?? [];
    if (rest === "config.json") {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ matrix_rtc_mode: mode }));
      return;
    }
    const file = rest === undefined ? join(folder, path === "/" ? "index.html" : path) : join(ELEMENT_CALL, rest);
    createReadStream(file)
      .on("open", () => response.setHeader("content-type", TYPES[extname(file)] ?? "application/octet-stream"))
      .on("error", () => response.writeHead(404).end())
      .pipe(response);
  });
  const port = await listen(server);
  return {
    url: `http://localhost:${port}/`,
    async stop() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}
