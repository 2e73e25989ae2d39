// What npm hands out: the packed tarball, installed with npm's own defaults into a folder that has nothing else.
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { stringify } from "yaml";
import { freePort } from "./parts/port.ts";
import { type Rig, testRig } from "./parts/rig.ts";

const ROOT = resolve(import.meta.dirname, "../..");

async function done(rig: Rig, name: string, command: string, args: readonly string[], cwd: string): Promise<string> {
  const running = await rig.start(name, { command, args, cwd });
  const { code } = await running.exited;
  expect(code, running.log.tail()).toBe(0);
  return running.log.text;
}

it("installs into an empty folder, helps, writes a registration and runs", { timeout: 300_000 }, async () => {
  const rig = testRig();
  // Outside the project: below it, what the package forgot to depend on would be found in the project's node_modules.
  const folder = await mkdtemp(join(tmpdir(), "installed-"));
  rig.defer("the empty folder", () => rm(folder, { recursive: true, force: true }));
  await done(rig, "npm-pack", "npm", ["pack", "--pack-destination", folder], ROOT);
  const tarball = (await readdir(folder)).find((name) => name.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack left no tarball");
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "empty", private: true }));
  const install = ["install", "--no-audit", "--no-fund", "--prefer-offline", `./${tarball}`];
  await done(rig, "npm-install", "npm", install, folder);

  const bin = join("node_modules", ".bin", "matrix-appservice-sip");
  const node = process.execPath;
  expect(await done(rig, "help", node, [bin, "--help"], folder)).toContain("--generate-registration");

  const port = await freePort();
  const config = {
    homeserver: { url: `http://127.0.0.1:${await freePort()}`, domain: "example.org" },
    appservice: { listen: { host: "127.0.0.1" } },
    ghosts: { gateway: "sip.example.org" },
    dial_plan: { country: "GB" },
    trunks: [{ name: "main", server: `127.0.0.1:${await freePort()}`, transport: "udp" }],
    permissions: { "example.org": "call" },
    http: { listen: { port: 0 } },
  };
  await writeFile(join(folder, "config.yaml"), stringify(config));
  const files = ["-c", "config.yaml", "-f", "registration.yaml"];
  await done(rig, "registration", node, [bin, "-r", "-u", `http://127.0.0.1:${port}`, ...files], folder);

  // No homeserver is there: that is no reason not to be up, only not to be ready.
  const bridge = await rig.start("bridge", {
    command: node,
    args: [bin, ...files, "-p", `${port}`],
    cwd: folder,
    stopWithinMs: 15_000,
  });
  await bridge.saying(/"bridge is up"/, { timeoutMs: 30_000 });
  expect((await fetch(`http://127.0.0.1:${port}/_matrix/app/v1/ping`, { method: "POST" })).status).toBe(401);
  expect(await bridge.stop()).toEqual({ code: 0, signal: null });
});
