// SIGTERM to the program as a process, while a telephone rings: with `shutdown.drain_seconds` and without.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test, vi } from "vitest";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { patienceMs } from "../../dev/loopback/patience.ts";
import { runCommand } from "../../src/cli/command.ts";
import { homeserver } from "../app/agreeable-homeserver.ts";
import { scanLine } from "../setup/scanner.ts";
import { offerOf, rawPeer, type RawPeer } from "../dev-gateway/raw-peer.ts";

// Each test starts a process that loads the whole bridge, which takes its time on a busy machine.
vi.setConfig({ testTimeout: 4 * patienceMs });

const main = fileURLToPath(new URL("../../src/main.ts", import.meta.url));
const uri = "sip:01632960001@127.0.0.1";
const branch = "z9hG4bKcall";

async function telephone(port: number): Promise<RawPeer> {
  const peer = await rawPeer({ host: "127.0.0.1", port }, "UDP");
  onTestFinished(() => peer.close());
  return peer;
}

/** A bridge as a process of its own, and a telephone that it lets ring. */
async function ringing(drainSeconds: number) {
  const hs = await homeserver();
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "draining-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const files = ["-c", join(folder, "config.yaml"), "-f", join(folder, "registration.yaml")];
  writeFileSync(
    join(folder, "config.yaml"),
    `
homeserver: {url: "${hs.url}", domain: example.org}
rtc: {mode: "off"}
appservice: {listen: {port: 0}}
http: {listen: {port: 0}}
ghosts: {gateway: sip.example.org}
database: {path: "${join(folder, "bridge.db")}"}
dial_plan: {country: GB}
trunks:
  - {name: main, server: "127.0.0.1:9", peers: [127.0.0.1/32], listen: {host: 127.0.0.1, port: ${port}}, options_interval_seconds: 0}
inbound: {numbers: [{number: "+441632960001", user: "@ann:example.org"}]}
media: {workers: 1, rtp: {host: 127.0.0.1}, ice: {homeserver_turn: false}}
shutdown: {drain_seconds: ${drainSeconds}}
`,
  );
  const terminal = { env: {}, out: () => {}, err: () => {}, onSignal: () => {}, exit: () => {} };
  expect(await runCommand(["-r", "-u", "http://127.0.0.1", ...files], terminal)).toBe(0);
  const bridge = spawn(process.execPath, [main, ...files], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void bridge.kill("SIGKILL"));
  const exited = once(bridge, "exit").then(([code]) => code as number | null);
  let log = "";
  bridge.stdout.setEncoding("utf8").on("data", (text: string) => (log += text));
  bridge.stderr.setEncoding("utf8").on("data", (text: string) => (log += text));
  onTestFinished(() => log.split("\n").forEach(scanLine));
  const logged = (message: string) => expect.poll(() => log, { timeout: 2 * patienceMs }).toContain(`"${message}"`);
  await logged("bridge is up");
  const peer = await telephone(port);
  peer.request("INVITE", { uri, branch, body: offerOf(30_000) });
  await peer.status(180);
  return { bridge, port, peer, exited, logged };
}

test("SIGTERM lets the telephone ring on, refuses the next one, and ends the process after the call", async () => {
  const { bridge, port, peer, exited, logged } = await ringing(60);
  bridge.kill("SIGTERM");
  await logged("draining: no new calls begin");
  const late = await telephone(port);
  late.request("INVITE", { uri, branch: "z9hG4bKlate", body: offerOf(30_002) });
  const { toTag } = await late.status(503);
  late.request("ACK", { uri, branch: "z9hG4bKlate", toTag });
  expect(peer.received.filter(({ status }) => status >= 200)).toEqual([]);
  peer.request("CANCEL", { uri, branch });
  peer.request("ACK", { uri, branch, toTag: (await peer.status(487)).toTag });
  expect(await exited).toBe(0);
});

test.each([
  ["a second SIGTERM ends the call", 60, true],
  ["the call is ended when the time is over", 1, false],
  ["without it, the call is ended at once", 0, false],
])("%s, and the process", async (_what, drainSeconds, isSentTwice) => {
  const { bridge, peer, exited, logged } = await ringing(drainSeconds);
  bridge.kill("SIGTERM");
  if (isSentTwice) {
    await logged("draining: no new calls begin");
    bridge.kill("SIGTERM");
  }
  peer.request("ACK", { uri, branch, toTag: (await peer.status(503)).toTag });
  expect(await exited).toBe(0);
});
