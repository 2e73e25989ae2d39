// A telephone calls the whole bridge in one process, on real sockets: what it and the homeserver see, and what is left
// to do for a process that comes after a crash.
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { createServer } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import SqliteDatabase from "better-sqlite3";
import { Webhook as Verifier } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { startBridge, type RunningBridge } from "../../src/app.ts";
import { parseConfig } from "../../src/config/load.ts";
import { toRegistrationFacts } from "../../src/config/mapping/mapping.ts";
import { makeRegistration } from "../../src/config/registration/registration.ts";
import { homeserver, type Sent } from "./agreeable-homeserver.ts";
import { offerOf, rawPeer, type RawPeer } from "../dev-gateway/raw-peer.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "inbound-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** `otherPorts`: of trunks that come up after the one that calls, since the names of their hosts have to be asked for. */
async function start(
  url: string,
  sipPort: number,
  folder: string,
  otherPorts: readonly number[] = [],
  more = "",
): Promise<RunningBridge> {
  const config = parseConfig(
    `
homeserver: {url: "${url}", domain: example.org}
rtc: {mode: "off"}
appservice: {listen: {host: 127.0.0.1, port: 0}}
http: {listen: {host: 127.0.0.1, port: 0}}
ghosts: {gateway: sip.example.org}
database: {path: "${join(folder, "bridge.db")}"}
dial_plan: {country: GB}
trunks:
  - {name: main, server: "127.0.0.1:9", peers: [127.0.0.1/32], listen: {host: 127.0.0.1, port: ${sipPort}}, options_interval_seconds: 0}
${otherPorts.map((port) => `  - {name: other${port}, server: "127.0.0.1:9", listen: {host: localhost, port: ${port}}, options_interval_seconds: 0}\n`).join("")}
inbound: {numbers: [{number: "+441632960001", user: "@ann:example.org"}]}
permissions: {"*": call}
media: {workers: 1, rtp: {host: 127.0.0.1}, ice: {homeserver_turn: false}}
${more}
`,
    { configPath: "config.yaml", env: {} },
  );
  const registration = {
    ...makeRegistration(toRegistrationFacts(config), "http://127.0.0.1"),
    as_token: "as-token-0123456789abcdef",
    hs_token: "hs-token-0123456789abcdef",
  };
  const bridge = await startBridge({ config, registration, version: "0", writeLog: () => {} });
  onTestFinished(() => bridge.stop());
  return bridge;
}

async function telephone(port: number): Promise<RawPeer> {
  const peer = await rawPeer({ host: "127.0.0.1", port }, "UDP");
  onTestFinished(() => peer.close());
  return peer;
}

/** Acknowledges a refusal, hop by hop (RFC 3261 s17.1.1.3). */
function acknowledge(peer: RawPeer, { toTag }: { readonly toTag: string | undefined }, uri = called.uri): void {
  peer.request("ACK", { uri, branch: called.branch, toTag });
}

const called = { uri: "sip:01632960001@127.0.0.1", branch: "z9hG4bKcall", body: offerOf(30_000) };

test("a call rings in a room that is made for it, and stops ringing there when the caller gives up", async () => {
  const hs = await homeserver();
  const port = await freePort();
  await start(hs.url, port, newFolder());
  const peer = await telephone(port);
  peer.request("INVITE", called);
  await peer.status(180);
  expect(await hs.event("m.call.invite")).toMatchObject({
    version: "1",
    invitee: "@ann:example.org",
    lifetime: expect.any(Number) as number,
    offer: { type: "offer", sdp: expect.stringContaining("a=ice-ufrag:") as string },
  });
  peer.request("CANCEL", { uri: called.uri, branch: called.branch });
  await peer.status(200, "1 CANCEL");
  acknowledge(peer, await peer.status(487));
  expect(await hs.event("m.call.hangup")).toMatchObject({ call_id: hs.sent[0]?.content["call_id"] });
});

test("whoever is told by webhook hears that it began and ended, in signed messages", async () => {
  const secret = `whsec_${Buffer.alloc(32, 5).toString("base64")}`;
  const told: unknown[] = [];
  const hs = await homeserver();
  const port = await freePort();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const receiver = createServer((request, response) => {
    void text(request).then((body) => {
      told.push(new Verifier(secret).verify(body, request.headers as Record<string, string>));
      response.end();
      if (told.length === 2) end();
    });
  });
  const hook = await listen(receiver);
  onTestFinished(() => void receiver.close());
  await start(hs.url, port, newFolder(), [], `webhook: {url: "http://127.0.0.1:${hook}/calls", secret: "${secret}"}`);
  const peer = await telephone(port);
  peer.request("INVITE", called);
  await peer.status(180);
  peer.request("CANCEL", { uri: called.uri, branch: called.branch });
  acknowledge(peer, await peer.status(487));
  await ended;
  expect(told).toMatchObject([
    { type: "call.began", data: { call: { direction: "inbound", trunk: "main" } } },
    { type: "call.ended", data: { record: { direction: "inbound", result: "caller" } } },
  ]);
});

/** An answer as a browser writes it; nobody stands behind its candidate. */
const clientAnswer = [
  "v=0",
  "o=- 1 1 IN IP4 127.0.0.1",
  "s=-",
  "t=0 0",
  "a=group:BUNDLE 0",
  "m=audio 9 UDP/TLS/RTP/SAVPF 0 8",
  "c=IN IP4 0.0.0.0",
  "a=mid:0",
  "a=sendrecv",
  "a=rtcp-mux",
  "a=msid:stream track",
  "a=ice-ufrag:abcd",
  "a=ice-pwd:0123456789abcdef01234567",
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => "00").join(":")}`,
  "a=setup:active",
  "a=candidate:1 1 UDP 2122317823 127.0.0.1 30000 typ host",
  "",
].join("\r\n");

async function push(bridge: RunningBridge, type: string, content: Sent["content"]): Promise<void> {
  const event = {
    type,
    content,
    room_id: "!made:example.org",
    sender: "@ann:example.org",
    event_id: `$${type}`,
    origin_server_ts: Date.now(),
    unsigned: { age: 10 },
  };
  const response = await fetch(`http://127.0.0.1:${bridge.port}/_matrix/app/v1/transactions/${type}`, {
    method: "PUT",
    headers: { authorization: "Bearer hs-token-0123456789abcdef", "content-type": "application/json" },
    body: JSON.stringify({ events: [event] }),
  });
  expect(response.status).toBe(200);
}

test("a call that the person answers is answered at the telephone, and when that hangs up, it is over in the room", async () => {
  const hs = await homeserver();
  const port = await freePort();
  const bridge = await start(hs.url, port, newFolder());
  const peer = await telephone(port);
  peer.request("INVITE", called);
  const { call_id: matrixCall } = await hs.event("m.call.invite");
  await push(bridge, "m.call.answer", {
    call_id: matrixCall,
    party_id: "DEVICE",
    version: "1",
    answer: { type: "answer", sdp: clientAnswer },
  });
  expect(await hs.event("m.call.select_answer")).toMatchObject({ selected_party_id: "DEVICE", call_id: matrixCall });
  const accepted = await peer.status(200);
  expect(accepted.body).toMatch(/^m=audio \d+ RTP\/AVP 0/m);
  const dialog = { uri: accepted.header("Contact")?.replace(/^<|>.*$/g, "") ?? "", toTag: accepted.toTag };
  peer.request("ACK", dialog);
  peer.request("BYE", { ...dialog, cseq: 2 });
  await peer.status(200, "2 BYE");
  expect(await hs.event("m.call.hangup")).toMatchObject({ call_id: matrixCall, reason: "user_hangup" });
});

test("the person hangs up while another program has the database locked: the telephone hears it, and /ready says why", async () => {
  const hs = await homeserver();
  const [port, folder] = [await freePort(), newFolder()];
  const bridge = await start(hs.url, port, folder);
  const ready = async (): Promise<string> => (await fetch(`http://127.0.0.1:${bridge.statusPort}/ready`)).text();
  const peer = await telephone(port);
  peer.request("INVITE", called);
  const { call_id: matrixCall } = await hs.event("m.call.invite");
  const said = { call_id: matrixCall, party_id: "DEVICE", version: "1" };
  await push(bridge, "m.call.answer", { ...said, answer: { type: "answer", sdp: clientAnswer } });
  const accepted = await peer.status(200);
  peer.request("ACK", { uri: accepted.header("Contact")?.replace(/^<|>.*$/g, "") ?? "", toTag: accepted.toTag });
  await expect.poll(ready).toContain("can be written");

  const other = new SqliteDatabase(join(folder, "bridge.db"));
  onTestFinished(() => void other.close());
  other.exec("begin exclusive");
  // Answered 200: the homeserver would hold back everything else until it had sent this again.
  await push(bridge, "m.call.hangup", said);
  await peer.until(({ startLine }) => startLine.startsWith("BYE "));
  await expect.poll(ready).toContain("database is locked by another process");
  const second = await telephone(port);
  second.request("INVITE", called);
  acknowledge(second, await second.status(503));
  other.exec("rollback");
  await expect.poll(ready).toContain("can be written");
});

test.each(["is away", "hangs"] as const)(
  "a call that comes while the homeserver %s is refused within seconds, and may come again soon",
  async (how) => {
    const hs = await homeserver();
    const port = await freePort();
    await start(hs.url, port, newFolder());
    const peer = await telephone(port);
    if (how === "is away") hs.stop();
    else hs.mood = "hangs";
    const startedAtMs = performance.now();
    peer.request("INVITE", called);
    const refusal = await peer.status(503);
    acknowledge(peer, refusal);
    expect(performance.now() - startedAtMs).toBeLessThan(15_000);
    expect(refusal.text).toMatch(/^Retry-After: 5\r$/m);
  },
);

test("a call for which the homeserver makes no room is refused at once", async () => {
  const hs = await homeserver();
  const port = await freePort();
  await start(hs.url, port, newFolder());
  const peer = await telephone(port);
  hs.mood = "no rooms";
  const startedAtMs = performance.now();
  peer.request("INVITE", called);
  acknowledge(peer, await peer.status(480));
  expect(performance.now() - startedAtMs).toBeLessThan(5_000);
});

test("a call to a number that is nobody's hears so, and the homeserver nothing", async () => {
  const hs = await homeserver();
  const port = await freePort();
  const bridge = await start(hs.url, port, newFolder());
  const peer = await telephone(port);
  const uri = "sip:01632960999@127.0.0.1";
  peer.request("INVITE", { ...called, uri });
  acknowledge(peer, await peer.status(404), uri);
  const counted = async (): Promise<string> => (await fetch(`http://127.0.0.1:${bridge.statusPort}/metrics`)).text();
  await expect.poll(counted).toContain('calls_total{direction="inbound",result="callee",cause="not-in-service"} 1');
  expect(hs.sent).toEqual([]);
});

test("a call that rang when the process died is refused by the next one, and stops ringing", async () => {
  const before = await homeserver();
  const [port, folder, crashed] = [await freePort(), newFolder(), newFolder()];
  const first = await start(before.url, port, folder);
  const peer = await telephone(port);
  peer.request("INVITE", called);
  await peer.status(180);
  const invite = await before.event("m.call.invite");
  // As it stood in this moment on the disk.
  cpSync(folder, crashed, { recursive: true });
  const stopped = first.stop();
  acknowledge(peer, await peer.status(503));
  await stopped;
  const told = peer.received.filter(({ status }) => status === 503).length;
  const after = await homeserver();
  await start(after.url, port, crashed);
  const refusal = await peer.until(({ status }) => status === 503, told);
  expect(refusal.toTag).toBe((await peer.status(180)).toTag);
  acknowledge(peer, refusal);
  expect(await after.event("m.call.hangup")).toMatchObject({ call_id: invite["call_id"] });
});

test("a call that comes while the bridge starts is one of its own, and none that an earlier process left", async () => {
  const hs = await homeserver();
  const port = await freePort();
  const peer = await telephone(port);
  const invite = peer.request("INVITE", called);
  const starting = start(hs.url, port, newFolder(), [await freePort()]);
  // As often as it takes to be among the first that the trunk hears.
  while (peer.received.length === 0) {
    peer.send(invite);
    await new Promise((resolve) => setImmediate(resolve));
  }
  await peer.status(180);
  await starting;
  await hs.event("m.call.invite");
  expect(peer.received.map(({ status }) => status)).not.toContain(503);
  peer.request("CANCEL", { uri: called.uri, branch: called.branch });
  acknowledge(peer, await peer.status(487));
});
