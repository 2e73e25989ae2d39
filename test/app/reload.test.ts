// The whole bridge in one process, whose configuration file somebody changes: what it says of that, and what it does then.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, onTestFinished, test } from "vitest";
import { startBridge, type RunningBridge } from "../../src/app.ts";
import { loadConfig } from "../../src/config/load.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { makeRegistration } from "../../src/config/registration/registration.ts";
import { Peer } from "../sip/rig/peer.ts";

let file: string;
let bridge: RunningBridge;
let log: { readonly msg: string }[];

async function peer(): Promise<Peer> {
  const started = await Peer.start({});
  onTestFinished(() => started.close());
  return started;
}

const trunk = (name: string, port: number): string =>
  `{name: ${name}, server: "127.0.0.1:${port}", listen: {host: 127.0.0.1}, options_interval_seconds: 60}`;

const text = (trunks: string, more = ""): string => `
homeserver: {url: "http://127.0.0.1:9", domain: example.org}
rtc: {mode: "off"}
appservice: {listen: {host: 127.0.0.1, port: 0}}
http: {listen: {host: 127.0.0.1, port: 0}}
ghosts: {gateway: sip.example.org}
database: {path: "${file.replace("config.yaml", "bridge.db")}"}
dial_plan: {country: GB}
trunks: [${trunks}]
media: {workers: 1, rtp: {host: 127.0.0.1}}
${more}`;

beforeEach(async () => {
  const folder = mkdtempSync(join(tmpdir(), "reload-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  file = join(folder, "config.yaml");
  log = [];
});

async function start(): Promise<void> {
  const read = () => loadConfig(file, {});
  const config = read();
  const registration = makeRegistration(toRegistrationFacts(config), "http://127.0.0.1");
  const writeLog = (line: string): void => void log.push(JSON.parse(line));
  bridge = await startBridge({ config, registration, source: { path: file, read }, version: "0", writeLog });
  onTestFinished(() => bridge.stop());
}

const ready = async (): Promise<unknown> => (await fetch(`http://127.0.0.1:${bridge.statusPort}/ready`)).json();

test("a new trunk is asked how it is, one that is gone no more, and what waits for a restart stands in /ready", async () => {
  const [main, spare] = [await peer(), await peer()];
  writeFileSync(file, text(trunk("main", main.port)));
  await start();
  await main.request("OPTIONS");
  writeFileSync(file, text(trunk("spare", spare.port), "logging: {level: debug, mask_numbers: false}"));
  expect(await bridge.reload()).toEqual({
    kind: "reloaded",
    applied: ["trunks.main", "trunks.spare", "logging.level"],
    forRestart: ["logging.mask_numbers"],
    forLastCall: [],
  });
  await spare.request("OPTIONS");
  expect(await ready()).toMatchObject({
    parts: { trunks: { detail: /^spare / }, configuration: { detail: "waits for a restart: logging.mask_numbers" } },
  });
  expect(log.some(({ msg }) => msg === "configuration reloaded")).toBe(true);
});

test("a file with mistakes changes nothing, and the log says what is wrong and where", async () => {
  const main = await peer();
  writeFileSync(file, text(trunk("main", main.port)));
  await start();
  writeFileSync(file, text(trunk("main", main.port), "limits: {calls_in_all: 0}\nlimitz: {}"));
  const report = await bridge.reload();
  expect(report).toMatchObject({
    kind: "refused",
    problems: [
      expect.stringMatching(/config\.yaml:11: limits\.calls_in_all should be a whole number from 1 to 100000$/),
      expect.stringMatching(/config\.yaml:12: limitz is not a known key; did you mean limits\?/),
    ],
  });
  expect(log.filter(({ msg }) => msg === "configuration not reloaded: nothing has changed")).toHaveLength(2);
  expect(bridge.config().limits.calls_in_all).toBe(100);
});

test("a trunk whose port is taken keeps everything as it was", async () => {
  const [main, taken] = [await peer(), await peer()];
  writeFileSync(file, text(trunk("main", main.port)));
  await start();
  const beside = trunk("spare", 9).replace("host: 127.0.0.1", `host: 127.0.0.1, port: ${taken.port}`);
  writeFileSync(file, text(`${trunk("main", main.port)}, ${beside}`, "limits: {calls_in_all: 7}"));
  expect(await bridge.reload()).toMatchObject({ kind: "refused", problems: [/a trunk cannot listen: .*in use/] });
  expect(bridge.config().limits.calls_in_all).toBe(100);
});

test("several at once are done one after the other, and a bridge that drains reads nothing", async () => {
  const main = await peer();
  writeFileSync(file, text(trunk("main", main.port)));
  await start();
  writeFileSync(file, text(trunk("main", main.port), "limits: {calls_in_all: 7}"));
  const reports = await Promise.all([bridge.reload(), bridge.reload()]);
  expect(reports).toMatchObject([{ applied: ["limits.calls_in_all"] }, { applied: [] }]);
  writeFileSync(file, readFileSync(file, "utf8").replace("calls_in_all: 7", "calls_in_all: 8"));
  await bridge.drain(0);
  expect(await bridge.reload()).toEqual({
    kind: "refused",
    problems: ["the bridge is about to stop: its next start reads the file"],
  });
  expect(bridge.config().limits.calls_in_all).toBe(7);
});
