// Runs commands over the admin API as an admin does, over the socket of a bridge.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { runCommand } from "../../../src/cli/command.ts";
import { packageVersion } from "../../../src/cli/version.ts";
import { newFolder, startAdmin } from "../../http/admin/admin-rig.ts";

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function configIn(folder: string, more: string): string {
  const path = join(folder, "config.yaml");
  writeFileSync(path, `${minimalConfig}${more}`);
  return path;
}

export async function run(config: string, ...argv: readonly string[]): Promise<Ran> {
  let [out, err] = ["", ""];
  const terminal = {
    env: {},
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    onSignal: () => {},
    exit: () => {},
  };
  const code = await runCommand([...argv, "-c", config], terminal, () => expect.fail("the bridge was started"));
  return { code, out, err };
}

/** A bridge, and what runs commands that find it. */
export async function shell(version = packageVersion()) {
  const admin = await startAdmin({ version });
  const config = configIn(newFolder(), `admin: {socket: {path: "${admin.socketPath}"}}\n`);
  return { ...admin, config, run: (...argv: readonly string[]) => run(config, ...argv) };
}
