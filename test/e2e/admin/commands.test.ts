// An admin lists a real call by the real program's commands, and hangs it up.
import { beforeAll, expect, it } from "vitest";
import { resolve } from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { HeadlessCaller } from "../../../dev/headless/caller.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { startTrunkStage, type TrunkStage } from "../parts/stages/trunk-stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const MAIN = resolve(import.meta.dirname, "../../../dist/main.js");
const NUMBER = "7101";

const rig = suiteRig("admin-commands");
let stage: TrunkStage;
let alice: HeadlessCaller;
let phone: Baresip;

beforeAll(async () => {
  const port = await freePort();
  stage = await startTrunkStage(rig, {
    trunks: [{ name: "main", server: `127.0.0.1:${port}`, prefix: NUMBER }],
    numbers: {},
    config: { admin: { socket: { path: "a.sock" }, whole_numbers: true } },
  });
  alice = await stage.caller("alice", 440);
  phone = await startBaresip(rig, { number: NUMBER, toneHz: 1000, port });
});

/** As a shell runs it, in another folder than the bridge's. */
async function command(...args: readonly string[]): Promise<string> {
  const argv = [MAIN, ...args, "-c", rig.path("config.yaml")];
  const { stdout } = await promisify(execFile)(process.execPath, argv, { cwd: "/" });
  return stdout;
}

it("an admin sees a call that is up, ends it on both sides, and exports it", async () => {
  const call = await alice.call(NUMBER);
  await phone.event("CALL_ESTABLISHED");
  await call.until(({ state }) => state === "connected");
  const { calls } = JSON.parse(await command("calls", "--json")) as { calls: readonly { id: string }[] };
  expect(calls).toMatchObject([{ person: "@alice:example.org", trunk: "main", phase: "connected" }]);
  const id = calls[0]?.id ?? "";
  expect(await command("calls")).toContain(id);
  await until("packets both ways", async () =>
    /^From Matrix +[1-9][^]*^From trunk +[1-9]/m.test(await command("calls", "show", id)),
  );

  expect(await command("calls", "hangup", id, "--reason", "toll fraud")).toBe(`${id} ends\n`);
  await phone.event("CALL_CLOSED");
  await call.until(({ state }) => state === "ended");
  await stage.running.saying(/"an admin acts"/);
  await until("no calls", async () => (await command("calls")) === "no calls\n");

  const csv = await command("export", "calls", "--csv", "--whole-numbers");
  expect(csv.split("\r\n")[1]).toMatch(
    new RegExp(`^${id},outbound,@alice:example\\.org,${NUMBER},,main,bridge,admin-ended,`),
  );
  expect(await command("trunks")).toMatch(/^main /m);
}, 120_000);
