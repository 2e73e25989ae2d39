// Runs once before all end-to-end tests: the real parts are there, the page is bundled, and there is a folder for the logs.
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { bundlePage } from "../parts/clients/page-server.ts";
import { install } from "./install.ts";
import { InstallError } from "./packages.ts";
import { CACHE } from "./versions.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Where this run keeps its logs. */
    runFolder: string;
  }
}

const RUNS = join(CACHE, "e2e");

const isRunning = (pid: number): boolean => {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/** A folder named after this process; those of runs that are over go. */
async function freshFolder(): Promise<string> {
  await mkdir(RUNS, { recursive: true });
  for (const name of await readdir(RUNS)) {
    if (!isRunning(Number(name))) await rm(join(RUNS, name), { recursive: true, force: true });
  }
  const folder = join(RUNS, `${process.pid}`);
  await mkdir(folder, { recursive: true });
  return folder;
}

export default async function setup(project: TestProject): Promise<void> {
  project.provide("runFolder", await freshFolder());
  try {
    await install();
    // Here, and not by the first files that need it, which would do it twice.
    await bundlePage();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    // One line says it all; a stack of the test runner's would hide it.
    console.error(error.message);
    process.exit(1);
  }
}
