// What a command prints may be read only in part.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { packageVersion } from "../../../src/cli/version.ts";
import { endedCall } from "../../fakes/admin-door.ts";
import { newFolder, startAdmin } from "../../http/admin/admin-rig.ts";

const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));

test("whoever has read enough ends a long export without a word of error", async () => {
  const { door, socketPath } = await startAdmin({ version: packageVersion() });
  door.history = Array.from({ length: 20_000 }, (_, index) => endedCall(`c-${index}`));
  const config = join(newFolder(), "config.yaml");
  writeFileSync(config, `${minimalConfig}admin: {socket: {path: "${socketPath}"}}\n`);
  const command = spawn(process.execPath, [main, "export", "calls", "-c", config], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let err = "";
  command.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  await once(command.stdout, "data");
  command.stdout.destroy();
  const [code] = (await once(command, "close")) as [number];
  expect([code, err]).toEqual([0, ""]);
  expect(door.asked.length).toBeLessThan(40);
}, 60_000);
