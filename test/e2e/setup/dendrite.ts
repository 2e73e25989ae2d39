// Compiles Dendrite by the Go module proxy, with a Go that is new enough: the machine's own, or one that the old one fetches.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { InstallError, installPackages, lastLine } from "./packages.ts";
import { DENDRITE, DENDRITE_VERSION, GO_TOOLCHAIN } from "./versions.ts";

const run = promisify(execFile);
const places = ["go", "/usr/local/go/bin/go", "/usr/bin/go"];
/** The first Go that Dendrite's modules are written for. */
const leastMinor = 21;

/** 1.`minor`; undefined where there is none. */
async function minorOf(go: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(go, ["version"], { env: { ...process.env, GOTOOLCHAIN: "local" } });
    return Number(/go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  } catch {
    return undefined;
  }
}

async function findGo(): Promise<string> {
  let old: string | undefined;
  for (const go of places) {
    const minor = await minorOf(go);
    if (minor !== undefined && minor >= leastMinor) return go;
    if (minor !== undefined) old ??= go;
  }
  if (old === undefined) {
    await installPackages(["golang-go"]);
    old = "/usr/bin/go";
    if (((await minorOf(old)) ?? 0) >= leastMinor) return old;
  }
  return fetchToolchain(old);
}

/** Go is a module too. A Go that does not know so leaves the files as they come, which cannot be run. */
async function fetchToolchain(go: string): Promise<string> {
  const machine = process.arch === "arm64" ? "arm64" : "amd64";
  const module = `golang.org/toolchain@v0.0.1-${GO_TOOLCHAIN}.linux-${machine}`;
  const { stdout } = await run(go, ["mod", "download", "-modcacherw", "-json", module], {
    cwd: dirname(dirname(DENDRITE)),
  });
  const { Dir: folder } = JSON.parse(stdout) as { Dir: string };
  for (const programs of [join(folder, "bin"), join(folder, "pkg", "tool", `linux_${machine}`)]) {
    for (const name of await readdir(programs)) await chmod(join(programs, name), 0o755);
  }
  return join(folder, "bin", "go");
}

/** @throws {InstallError} */
export async function installDendrite(): Promise<void> {
  if (existsSync(DENDRITE)) return;
  console.log(`compiling Dendrite ${DENDRITE_VERSION}`);
  const folder = dirname(DENDRITE);
  try {
    await mkdir(folder, { recursive: true });
    const go = await findGo();
    await run(go, ["install", `github.com/matrix-org/dendrite/cmd/dendrite@v${DENDRITE_VERSION}`], {
      // Without a C compiler its SQLite is the one in Go.
      env: { ...process.env, GOBIN: folder, GOTOOLCHAIN: "local", CGO_ENABLED: "0" },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    if (error instanceof InstallError) throw error;
    throw new InstallError("go", `Go could not compile Dendrite ${DENDRITE_VERSION}: ${lastLine(error)}`, {
      cause: error,
    });
  }
}
