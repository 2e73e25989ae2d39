// Runs once before all end-to-end tests: the real parts are there, and the logs of the last run are not.
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { install, InstallError } from "./install.ts";
import { CACHE } from "./versions.ts";

export default async function setup(): Promise<void> {
  await rm(join(CACHE, "e2e"), { recursive: true, force: true });
  try {
    await install();
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    // One line says it all; a stack of the test runner's would hide it.
    console.error(error.message);
    process.exit(1);
  }
}
