// What `init` writes carries real calls: a telephone by its address, and, added by a second run, a trunk that registers at
// Kamailio. Nothing in the files is changed by hand.
import { readFile, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { beforeAll, expect, it } from "vitest";
import { parse } from "yaml";
import { createHeadlessCaller } from "../../../dev/headless/caller.ts";
import { startHomeserver, type Homeserver } from "../../../dev/homeserver/homeserver.ts";
import type { Registration } from "../../../dev/homeserver/appservice/registration.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { toneAt } from "../parts/base/hearing.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { logInCallee } from "../parts/clients/callee.ts";
import { type Registrar, startRegistrar } from "../parts/proxies/registrar.ts";
import { startBaresip } from "../parts/telephones/baresip.ts";
import { startSipp } from "../parts/telephones/sipp.ts";

const MAIN = resolve(import.meta.dirname, "../../../dist/main.js");
const DOMAIN = "example.org";
const PASSWORD = "wonderland";
const ACCOUNT = { user: "3001", password: "correct-horse" };
/** The number that the telephone calls. */
const DIALLED = "2201";

const rig = suiteRig("init");
let homeserver: Homeserver;
let registrar: Registrar;
let door: number;

/** The program in the folder of these tests, where it finds and writes its files. */
const program = (line = ""): Promise<RunningProcess> =>
  rig.start("bridge", {
    command: process.execPath,
    args: [MAIN, ...line.split(" ").filter((word) => word !== "")],
    cwd: rig.folder,
    env: { NODE_ENV: "production", NO_COLOR: "1" },
    stopWithinMs: 10_000,
  });

async function done(running: RunningProcess): Promise<string> {
  const { code } = await running.exited;
  expect(code, running.log.tail()).toBe(0);
  return running.log.text;
}

beforeAll(async () => {
  const [homeserverPort, bridgePort, telephonePort] = [await freePort(), await freePort(), await freePort()];
  door = await freePort();
  registrar = await startRegistrar(rig, { account: ACCOUNT, expiresSeconds: 60 });
  const url = `http://127.0.0.1:${homeserverPort}`;
  await done(
    await program(
      `init --yes --homeserver synapse --homeserver-url ${url} --domain ${DOMAIN} --country GB` +
        ` --appservice-url http://127.0.0.1:${bridgePort} --allow ${DOMAIN} --ring ${DIALLED}=ann` +
        ` --trunk address --server 127.0.0.1:${telephonePort} --port ${door}`,
    ),
  );
  const file = rig.path("given-password");
  await writeFile(file, `${ACCOUNT.password}\n`, { mode: 0o600 });
  await done(
    await program(
      `init --yes --trunk register --name kamailio --server 127.0.0.1:${registrar.port}` +
        ` --username ${ACCOUNT.user} --password-file ${file} --ring ${ACCOUNT.user}=ann`,
    ),
  );
  const checked = await done(await program("--check"));
  expect(checked.match(/: good$/gm)).toHaveLength(2);
  expect(checked).not.toContain("warning:");

  const registration = parse(await readFile(rig.path("registration.yaml"), "utf8")) as Registration;
  homeserver = await startHomeserver({
    port: homeserverPort,
    domain: DOMAIN,
    registrations: [registration],
    users: [{ localpart: "ann", password: PASSWORD }],
  });
  rig.defer("homeserver", () => homeserver.stop());
  const bridge = await program();
  await bridge.saying(/"bridge is up"/, { timeoutMs: 30_000 });
});

it("a telephone that is known by its address calls a person, and both hear each other", async () => {
  const ann = await createHeadlessCaller({
    homeserverUrl: homeserver.url,
    user: "ann",
    password: PASSWORD,
    bindHost: "127.0.0.1",
    toneHz: 440,
  });
  rig.defer("ann", () => ann.stop());
  const telephone = await startBaresip(rig, { number: "600", toneHz: 1000 });
  await telephone.dial(`sip:${DIALLED}@127.0.0.1:${door}`);
  const call = await ann.incoming();
  await call.answer();
  await telephone.event("CALL_ESTABLISHED");
  await call.until(({ state }) => state === "connected");
  const hears = (frequencies: readonly number[], durationMs: number) =>
    call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies);
  await Promise.all([toneAt(hears, 1000, [440]), toneAt(telephone.hears, 440, [1000])]);
  await telephone.hangup();
  await call.until(({ state }) => state === "ended");
  await ann.stop();
});

it("a trunk that was added registers, and brings a call", async () => {
  await registrar.log.waitFor(/request REGISTER .* credentials=3001 /, { timeoutMs: 30_000 });
  const ann = await logInCallee(homeserver, "ann", PASSWORD);
  const target = `127.0.0.1:${registrar.port}`;
  const sipp = await startSipp(rig, {
    scenario: "uac-talks",
    target,
    number: ACCOUNT.user,
    caller: "6001",
    talkMs: 100,
  });
  const ringing = await ann.rung("6001");
  await ringing.answer();
  await sipp.done();
  await ringing.told("m.call.hangup");
});
