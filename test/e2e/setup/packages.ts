// Debian packages, and the one error that says what could not be installed.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";

const run = promisify(execFile);
const APT = ["-o", "DPkg::Lock::Timeout=300", "-o", "Acquire::Retries=3", "-qq"];

export class InstallError extends Error {
  readonly code: "no_apt" | "apt" | "no_python" | "pip" | "go";
  constructor(code: InstallError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "InstallError";
    this.code = code;
  }
}

/** The last line that a failed command wrote to its error output, or its message. */
export const lastLine = (error: unknown): string => {
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

export async function installPackages(packages: readonly string[]): Promise<void> {
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
