// Brings the real parts onto a Debian machine: packages by apt; Synapse and pjsua2 by pip, Dendrite and LiveKit by Go, into .cache.
// What is there already is left alone, so that a second run costs a few file look-ups.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installGoPrograms } from "./go.ts";
import { InstallError, installPackages, lastLine } from "./packages.ts";
import { CACHE, NEEDED, PJSUA2_VENV, PJSUA2_VERSION, SYNAPSE_VENV, SYNAPSE_VERSION } from "./versions.ts";

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

/** A Python package of PyPI in a virtual environment of its own. */
interface PythonPart {
  readonly name: string;
  readonly requirement: string;
  readonly venv: string;
}

const PYTHON_PARTS: readonly PythonPart[] = [
  { name: `Synapse ${SYNAPSE_VERSION}`, requirement: `matrix-synapse==${SYNAPSE_VERSION}`, venv: SYNAPSE_VENV },
  { name: `pjsua2 ${PJSUA2_VERSION}`, requirement: `pjsua2-python==${PJSUA2_VERSION}`, venv: PJSUA2_VENV },
];

async function pythonWithVenv(): Promise<string> {
  let python = await findPython();
  if (python === undefined) {
    await installPackages(["python3", "python3-venv"]);
    python = await findPython();
  }
  if (python === undefined) {
    throw new InstallError("no_python", "no python3 with the venv module, though python3-venv is installed");
  }
  return python;
}

async function installPythonPart({ name, requirement, venv }: PythonPart): Promise<void> {
  const marker = join(venv, ".complete");
  if (existsSync(marker)) return;
  const python = await pythonWithVenv();
  console.log(`installing ${name}`);
  try {
    await rm(venv, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    await run(python, ["-m", "venv", venv]);
    const pip = join(venv, "bin", "pip");
    // Wheels only: a bare machine has no compiler, and building one would take its minutes.
    const flags = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
    await run(pip, ["install", ...flags, requirement], { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new InstallError("pip", `pip could not install ${name}: ${lastLine(error)}`, { cause: error });
  }
  await writeFile(marker, `${requirement}\n`);
}

/**
 * All parts, installed where they are missing.
 * @throws {InstallError} with one line that says what failed
 */
export async function install(): Promise<void> {
  const missing = Object.entries(NEEDED).filter(([file]) => !existsSync(file));
  await installPackages([...new Set(missing.map(([, name]) => name))]);
  for (const part of PYTHON_PARTS) await installPythonPart(part);
  await installGoPrograms();
}
