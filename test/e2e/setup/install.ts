// Brings the real parts onto a Debian machine: packages by apt, Synapse by pip into .cache.
// What is there already is left alone, so that a second run costs a few file look-ups.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { CACHE, NEEDED, SYNAPSE_VENV, SYNAPSE_VERSION } from "./versions.ts";

const run = promisify(execFile);
const APT = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "-qq"];

export class InstallError extends Error {
  readonly code: "no_apt" | "apt" | "no_python" | "pip";
  constructor(code: InstallError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InstallError";
    this.code = code;
  }
}

/** The last line a failed command wrote to its error output, or its message. */
const lastLine = (error: unknown): string => {
  const text = error instanceof Error && "stderr" in error ? String(error.stderr) : "";
  return text.trim().split("\n").at(-1) || String(error);
};

async function apt(...args: string[]): Promise<void> {
  const command = process.getuid?.() === 0 ? "apt-get" : "sudo";
  const all = command === "sudo" ? ["-n", "apt-get", ...APT, ...args] : [...APT, ...args];
  await run(command, all, {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    maxBuffer: 64 * 1024 * 1024,
  });
}

async function installPackages(packages: readonly string[]): Promise<void> {
  if (packages.length === 0) return;
  const list = packages.join(" ");
  if (!existsSync("/usr/bin/apt-get")) {
    throw new InstallError(
      "no_apt",
      `the end-to-end tests need ${list}, and this machine has no apt-get to bring them`,
    );
  }
  console.log(`installing ${list}`);
  try {
    await apt("update");
    // A package left half-configured by a broken run would fail every later one.
    await apt("install", "-y", "--no-install-recommends", ...packages);
  } catch (error) {
    throw new InstallError("apt", `apt-get could not install ${list}: ${lastLine(error)}`, { cause: error });
  }
}

/** A Python whose `venv` module can make an environment with pip; the first that is able. */
async function findPython(): Promise<string | undefined> {
  for (const python of ["python3", "/usr/bin/python3"]) {
    try {
      await run(python, ["-c", "import venv, ensurepip"]);
      return python;
    } catch {
      // not there, or without venv: try the next
    }
  }
  return undefined;
}

async function installSynapse(): Promise<void> {
  const marker = join(SYNAPSE_VENV, ".complete");
  if (existsSync(marker)) return;
  let python = await findPython();
  if (python === undefined) {
    await installPackages(["python3", "python3-venv"]);
    python = await findPython();
  }
  if (python === undefined) {
    throw new InstallError("no_python", "no python3 with the venv module, though python3-venv is installed");
  }
  console.log(`installing Synapse ${SYNAPSE_VERSION}`);
  try {
    await rm(SYNAPSE_VENV, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    await run(python, ["-m", "venv", SYNAPSE_VENV]);
    const pip = join(SYNAPSE_VENV, "bin", "pip");
    // Wheels only: a bare machine has no compiler, and building one would take its minutes.
    const flags = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
    await run(pip, ["install", ...flags, `matrix-synapse==${SYNAPSE_VERSION}`], {
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (error) {
    throw new InstallError("pip", `pip could not install Synapse ${SYNAPSE_VERSION}: ${lastLine(error)}`, {
      cause: error,
    });
  }
  await writeFile(marker, `${SYNAPSE_VERSION}\n`);
}

/**
 * All parts, installed where they are missing.
 * @throws {InstallError} with one line that says what failed
 */
export async function install(): Promise<void> {
  const missing = Object.entries(NEEDED).filter(([file]) => !existsSync(file));
  await installPackages([...new Set(missing.map(([, name]) => name))]);
  await installSynapse();
}
