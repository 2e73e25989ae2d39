// What an admin sees of a call that was placed over real sockets: its ladder, as the command draws it.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { minimalConfig } from "../../dev/config/sample.ts";
import { PERSON } from "../../dev/demo/config-text.ts";
import { startStack, type Stack } from "../../dev/demo/stack.ts";
import { createHeadlessCaller, type HeadlessCaller } from "../../dev/headless/caller.ts";
import { runCommand } from "../../src/cli/command.ts";
import { quickNumbers } from "../dev-gateway/quick-numbers.ts";

const folder = mkdtempSync(join(tmpdir(), "ladders-"));
const socket = join(folder, "admin.sock");
const config = join(folder, "config.yaml");
let stack: Stack;
let caller: HeadlessCaller;

beforeAll(async () => {
  writeFileSync(config, `${minimalConfig}admin: {socket: {path: "${socket}"}}\n`);
  stack = await startStack({
    transport: "udp",
    configPath: undefined,
    gatewayLog: () => undefined,
    numbers: quickNumbers(500),
    bridgeLog: () => {},
    adminSocket: socket,
  });
  caller = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: 800,
    bindHost: "127.0.0.1",
  });
});
afterAll(async () => {
  await caller.stop();
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function command(...argv: readonly string[]): Promise<string> {
  let text = "";
  const add = (more: string): void => void (text += more);
  const terminal = { env: {}, out: add, err: add, onSignal: () => {}, exit: () => {} };
  await runCommand([...argv, "-c", config], terminal, () => expect.fail("the bridge was started"));
  return text;
}

/** The arrows of a drawing, each as its label. */
function labelsIn(drawing: string): readonly string[] {
  return drawing
    .split("\n")
    .filter((line) => /^ *\d+ +\d+\.\d{3} /.test(line))
    .map((line) => /[-<] ([^-|<>]+?) [->]/.exec(line)?.[1] ?? line);
}

it("draws a call with all that Matrix and SIP said in it, in order, and 80 columns wide", async () => {
  const call = await caller.call("02079460103");
  await call.until(({ state, end }) => state === "connected" || end !== undefined);
  await call.hangup();
  await stack.gateway.until((calls) => calls.at(-1)?.state === "ended");
  const calls = JSON.parse(await command("export", "calls", "--json")) as { id: string }[];
  const drawing = await command("calls", "ladder", calls[0]?.id ?? "", "--full");
  const labels = labelsIn(drawing);
  // Candidates come when the client has found them.
  expect(labels.filter((label) => label !== "m.call.candidates")).toEqual([
    "membership invite",
    "m.call.invite",
    "INVITE",
    "100 Trying",
    "180 Ringing",
    "200 OK",
    "ACK",
    "m.call.answer",
    "m.call.select_answer",
    "m.call.hangup",
    "BYE",
    "200 OK (BYE)",
  ]);
  const [heads = ""] = drawing.split("\n");
  expect(heads).toMatch(/^ +@alice:localhost +bridge +gateway$/);
  expect(Math.max(...(drawing.split("\n\n1. ")[0] ?? "").split("\n").map((line) => line.length))).toBeLessThanOrEqual(
    80,
  );
  expect(drawing).toMatch(/^ {3}INVITE sip:\+442079460103@127\.0\.0\.1:\d+ SIP\/2\.0$/m);
  expect(drawing).not.toMatch(/ice-pwd:(?!\[removed\])/);
});
