// What a fresh clone has: the project's files, and nothing that was built or installed.
import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { promisify } from "node:util";

export const ROOT = resolve(import.meta.dirname, "../../..");

export async function cleanCopy(folder: string): Promise<void> {
  const options = ["ls-files", "--cached", "--others", "--exclude-standard", "-z"];
  const { stdout } = await promisify(execFile)("git", options, { cwd: ROOT });
  for (const file of stdout.split("\0").filter((name) => name !== "")) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await cp(join(ROOT, file), join(folder, file)).catch((error: unknown) => {
      // Deleted, and not yet committed.
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  }
}
