// Compiles programs by the Go module proxy, with a Go that is new enough: the machine's own, or one that the old one fetches.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { InstallError, installPackages, lastLine } from "./packages.ts";
import { DENDRITE, DENDRITE_VERSION, GO_TOOLCHAIN, LIVEKIT, LIVEKIT_VERSION } from "./versions.ts";

const run = promisify(execFile);
const places = ["go", "/usr/local/go/bin/go", "/usr/bin/go"];
/** The first Go that fetches another one as a module. */
const leastFetching = 21;

interface GoProgram {
  readonly name: string;
  /** Of its command, with the version. */
  readonly module: string;
  readonly program: string;
  /** The first Go that its modules are written for: 1.`leastMinor`. */
  readonly leastMinor: number;
}

const PROGRAMS: readonly GoProgram[] = [
  {
    name: `Dendrite ${DENDRITE_VERSION}`,
    module: `github.com/matrix-org/dendrite/cmd/dendrite@v${DENDRITE_VERSION}`,
    program: DENDRITE,
    leastMinor: 21,
  },
  {
    name: `LiveKit ${LIVEKIT_VERSION}`,
    module: `github.com/livekit/livekit-server/cmd/server@v${LIVEKIT_VERSION}`,
    program: LIVEKIT,
    leastMinor: 26,
  },
];

/** 1.`minor`; undefined where there is none. */
async function minorOf(go: string): Promise<number | undefined> {
  try {
    const { stdout } = await run(go, ["version"], { env: { ...process.env, GOTOOLCHAIN: "local" } });
    return Number(/go1\.(\d+)/.exec(stdout)?.[1] ?? 0);
  } catch {
    return undefined;
  }
}

async function findGo(leastMinor: number, folder: string): Promise<string> {
  let old: string | undefined;
  for (const go of places) {
    const minor = await minorOf(go);
    if (minor !== undefined && minor >= leastMinor) return go;
    if (minor !== undefined) old ??= go;
  }
  if (old === undefined) {
    await installPackages(["golang-go"]);
    old = "/usr/bin/go";
    if (((await minorOf(old)) ?? 0) >= Math.max(leastMinor, leastFetching)) return old;
  }
  return fetchToolchain(old, folder);
}

/** Go is a module too. A Go that does not know so leaves the files as they come, which cannot be run. */
async function fetchToolchain(go: string, folder: string): Promise<string> {
  const machine = process.arch === "arm64" ? "arm64" : "amd64";
  const module = `golang.org/toolchain@v0.0.1-${GO_TOOLCHAIN}.linux-${machine}`;
  const { stdout } = await run(go, ["mod", "download", "-modcacherw", "-json", module], { cwd: dirname(folder) });
  const { Dir: fetched } = JSON.parse(stdout) as { Dir: string };
  for (const programs of [join(fetched, "bin"), join(fetched, "pkg", "tool", `linux_${machine}`)]) {
    for (const name of await readdir(programs)) await chmod(join(programs, name), 0o755);
  }
  return join(fetched, "bin", "go");
}

async function compile({ name, module, program, leastMinor }: GoProgram): Promise<void> {
  if (existsSync(program)) return;
  console.log(`compiling ${name}`);
  const folder = dirname(program);
  try {
    await mkdir(folder, { recursive: true });
    const go = await findGo(leastMinor, folder);
    await run(go, ["install", module], {
      // Without a C compiler Dendrite's SQLite is the one in Go.
      env: { ...process.env, GOBIN: folder, GOTOOLCHAIN: "local", CGO_ENABLED: "0" },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    if (error instanceof InstallError) throw error;
    throw new InstallError("go", `Go could not compile ${name}: ${lastLine(error)}`, { cause: error });
  }
}

/** @throws {InstallError} */
export async function installGoPrograms(): Promise<void> {
  for (const program of PROGRAMS) await compile(program);
}
