// The main ladder on a real Dendrite, with its rate limits as they are: a number is dialled and calls, each side hears the
// other. The client is the one without a browser, the telephone the small gateway.
import { beforeAll, describe, expect, it } from "vitest";
import { startGateway, type Gateway, type GatewayCall } from "../../../dev/gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCall, type HeadlessCaller } from "../../../dev/headless/caller.ts";
import { registerBridge, type RegisteredBridge } from "../parts/stages/bridge.ts";
import { startDendrite } from "../parts/homeservers/dendrite.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsWhenInvited, lineIn, type Voice } from "../parts/clients/called.ts";
import type { RealHomeserver } from "../parts/homeservers/real-homeserver.ts";
import { typesIn } from "../parts/homeservers/timeline.ts";
import { freePort, freePorts } from "../../../dev/loopback/free-ports.ts";
import { until } from "../parts/base/until.ts";
import { suiteRig, testRig, type Rig } from "../parts/base/rig.ts";

const DOMAIN = "example.org";
const PERSON_NUMBER = "+442079460100";
const OTHER_PERSON_NUMBER = "+442079460101";
/** Of the gateway: it answers, and plays a tone. */
const TONE_NUMBER = "01632960102";
/** The same, and it answers texts. */
const TEXTS_NUMBER = "01632960106";
const OTHER_NUMBER = "+442079460104";
const NEAR_HZ = 800;
const FAR_HZ = 440;
const RTP_PORTS = 16;

const rig = suiteRig("dendrite");
let gateway: Gateway;
let person: HeadlessCaller;
let dendrite: RealHomeserver;
let bridge: RegisteredBridge;
/** The bridge that runs now. */
let running: RunningProcess;
let trunkPort: number;

async function bridgeFor(where: Rig, homeserverUrl: string, encoding: string): Promise<RegisteredBridge> {
  const rtpPort = await freePorts(RTP_PORTS);
  trunkPort = await freePort();
  return registerBridge(where, {
    homeserver: { url: homeserverUrl, domain: DOMAIN },
    ghosts: { gateway: "sip.example.org", encoding },
    database: { path: where.path("bridge.db") },
    dial_plan: { country: "GB" },
    trunks: [
      {
        name: "gateway",
        server: `${gateway.host}:${gateway.port}`,
        listen: { host: "127.0.0.1", port: trunkPort },
        number_format: "as-dialled",
      },
    ],
    inbound: {
      numbers: [
        { number: PERSON_NUMBER, user: `@ann:${DOMAIN}` },
        { number: OTHER_PERSON_NUMBER, user: `@bo:${DOMAIN}` },
      ],
    },
    permissions: { [DOMAIN]: "call" },
    media: {
      workers: 1,
      rtp: { host: "127.0.0.1", ports: { min: rtpPort, max: rtpPort + RTP_PORTS - 1 } },
      ice: { host: "127.0.0.1" },
    },
    http: { listen: { port: await freePort() } },
  });
}

const theTrunk = () => ({ host: "127.0.0.1", port: trunkPort });

/** An end without a browser. */
const voiceOf = (end: Pick<HeadlessCall | GatewayCall, "heard" | "heardMs">, hz: number): Voice => ({
  hears: (frequencies, durationMs) => (end.heardMs < durationMs ? undefined : end.heard(durationMs, frequencies)),
  hz,
});
const talk = (near: HeadlessCall, far: GatewayCall): Promise<unknown> =>
  hearEachOther(voiceOf(near, NEAR_HZ), voiceOf(far, FAR_HZ));

beforeAll(async () => {
  gateway = await startGateway();
  rig.defer("gateway", () => gateway.stop());
  const port = await freePort();
  bridge = await bridgeFor(rig, `http://127.0.0.1:${port}`, "grammar");
  dendrite = await startDendrite(rig, {
    port,
    serverName: DOMAIN,
    registrations: [bridge.registrationFile],
    limits: "default",
  });
  running = await bridge.start();
  const { user, password } = await dendrite.register("ann");
  person = await createHeadlessCaller({
    homeserverUrl: dendrite.url,
    user,
    password,
    toneHz: NEAR_HZ,
    bindHost: "127.0.0.1",
  });
  rig.defer("person", () => person.stop());
});

describe("On Dendrite", () => {
  it("there is a dial pad, and a number is found, but nobody by nonsense", async () => {
    expect(person.protocols).toEqual(["m.protocol.pstn", "im.vector.protocol.pstn"]);
    expect(await person.lookup("01818118181")).toBe("@_sip_01818118181=40sip.example.org:example.org");
    // A 404 there, an empty list on Synapse.
    await expect(person.lookup("hello")).rejects.toMatchObject({ code: "M_NOT_FOUND", status: 404 });
  });

  it("the first call to a number goes out at once, each side hears the other, and the person hangs up", async () => {
    const before = Date.now();
    const call = await person.call(TONE_NUMBER);
    const far = await gateway.until((calls) => calls.find(({ direction }) => direction === "in"));
    expect(Date.now() - before).toBeLessThan(4_000);
    await call.until(({ state }) => state === "connected");
    await talk(call, far);
    await call.hangup();
    await gateway.until(() => far.end);
  });

  it("a telephone that never called before rings the person, each side hears the other, and it hangs up", async () => {
    const far = await gateway.call({
      to: PERSON_NUMBER,
      from: "+442079460102",
      at: theTrunk(),
      sound: { hz: FAR_HZ },
    });
    const call = await person.incoming();
    await call.answer();
    await call.until(({ state }) => state === "connected");
    await talk(call, far);
    await far.hangUp();
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "bridge", how: "hung up" });
  });

  it("a number in an encrypted room is called and calls, texts go both ways, after a restart too, in events that only its members can read", async () => {
    const account = await dendrite.register("bo");
    const { url: homeserver } = dendrite;
    const bo = await startBrowser(testRig(), { homeserver, account, toneHz: NEAR_HZ, encryption: "any" });
    const atBo: Voice = { hears: bo.hears, hz: NEAR_HZ };
    const [ghost = ""] = await bo.phone.lookup(TEXTS_NUMBER);
    const room = await bo.phone.directRoom(ghost);
    await bo.phone.encryptRoom(room);
    await until("keys", async () => (await bo.phone.deviceIdsOf(ghost)).length === 1);
    await lineIn(bo, room, /bridge decrypts what is said and written/);

    await bo.phone.callIn(room);
    await bo.inState("connected");
    const called = await gateway.until((calls) => calls.findLast(({ direction }) => direction === "in"));
    await hearEachOther(voiceOf(called, FAR_HZ), atBo);
    await bo.phone.hangup();
    await gateway.until(() => called.end);

    await bo.phone.send(room, "Are you there?");
    await until("the text", () => gateway.messages.some(({ text }) => text === "Are you there?"));

    const calling = await gateway.call({
      to: OTHER_PERSON_NUMBER,
      from: OTHER_NUMBER,
      at: theTrunk(),
      sound: { hz: FAR_HZ },
    });
    const own = await joinsWhenInvited(bo);
    expect((await bo.ringing(30_000)).roomId).toBe(own);
    await bo.phone.answer();
    await bo.inState("connected");
    await hearEachOther(voiceOf(calling, FAR_HZ), atBo);
    await calling.hangUp();
    expect(await bo.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
    await gateway.message({ to: OTHER_PERSON_NUMBER, from: OTHER_NUMBER, at: theTrunk(), text: "Good day" });
    await lineIn(bo, own, /^Good day$/);
    for (const where of [room, own]) expect(await typesIn(dendrite, account, where)).toEqual(["m.room.encrypted"]);
    expect(running.log.text).toContain("the homeserver takes no identities of numbers");

    const [device] = await bo.phone.deviceIdsOf(ghost);
    running.signal("SIGTERM");
    await running.exited;
    running = await bridge.start();
    await bo.phone.send(room, "Are you back?");
    await until("the text", () => gateway.messages.some(({ text }) => text === "Are you back?"));
    await until("the new device alone", async () => {
      const devices = await bo.phone.deviceIdsOf(ghost);
      return devices.length === 1 && devices[0] !== device;
    });
  });

  it("a bridge whose ids Dendrite refuses ends for good, and says what to set instead", async () => {
    const other = testRig();
    const port = await freePort();
    const bridge = await bridgeFor(other, `http://127.0.0.1:${port}`, "percent");
    await startDendrite(other, { port, serverName: DOMAIN, registrations: [bridge.registrationFile] });
    const running = await bridge.start();
    expect(await running.exited).toMatchObject({ code: 3 });
    expect(running.log.text).toContain("set ghosts.encoding to grammar (now percent)");
  });
});
