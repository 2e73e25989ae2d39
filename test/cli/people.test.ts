// Joining people to rooms (inbound.join_for_people) on the command line: the second registration beside the first.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parse } from "yaml";
import { runCommand } from "../../src/cli/command.ts";
import type { BridgeOptions } from "../../src/app.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { minimalConfig } from "../../dev/config/sample.ts";

const numbers = 'numbers: [{number: "+441632960001", user: "@ann:example.org"}]';

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const inFolder = (name: string): string => join(folder, name);
const fileOf = (name: string) => parse(readFileSync(inFolder(name), "utf8")) as Record<string, unknown>;

function writeConfig(isOn: boolean): void {
  const inbound = isOn ? `inbound: {join_for_people: true, ${numbers}}` : `inbound: {${numbers}}`;
  writeFileSync(inFolder("config.yaml"), `${minimalConfig}\n${inbound}\n`);
}

async function run(argv: readonly string[], env: Terminal["env"] = {}) {
  let out = "";
  let err = "";
  let started: BridgeOptions | undefined;
  const terminal: Terminal = {
    env,
    out: (text) => void (out += text),
    err: (text) => void (err += text),
    onSignal: (listener) => setImmediate(() => listener("SIGTERM")),
    exit: () => {},
  };
  const files = ["-c", inFolder("config.yaml"), "-f", inFolder("registration.yaml")];
  const code = await runCommand([...argv, ...files], terminal, async (options) => {
    started = options;
    const never = new Promise<never>(() => {});
    const config = () => options.config;
    return { refused: never, drain: async () => 0, stop: async () => {}, config, reload: () => never };
  });
  return { code, out, err, started };
}

const write = (): ReturnType<typeof run> => run(["-r", "-u", "http://localhost:9993"]);

test("-r writes the second registration too, says to guard it, and shows no token", async () => {
  writeConfig(true);
  const { code, out } = await write();
  expect(code).toBe(0);
  const people = fileOf("registration-people.yaml");
  expect(people).toMatchObject({ url: null, namespaces: { users: [{ exclusive: false }] } });
  expect(people["as_token"]).not.toBe(fileOf("registration.yaml")["as_token"]);
  expect(out).toContain(`${inFolder("registration-people.yaml")}: written.`);
  expect(out).not.toContain(people["as_token"]);
});

test("-r writes one registration where people are not to be joined", async () => {
  writeConfig(false);
  await write();
  expect(existsSync(inFolder("registration-people.yaml"))).toBe(false);
});

test("the bridge starts with the second token, and without it where people are not to be joined", async () => {
  writeConfig(true);
  await write();
  expect((await run([])).started?.peopleToken).toBe(fileOf("registration-people.yaml")["as_token"]);
  writeConfig(false);
  const { started } = await run([]);
  expect([started?.registration.id, started?.peopleToken]).toEqual(["matrix-appservice-sip", undefined]);
});

test("the bridge does not start without the second registration, and says how to get it", async () => {
  writeConfig(false);
  await write();
  writeConfig(true);
  const { code, err, started } = await run([]);
  expect([code, started]).toEqual([3, undefined]);
  expect(err).toMatch(/registration-people\.yaml.*write it with -r/);
});

test("--check holds the second registration against the configuration", async () => {
  writeConfig(true);
  await write();
  expect((await run(["--check"])).out).toContain(`${inFolder("registration-people.yaml")}: good`);
  chmodSync(inFolder("registration-people.yaml"), 0o644);
  expect((await run(["--check"])).out).toContain("can act as every user of the homeserver, and everybody");
  writeFileSync(inFolder("registration-people.yaml"), "shopping: list\n");
  expect((await run(["--check"])).code).toBe(3);
});

test("--check says what makes first calls ring for everybody, where that is off", async () => {
  writeConfig(false);
  await write();
  const { code, out } = await run(["--check"]);
  expect(code).toBe(0);
  expect(out).toContain("inbound.join_for_people makes it ring for everybody");
});
