// The embedded media engine against a real Chromium: its ICE, DTLS, audio, keys, hold and ICE restart, without a
// homeserver or a trunk in between. The page holds one plain RTCPeerConnection.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { stripTypeScriptTypes } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import { keypresses } from "../../../dev/audio/telephone-event.ts";
import { tone } from "../../../dev/audio/tone.ts";
import { encodeWav } from "../../../dev/audio/wav.ts";
import { startRig, type OpenSession, type Rig } from "../../media/peers/rig.ts";
import { test, type Scope } from "../../media/peers/scope.ts";
import { TrunkPeer } from "../../media/peers/trunk-peer.ts";
import type { BareTelephone } from "../page/bare-telephone-api.ts";
import { CHROMIUM } from "../setup/versions.ts";
import { until } from "../parts/base/until.ts";

const clientHz = 440;
const trunkHz = 1000;
const bothHz = [clientHz, trunkHz];
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--autoplay-policy=no-user-gesture-required",
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  "--allow-loopback-in-peer-connection",
];

let rig: Rig;
let browser: BrowserContext;
let address: string;
const closings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  rig = await startRig({ ice: {}, reconnectTimeoutMs: 1000, silenceTimeoutMs: 60_000 });
  closings.unshift(async () => rig.engine.stop());
  const folder = await mkdtemp(join(tmpdir(), "media-chromium-"));
  closings.unshift(async () => rm(folder, { recursive: true, force: true }));
  const server = createServer((_request, response) => {
    response.setHeader("content-type", "text/html").end("<!doctype html><title>telephone</title>");
  });
  const port = await listen(server);
  closings.unshift(async () => new Promise((resolve) => server.close(resolve)));
  address = `http://127.0.0.1:${port}/`;
  const microphone = join(folder, "microphone.wav");
  await writeFile(microphone, encodeWav(tone(clientHz, 48_000, 10_000), 48_000));
  browser = await chromium.launchPersistentContext(join(folder, "profile"), {
    executablePath: CHROMIUM,
    headless: true,
    args: [...flags, `--use-file-for-fake-audio-capture=${microphone}`],
    permissions: ["microphone", "camera"],
  });
  closings.unshift(async () => browser.close());
});

afterAll(async () => {
  for (const close of closings) await close();
});

type Asked = {
  [Name in keyof BareTelephone]: (
    ...args: Parameters<BareTelephone[Name]>
  ) => Promise<Awaited<ReturnType<BareTelephone[Name]>>>;
};

async function openPage(scope: Scope): Promise<Asked> {
  const page: Page = await browser.newPage();
  scope.add(async () => page.close());
  await page.goto(address);
  const source = await readFile(new URL("../page/bare-telephone.ts", import.meta.url), "utf8");
  await page.addScriptTag({ type: "module", content: stripTypeScriptTypes(source) });
  await page.waitForFunction(() => "telephone" in globalThis);
  const ask = async (method: string, parameters: unknown[]): Promise<unknown> =>
    page.evaluate(
      async ([name, given]) => {
        const { telephone } = globalThis as unknown as { telephone: Record<string, (...all: unknown[]) => unknown> };
        return telephone[name]?.(...given);
      },
      [method, parameters] as const,
    );
  return new Proxy({} as Asked, {
    // Not a promise, although it has every name.
    get: (_target, name) => (name === "then" ? undefined : async (...given: unknown[]) => ask(String(name), given)),
  });
}

async function hears(phone: Asked, hz: number): Promise<void> {
  await until(`the page to hear ${hz} Hz`, async () => {
    const heard = await phone.hears();
    return Math.abs(heard.hz - hz) < 30 && heard.db > -50;
  });
}

interface BrowserCall extends OpenSession {
  readonly phone: Asked;
  readonly trunk: TrunkPeer;
  readonly clientAnswer: string;
}

async function call(scope: Scope, codecs: string[], words: { video?: boolean } = {}): Promise<BrowserCall> {
  const phone = await openPage(scope);
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const open = await rig.open();
  scope.add(async () => open.session.close());
  const { description: sdp } = await open.session.offer("a", await phone.offer({ codecs, ...words }));
  trunk.aim(sdp);
  const clientAnswer = await open.session.answer("b", trunk.sdp());
  await phone.answered(clientAnswer);
  await trickle(phone, open);
  await open.fact("media.connected");
  trunk.speak();
  return { ...open, phone, trunk, clientAnswer };
}

async function trickle(phone: Asked, open: OpenSession): Promise<void> {
  const candidates = await phone.candidates();
  open.session.addCandidates(candidates.map((candidate) => ({ candidate, mid: "0", mLineIndex: 0 })));
}

const everything = [
  "audio/opus",
  "audio/red",
  "audio/g722",
  "audio/pcmu",
  "audio/pcma",
  "audio/cn",
  "audio/telephone-event",
];

test("the browser and the gateway hear each other, and digits last as long as they were pressed", async ({ scope }) => {
  const { phone, trunk, session, clientAnswer } = await call(scope, everything);
  const heard = await trunk.ear.nextSecond(bothHz);
  expect(heard.hz).toBe(clientHz);
  await hears(phone, trunkHz);
  expect(clientAnswer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0 126\r\n/);

  trunk.ear.packets = [];
  expect(await phone.press("15#")).toBe(true);
  const events = (): typeof trunk.ear.packets => trunk.ear.packets.filter((packet) => packet.payloadType === 101);
  await trunk.ear.until(
    () =>
      new Set(
        events()
          .filter((each) => ((each.payload[1] ?? 0) & 0x80) !== 0)
          .map((each) => each.timestamp),
      ).size === 3,
  );
  const pressed = keypresses(events(), 8000);
  expect(pressed.map(({ digit }) => digit).join("")).toBe("15#");
  for (const { durationMs } of pressed) expect(Math.abs(durationMs - 160)).toBeLessThanOrEqual(20);
  const stats = await session.stats();
  expect(stats.a.lost).toBe(0);
});

describe("a browser with Opus alone and a gateway with G.711 alone", () => {
  const opusAlone = ["audio/opus", "audio/telephone-event"];

  /** Each hears the other, and keys get through both ways as long as they were pressed. */
  async function talk({ phone, trunk, session, fact }: Pick<BrowserCall, "phone" | "trunk" | "session" | "fact">) {
    await hears(phone, trunkHz);
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
    expect(await session.stats()).toMatchObject({ codec: "PCMU", converted: { a: "opus", b: "PCMU" } });
    trunk.ear.packets = [];
    expect(await phone.press("15#")).toBe(true);
    const pressed = () =>
      keypresses(
        trunk.ear.packets.filter(({ payloadType }) => payloadType === 101),
        8000,
      );
    await until("the keys", () => pressed().length === 3 && (pressed()[2]?.durationMs ?? 0) >= 140);
    expect(pressed().map(({ digit }) => digit)).toEqual(["1", "5", "#"]);
    for (const { durationMs } of pressed()) expect(Math.abs(durationMs - 160)).toBeLessThanOrEqual(20);
    expect(await fact("media.dtmf")).toMatchObject({ from: "a", digit: "1" });
    // The sound is back after the keys.
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
    await hears(phone, trunkHz);
  }

  test("talk when the browser calls", async ({ scope }) => {
    const made = await call(scope, opusAlone);
    expect(made.clientAnswer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 111 110\r\n/);
    await talk(made);
  });

  test("talk when the browser is called", async ({ scope }) => {
    const phone = await openPage(scope);
    const trunk = await TrunkPeer.open({ hz: trunkHz });
    scope.add(async () => trunk.close());
    const open = await rig.open();
    scope.add(async () => open.session.close());
    const { description: sdp } = await open.session.offer("b", trunk.sdp());
    const answer = await phone.answer(sdp.replace("SAVPF 0 111 126 110", "SAVPF 111 126 110"));
    trunk.aim(await open.session.answer("a", answer));
    await trickle(phone, open);
    await open.fact("media.connected");
    trunk.speak();
    await hears(phone, trunkHz);
    // It would say keys in the clock of G.711: it is offered the call once more.
    expect(open.session.untold).toBe("sendrecv");
    expect(await open.session.answer("a", await phone.answer(await open.session.describe("a")))).toBe("");
    expect(open.session.untold).toBeUndefined();
    await talk({ ...open, phone, trunk });
  });
});

test("a video call is its audio", async ({ scope }) => {
  const { phone, trunk, clientAnswer } = await call(scope, everything, { video: true });
  expect(clientAnswer).toContain("m=video 0 ");
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  await hears(phone, trunkHz);
});

test("hold and resume", async ({ scope }) => {
  const { phone, trunk, session } = await call(scope, everything);
  await hears(phone, trunkHz);
  const held = await session.offer("a", await phone.offer({ codecs: everything, direction: "sendonly" }));
  expect(held).toMatchObject({ kind: "forward" });
  await phone.answered(
    await session.answer("b", trunk.sdp({ lines: ["a=rtpmap:101 telephone-event/8000", "a=recvonly"] })),
  );
  const before = await phone.received();
  await trunk.ear.nextSecond(bothHz);
  expect((await phone.received()) - before).toBeLessThan(5);
  const resumed = await session.offer("a", await phone.offer({ codecs: everything }));
  await phone.answered(await session.answer("b", trunk.sdp()));
  expect(resumed.description).toContain("a=sendrecv");
  await hears(phone, trunkHz);
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
});

test("an ICE restart is answered, and the audio goes on", async ({ scope }) => {
  const { phone, trunk, session, facts, ...open } = await call(scope, everything);
  await hears(phone, trunkHz);
  const offer = await phone.offer({ codecs: everything, restart: true });
  const outcome = await session.offer("a", offer);
  expect(outcome.kind).toBe("settled");
  await phone.answered(outcome.description);
  await trickle(phone, { session, facts, ...open });
  const before = await phone.received();
  await until("the browser to be connected anew", async () => (await phone.state()) === "connected");
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  await hears(phone, trunkHz);
  expect(await phone.received()).toBeGreaterThan(before + 20);
  expect(new Set(trunk.ear.packets.map((packet) => packet.ssrc)).size).toBe(1);
  expect(facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
});

test("a browser that is called hears and is heard, and may restart ICE too", async ({ scope }) => {
  const phone = await openPage(scope);
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const open = await rig.open();
  scope.add(async () => open.session.close());
  const { description: sdp } = await open.session.offer("b", trunk.sdp());
  const trunkAnswer = await open.session.answer("a", await phone.answer(sdp));
  trunk.aim(trunkAnswer);
  await trickle(phone, open);
  await open.fact("media.connected");
  trunk.speak();
  await hears(phone, trunkHz);
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  // It was offered Opus as well, behind the codec that the gateway has.
  expect(await open.session.stats()).toMatchObject({ codec: "PCMU" });
  expect(await open.session.stats()).not.toHaveProperty("converted");
  const restarted = await open.session.offer("a", await phone.offer({ codecs: everything, restart: true }));
  expect(restarted.kind).toBe("settled");
  await phone.answered(restarted.description);
  await trickle(phone, open);
  await until("the browser to be connected anew", async () => (await phone.state()) === "connected");
  await hears(phone, trunkHz);
  expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
});

test("browsers that begin before their answer is known are connected all the same", async ({ scope }) => {
  const trunk = await TrunkPeer.open({ hz: trunkHz });
  scope.add(async () => trunk.close());
  const tookMs: number[] = [];
  for (let call = 0; call < 10; call += 1) {
    const phone = await openPage(scope);
    const open = await rig.open();
    const { description: sdp } = await open.session.offer("b", trunk.sdp());
    const answer = await phone.answer(sdp);
    // What a homeserver takes; the browser checks all the while.
    await new Promise((resolve) => setTimeout(resolve, 300 + 100 * call));
    const startMs = performance.now();
    await open.session.answer("a", answer);
    await trickle(phone, open);
    await open.fact("media.connected");
    tookMs.push(performance.now() - startMs);
    await until("the page to be connected", async () => (await phone.state()) === "connected");
    expect(open.facts.map(({ kind }) => kind)).toEqual(["media.connected"]);
    await open.session.close();
  }
  expect(Math.max(...tookMs)).toBeLessThan(3000);
});

test("a browser that hangs up is gone within three seconds, without a word of it through the homeserver", async ({
  scope,
}) => {
  const { phone, fact, facts } = await call(scope, everything);
  await hears(phone, trunkHz);
  const startMs = performance.now();
  await phone.close();
  await fact("media.closed");
  expect(performance.now() - startMs).toBeGreaterThan(1500);
  expect(performance.now() - startMs).toBeLessThan(4500);
  expect(facts.map(({ kind }) => kind)).toEqual(["media.connected", "media.closed"]);
});

// RFC 7675: consent to send runs out after 30 s without an answer to the checks. Then the client has its time to return.
test("a browser that vanishes is reported as lost, once", { timeout: 90_000 }, async ({ scope }) => {
  const { phone, fact, facts } = await call(scope, everything);
  await hears(phone, trunkHz);
  await browser.pages().at(-1)?.close();
  await fact("media.disconnected");
  expect(facts.map(({ kind }) => kind)).toEqual(["media.connected", "media.disconnected"]);
});
