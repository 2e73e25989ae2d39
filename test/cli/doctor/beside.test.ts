// The doctor beside a bridge that runs: it asks that one, and takes nothing from it.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { startBridge } from "../../../src/app.ts";
import { loadConfig } from "../../../src/config/load.ts";
import { toAdminSocket } from "../../../src/config/mapping/admin-mapping.ts";
import { packageVersion } from "../../../src/cli/version.ts";
import { isWrong, patience } from "./see-alone.ts";
import { examine, world, type Breakage, type Ends, type Files } from "./world.ts";

async function running(ends: Ends, breakage: Breakage = {}): Promise<Files> {
  const files = await world(ends, breakage);
  const config = loadConfig(files.config, {});
  const bridge = await startBridge({
    config,
    registration: parse(readFileSync(files.registration, "utf8")) as never,
    adminSocket: toAdminSocket(config, { configPath: files.config, env: {} }),
    version: packageVersion(),
    writeLog: () => undefined,
  });
  ends(() => bridge.stop());
  const ready = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${bridge.statusPort}/ready`)).json();
  await expect.poll(ready, { timeout: 60_000 }).toMatchObject({ parts: { homeserver: { ready: true } } });
  return files;
}

test(
  "nothing is wrong, nothing is bound or registered a second time, and what it says is the bridge's word",
  patience,
  async ({ onTestFinished }) => {
    const files = await running(onTestFinished);
    await expect.poll(() => files.gateway.registrations.length, { timeout: 30_000 }).toBe(1);
    const [before] = files.gateway.registrations;
    const checks = await examine(files);
    expect(checks.filter(isWrong)).toEqual([]);
    const said = Object.fromEntries(checks.map(({ id, found }) => [id, found]));
    expect(said).toMatchObject({
      bridge: `version ${packageVersion()} runs, with 0 calls`,
      ports: "the running bridge listens on them",
      store: expect.stringContaining("(the running bridge has it)"),
      "homeserver-ping": expect.stringMatching(/^the running bridge says: /),
      "trunk-options": expect.stringMatching(/^the running bridge says: registered for \d+ s; OPTIONS answered 200/),
      "trunk-registration": expect.stringMatching(/^the running bridge says: registered/),
      engine: expect.stringContaining("the running bridge has 0 calls"),
    });
    // It is the bridge's own registration still.
    expect(files.gateway.registrations).toEqual([before]);
  },
);

test("a password that the trunk refuses is known by the bridge's word, too", patience, async ({ onTestFinished }) => {
  const wrong = { username: "bridge", password: "wrong-horse" };
  const files = await running(onTestFinished, {
    config: ({ trunk }) => ({ trunks: [{ ...trunk, credentials: wrong }] }),
  });
  const credentials = async () => (await examine(files)).find(({ id }) => id === "trunk-credentials");
  await expect.poll(credentials, { timeout: 60_000 }).toMatchObject({
    state: "failed",
    problems: [{ found: expect.stringMatching(/^the trunk refuses the password of bridge \(401/) }],
  });
});

test("a test call is placed by the bridge, and measured", patience, async ({ onTestFinished }) => {
  const files = await running(onTestFinished);
  const call = async (number: string): Promise<string | undefined> => {
    const found = (await examine(files, { flags: () => ({ call: number }) })).find(({ id }) => id === "call");
    const words = found?.found ?? found?.problems?.[0]?.found;
    // On a busy machine the jitter alone is worth a warning.
    return words && `${found?.state === "warning" ? "ok" : found?.state}: ${words}`;
  };
  await expect.poll(() => files.gateway.registrations.length, { timeout: 30_000 }).toBe(1);
  expect(await call("+441632960102")).toMatch(
    /^ok: \+\*+02 over main: rang after \d+ ms, was answered after \d+ ms; PCMA, \d{2,3} packets, \d+ lost, [\d.]+ ms jitter/,
  );
  expect(await call("+441632960486")).toMatch(/^failed: .* was not answered: busy \(486\)$/);
  expect(await call("0909 879 0000")).toMatch(/^failed: the bridge does not place it: /);
});
