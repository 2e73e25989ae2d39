// What is asked of an engine, and when.
import { beforeEach, expect, test } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import { createCallMedia } from "../../../src/media/negotiation/negotiation.ts";
import { elementSdp, gatewaySdp } from "../../core/sdp/samples.ts";
import { FakeMediaEngine } from "../../fakes/media-engine.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const call = callId("c-1");
const options = {
  call,
  a: { kind: "client", iceServers: [], codecs: ["PCMU"] },
  b: { kind: "trunk", media: { srtp: "off", codecs: ["PCMU"], rtpNetworks: [] }, leg: call },
} as const;

let telemetry: FakeTelemetry;
beforeEach(() => {
  telemetry = new FakeTelemetry();
});

test("an end that the engine does not open is refused, and the engine is not asked", async () => {
  const engine = new FakeMediaEngine({ ends: ["trunk"] });
  await expect(createCallMedia(engine, telemetry.log).open(options, () => undefined)).rejects.toMatchObject({
    code: "engine",
    message: "the media engine has no end for a client",
  });
  expect(engine.sessions.size).toBe(0);
});

test("the engine hears of a peer and of what passes once both have spoken, and of nothing before", async () => {
  const engine = new FakeMediaEngine();
  const session = await createCallMedia(engine, telemetry.log).open(options, () => undefined);
  await session.offer("a", elementSdp("out-invite"));
  const [opened] = engine.sessions;
  expect(opened).toMatchObject({ remotes: {}, flows: undefined });
  await session.answer("b", gatewaySdp());
  expect(opened?.remotes).toMatchObject({ a: { kind: "client" }, b: { kind: "trunk", port: 40_000, keys: undefined } });
  expect(opened?.flows).toMatchObject({
    codecs: { a: "PCMU", b: "PCMU" },
    isHeld: false,
    a: { isOpen: true },
    b: { isOpen: true },
  });
});

test("nothing is converted that the engine cannot, or that the configuration does not want", async () => {
  const able = new FakeMediaEngine({ conversions: [{ between: ["opus", "PCMU"], price: 2 }] });
  const opus = gatewaySdp({ formats: "111", lines: ["a=rtpmap:111 opus/48000/2"] });
  const ends = {
    ...options,
    a: { ...options.b, leg: callId("c-2") },
    b: { ...options.b, media: { ...options.b.media, codecs: ["opus"] } },
  } as const;
  const offerOf = async (media: ReturnType<typeof createCallMedia>) =>
    (await media.open(ends, () => undefined)).offer("b", opus);
  expect((await offerOf(createCallMedia(able, telemetry.log, { transcode: "auto" }))).description).toContain(
    "RTP/AVP 0\r\n",
  );
  for (const media of [
    createCallMedia(able, telemetry.log, { transcode: "never" }),
    createCallMedia(new FakeMediaEngine(), telemetry.log),
  ])
    await expect(offerOf(media)).rejects.toMatchObject({ code: "no-common-codec" });
});

test("orders that come while another one is carried out wait for it", async () => {
  const session = await createCallMedia(new FakeMediaEngine(), telemetry.log).open(options, () => undefined);
  const offered = session.offer("a", elementSdp("out-invite"));
  const answered = session.answer("b", gatewaySdp());
  expect((await offered).kind).toBe("forward");
  expect(await answered).toContain("UDP/TLS/RTP/SAVPF");
});

test("keys and candidates that the engine does not take are logged, and the session goes on", async () => {
  const engine = new FakeMediaEngine();
  const session = await createCallMedia(engine, telemetry.log).open(options, () => undefined);
  const [opened] = engine.sessions;
  Object.assign(opened ?? {}, {
    sendDtmf: () => {
      throw new Error("no such end");
    },
    addCandidates: () => {
      throw new Error("no such candidate");
    },
  });
  expect((await session.offer("a", elementSdp("out-invite"))).kind).toBe("forward");
  await session.answer("b", gatewaySdp());
  expect(await session.sendDtmf("b", "1", 100)).toBe(false);
  session.addCandidates([]);
  expect(await session.unheard()).toEqual(["a", "b"]);
  expect(telemetry.lines).toMatchObject([
    { level: "warn", fields: { call, what: "key", error: { message: "no such end" } } },
    { level: "warn", fields: { call, what: "candidates", error: { message: "no such candidate" } } },
  ]);
});

test("a dialog that is over is forgotten, and one under the same id begins anew", async () => {
  const media = createCallMedia(new FakeMediaEngine(), telemetry.log);
  const originIn = async (): Promise<string | undefined> => {
    const session = await media.open(options, () => undefined);
    const sdp = await session.describe("b");
    await session.handOver("b");
    return /^o=- (\d+)/m.exec(sdp)?.[1];
  };
  const first = await originIn();
  expect(await originIn()).toBe(first);
  media.forget(call);
  expect(await originIn()).not.toBe(first);
});
