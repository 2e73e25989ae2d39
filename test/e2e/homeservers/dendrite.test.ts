// The main ladder on a real Dendrite, with its rate limits as they are: a number is dialled and calls, each side hears the
// other. The client is the one without a browser, the telephone the small gateway.
import { beforeAll, describe, expect, it } from "vitest";
import { startGateway, type Gateway, type GatewayCall } from "../../../dev/gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCall, type HeadlessCaller } from "../../../dev/headless/caller.ts";
import { registerBridge, type RegisteredBridge } from "../parts/stages/bridge.ts";
import { startDendrite } from "../parts/homeservers/dendrite.ts";
import { toneAt, type Hearing } from "../parts/base/hearing.ts";
import { freePort, freePorts } from "../../../dev/loopback/free-ports.ts";
import { until } from "../parts/base/until.ts";
import { suiteRig, testRig, type Rig } from "../parts/base/rig.ts";

const DOMAIN = "example.org";
const PERSON_NUMBER = "+442079460100";
/** Of the gateway: it answers, and plays a tone. */
const TONE_NUMBER = "01632960102";
const NEAR_HZ = 800;
const FAR_HZ = 440;
const RTP_PORTS = 16;

const rig = suiteRig("dendrite");
let gateway: Gateway;
let person: HeadlessCaller;
let asAnn: (method: string, path: string, body?: unknown) => Promise<Record<string, unknown>>;
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
    inbound: { numbers: [{ number: PERSON_NUMBER, user: `@ann:${DOMAIN}` }] },
    permissions: { [DOMAIN]: "call" },
    media: {
      workers: 1,
      rtp: { host: "127.0.0.1", ports: { min: rtpPort, max: rtpPort + RTP_PORTS - 1 } },
      ice: { host: "127.0.0.1" },
    },
    http: { listen: { port: await freePort() } },
  });
}

async function hearEachOther(call: HeadlessCall, far: GatewayCall): Promise<void> {
  const ear =
    (end: Pick<HeadlessCall | GatewayCall, "heard" | "heardMs">): Hearing =>
    (frequencies, durationMs) =>
      end.heardMs < durationMs ? undefined : end.heard(durationMs, frequencies);
  await Promise.all([toneAt(ear(call), FAR_HZ, [NEAR_HZ]), toneAt(ear(far), NEAR_HZ, [FAR_HZ])]);
}

beforeAll(async () => {
  gateway = await startGateway();
  rig.defer("gateway", () => gateway.stop());
  const port = await freePort();
  const bridge = await bridgeFor(rig, `http://127.0.0.1:${port}`, "grammar");
  const dendrite = await startDendrite(rig, {
    port,
    serverName: DOMAIN,
    registrations: [bridge.registrationFile],
    limits: "default",
  });
  await bridge.start();
  const account = await dendrite.register("ann");
  const { user, password } = account;
  asAnn = (method, path, body) => dendrite.request(method, path, { token: account.accessToken, body });
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
  it("a number gets no keys, so that it says why it leaves an encrypted room", async () => {
    const ghost = await person.lookup("01632960103");
    const { room_id: room } = await asAnn("POST", "/_matrix/client/v3/createRoom", {
      preset: "trusted_private_chat",
      is_direct: true,
      invite: [ghost],
      initial_state: [{ type: "m.room.encryption", state_key: "", content: { algorithm: "m.megolm.v1.aes-sha2" } }],
    });
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(String(room))}`;
    const send = {
      algorithm: "m.megolm.v1.aes-sha2",
      ciphertext: "AwgA",
      session_id: "a",
      sender_key: "b",
      device_id: "c",
    };
    await asAnn("PUT", `${path}/send/m.room.encrypted/1`, send);
    await until("the words", async () => {
      const { chunk } = await asAnn("GET", `${path}/messages?dir=b&limit=50`);
      return JSON.stringify(chunk).includes("This room is encrypted. Calls and texts");
    });
    await until("the number to leave", async () => {
      const { membership } = await asAnn("GET", `${path}/state/m.room.member/${encodeURIComponent(String(ghost))}`);
      return membership === "leave";
    });
  });

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
    await hearEachOther(call, far);
    await call.hangup();
    await gateway.until(() => far.end);
  });

  it("a telephone that never called before rings the person, each side hears the other, and it hangs up", async () => {
    const far = await gateway.call({
      to: PERSON_NUMBER,
      from: "+442079460102",
      at: { host: "127.0.0.1", port: trunkPort },
      sound: { hz: FAR_HZ },
    });
    const call = await person.incoming();
    await call.answer();
    await call.until(({ state }) => state === "connected");
    await hearEachOther(call, far);
    await far.hangUp();
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "bridge", how: "hung up" });
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
