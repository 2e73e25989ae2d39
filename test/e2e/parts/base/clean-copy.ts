// What a fresh clone has: the project's files, and nothing that was built or installed. And what `npm ci` puts into it.
import { execFile } from "node:child_process";
import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { isDeepStrictEqual, promisify } from "node:util";

export const ROOT = resolve(import.meta.dirname, "../../../..");

const run = promisify(execFile);
/** What npm notes in node_modules of what it has installed there. */
const INSTALLED = join("node_modules", ".package-lock.json");

export async function cleanCopy(folder: string): Promise<void> {
  const options = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await run("git", options, { cwd: ROOT });
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(ROOT, file), join(folder, file)).catch((error: unknown) => {
      // Deleted, and not yet committed.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
}

/**
 * What `npm ci` does in a clean copy, in seconds instead of a minute: the project's own node_modules came from it, so its
 * files are linked. Where they are not as locked, npm does it.
 */
export async function installLocked(folder: string): Promise<void> {
  if (!(await isAsLocked())) {
    await run("npm", ["ci", "--prefer-offline", "--no-audit", "--no-fund"], { cwd: folder });
    return;
  }
  const target = join(folder, "node_modules");
  await run("cp", ["-al", join(ROOT, "node_modules"), target]).catch(async () => {
    // On another file system.
    await rm(target, { recursive: true, force: true });
    await run("cp", ["-a", join(ROOT, "node_modules"), target]);
  });
  // npm writes this one in place.
  await rm(join(folder, INSTALLED));
  await cp(join(ROOT, INSTALLED), join(folder, INSTALLED));
}

async function isAsLocked(): Promise<boolean> {
  const [installed, locked] = await Promise.all([packagesIn(INSTALLED), packagesIn("package-lock.json")]);
  return Object.entries(installed).every(([name, entry]) => isDeepStrictEqual(entry, locked[name]));
}

async function packagesIn(lockFile: string): Promise<Readonly<Record<string, unknown>>> {
  return (JSON.parse(await readFile(join(ROOT, lockFile), "utf8")) as { packages: Record<string, unknown> }).packages;
}
