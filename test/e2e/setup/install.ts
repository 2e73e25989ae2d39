// Brings the real parts onto a Debian machine: packages by apt, Synapse by pip and Dendrite by Go into .cache.
// What is there already is left alone, so that a second run costs a few file look-ups.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installDendrite } from "./dendrite.ts";
import { InstallError, installPackages, lastLine } from "./packages.ts";
import { CACHE, NEEDED, SYNAPSE_VENV, SYNAPSE_VERSION } from "./versions.ts";

const run = promisify(execFile);

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
  await installDendrite();
}
