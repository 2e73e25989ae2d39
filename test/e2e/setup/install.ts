// Brings the real parts onto a Debian machine: packages by apt; Synapse and pjsua2 by pip, Dendrite and LiveKit by Go, into .cache.
// What is there already is left alone, so that a second run costs a few file look-ups.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { installGoPrograms } from "./go.ts";
import { InstallError, installPackages, lastLine } from "./packages.ts";
import {
  CACHE,
  NEEDED,
  PESQ_VENV,
  PESQ_VERSION,
  PJSUA2_VENV,
  PJSUA2_VERSION,
  SCHEMATHESIS_VENV,
  SCHEMATHESIS_VERSION,
  SYNAPSE_VENV,
  SYNAPSE_VERSION,
} from "./versions.ts";

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

/** Python packages of PyPI in a virtual environment of their own. */
interface PythonPart {
  readonly name: string;
  readonly requirements: readonly string[];
  readonly venv: string;
  /** The package has no wheel. */
  readonly compiled?: string;
}

const PYTHON_PARTS: readonly PythonPart[] = [
  { name: `Synapse ${SYNAPSE_VERSION}`, requirements: [`matrix-synapse==${SYNAPSE_VERSION}`], venv: SYNAPSE_VENV },
  { name: `pjsua2 ${PJSUA2_VERSION}`, requirements: [`pjsua2-python==${PJSUA2_VERSION}`], venv: PJSUA2_VENV },
  {
    name: `PESQ ${PESQ_VERSION}`,
    requirements: [`pesq==${PESQ_VERSION}`, "numpy==2.4.6"],
    venv: PESQ_VENV,
    compiled: "pesq",
  },
];

/** Only one test needs it, and brings it. */
const SCHEMATHESIS: PythonPart = {
  name: `schemathesis ${SCHEMATHESIS_VERSION}`,
  requirements: [`schemathesis==${SCHEMATHESIS_VERSION}`],
  venv: SCHEMATHESIS_VENV,
};

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

async function installPythonPart({ name, requirements, venv, compiled }: PythonPart): Promise<void> {
  const marker = join(venv, ".complete");
  if (existsSync(marker)) return;
  const python = await pythonWithVenv();
  console.log(`installing ${name}`);
  try {
    await rm(venv, { recursive: true, force: true });
    await mkdir(CACHE, { recursive: true });
    await run(python, ["-m", "venv", venv]);
    const pip = join(venv, "bin", "pip");
    // Wheels, except of what has none: to compile a large one takes minutes.
    const flags = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"];
    const sources = compiled === undefined ? [] : ["--no-binary", compiled];
    await run(pip, ["install", ...flags, ...sources, ...requirements], { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    throw new InstallError("pip", `pip could not install ${name}: ${lastLine(error)}`, { cause: error });
  }
  await writeFile(marker, `${requirements.join("\n")}\n`);
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

/** @throws {InstallError} */
export function installSchemathesis(): Promise<void> {
  return installPythonPart(SCHEMATHESIS);
}
