// A peer who is met in a conference: what the telephone hears of it, and where the engine is sent.
import { expect, test } from "vitest";
import type { LegForm } from "../../../src/core/call/model/matrix-leg.ts";
import { callId } from "../../../src/core/ids.ts";
import { createCallMedia } from "../../../src/media/negotiation/negotiation.ts";
import { seatDescription, type Seat, type SeatId } from "../../../src/ports/conference.ts";
import { type CallMedia, MediaError, type MediaSession } from "../../../src/ports/media.ts";
import { elementSdp, gatewaySdp } from "../../core/sdp/samples.ts";
import { FakeMediaEngine } from "../../fakes/media-engine.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

const call = callId("c-1");
const trunk = { kind: "trunk", media: { srtp: "off", codecs: ["PCMA", "PCMU"], rtpNetworks: [] }, leg: call } as const;
const leg = { kind: "leg", form: { kind: "rtc", media: "own" } as unknown as LegForm } as const;
const client = { kind: "client", iceServers: [], codecs: ["PCMA", "PCMU"] } as const;
const conversions = [
  { between: ["opus", "PCMA"], price: 2 },
  { between: ["opus", "PCMU"], price: 2 },
] as const;

const seat = "ann's" as SeatId;
const place: Seat = {
  check: async () => undefined,
  admit: async () => ({ url: "ws://sfu", token: "t" }),
  attend: () => () => undefined,
  met: () => undefined,
};
const conferences = { seat: (id: SeatId) => ({ ...place, id }) };

function conferring(ends: FakeMediaEngine["capabilities"]["ends"] = ["client", "trunk", "conference"]): {
  engine: FakeMediaEngine;
  media: CallMedia<string>;
} {
  const engine = new FakeMediaEngine({ ends, conversions });
  return { engine, media: createCallMedia(engine, new FakeTelemetry().log, { conferences }) };
}

test("the telephone is offered its own codecs, and what it answers takes us into the conference", async () => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  const { kind, description } = await session.offer("a", seatDescription(seat));
  expect({ kind, formats: /m=audio \d+ RTP\/AVP (.*)\r/.exec(description)?.[1] }).toEqual({
    kind: "forward",
    formats: "8 0 101",
  });
  const [opened] = engine.sessions;
  expect(opened?.remotes).toEqual({});
  expect(await session.answer("b", gatewaySdp())).toBe("");
  expect(opened?.remotes).toMatchObject({ a: { kind: "conference", seat: { id: seat } }, b: { kind: "trunk" } });
  expect(opened?.flows).toMatchObject({ codecs: { a: "opus", b: "PCMU" }, a: { isOpen: true }, b: { isOpen: true } });
});

test.each([
  ["in a conference", leg],
  ["by its client or in a conference", client],
])("whom the telephone reaches %s answers from a conference", async (_, end) => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: end, b: trunk }, () => undefined);
  const offer = await session.offer("b", gatewaySdp());
  expect(offer).toMatchObject({
    kind: "forward",
    description: end.kind === "leg" ? "" : expect.stringContaining("SAVPF"),
  });
  expect(await session.answer("a", seatDescription(seat))).toContain("m=audio");
  const [opened] = engine.sessions;
  expect(opened?.remotes).toMatchObject({ a: { kind: "conference", seat: { id: seat } }, b: { kind: "trunk" } });
  expect(opened?.flows?.codecs).toEqual({ a: "opus", b: "PCMU" });
});

test("the telephone holds and moves on without a word to the conference, which is entered once", async () => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await session.offer("a", seatDescription(seat));
  await session.answer("b", gatewaySdp());
  const [opened] = engine.sessions;
  const { a } = opened?.remotes ?? {};
  const held = await session.offer("b", gatewaySdp({ lines: ["a=sendonly"] }));
  expect(held).toMatchObject({ kind: "settled", description: expect.stringContaining("a=recvonly") });
  expect(opened?.flows).toMatchObject({ a: { isOpen: false }, isHeld: true });
  expect(opened?.remotes["a"]).toBe(a);
});

test("no telephone is called for somebody at a media server that does not let us in", async () => {
  const engine = new FakeMediaEngine({ ends: ["client", "trunk", "conference"], conversions });
  const check = async (): Promise<void> => {
    throw new MediaError("no-admission", "not allowed");
  };
  const media = createCallMedia(engine, new FakeTelemetry().log, {
    conferences: { seat: () => ({ ...place, check }) },
  });
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await expect(session.offer("a", seatDescription(seat))).rejects.toMatchObject({ code: "no-admission" });
});

test("the ringing tone is played in the conference, which is entered for it, and to nobody else", async () => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await session.offer("a", seatDescription(seat));
  await session.ring("a");
  const [opened] = engine.sessions;
  expect(opened).toMatchObject({
    remotes: { a: { kind: "conference", seat: { id: seat } } },
    rang: ["a"],
    flows: undefined,
  });
  const { a } = opened?.remotes ?? {};
  await session.answer("b", gatewaySdp());
  expect(opened?.flows?.codecs).toEqual({ a: "opus", b: "PCMU" });
  expect(opened?.remotes["a"]).toBe(a);
  const clients = await media.open(
    { call: callId("c-2"), a: client, b: { ...trunk, leg: callId("c-2") } },
    () => undefined,
  );
  await clients.offer("a", elementSdp("out-invite"));
  await clients.ring("a");
  expect(engine.opened[1]?.rang).toEqual([]);
});

test("keys that the person says go to the telephone", async () => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await session.offer("a", seatDescription(seat));
  await session.answer("b", gatewaySdp({ formats: "0 101", lines: ["a=rtpmap:101 telephone-event/8000"] }));
  void session.sendDtmf("b", "5", 100);
  await session.stats();
  expect(engine.opened[0]?.digits).toEqual([{ to: "b", digit: "5" }]);
});

test.each([
  [
    "that is called",
    async (session: MediaSession<string>) => {
      await session.offer("a", seatDescription(seat));
      await session.answer("b", gatewaySdp());
    },
  ],
  [
    "that calls",
    async (session: MediaSession<string>) => {
      await session.offer("b", gatewaySdp());
      await session.answer("a", seatDescription(seat));
    },
  ],
])("keys of a telephone %s go nowhere: a conference takes none, and nobody is told that it did", async (_, talk) => {
  const { engine, media } = conferring();
  const session = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await talk(session);
  expect(await session.sendDtmf("a", "5", 100)).toBe(false);
  expect(await session.sendDtmf("b", "5", 100)).toBe(true);
  const [opened] = engine.opened;
  expect(opened?.digits).toEqual([{ to: "b", digit: "5" }]);
  expect(opened?.flows?.b.crossings.get(101)).toMatchObject({ isEvent: true, isRelayed: false });
});

test("SDP from an end that is a conference is refused, and so is a conference in the middle of a client's call", async () => {
  const { media } = conferring();
  const conference = await media.open({ call, a: leg, b: trunk }, () => undefined);
  await expect(conference.offer("a", elementSdp("out-invite"))).rejects.toMatchObject({
    code: "bad-description",
    message: "no seat in a conference",
  });
  const session = await media.open({ call, a: client, b: trunk }, () => undefined);
  await session.offer("a", elementSdp("out-invite"));
  await session.answer("b", gatewaySdp());
  await expect(session.offer("a", seatDescription(seat))).rejects.toMatchObject({ code: "bad-description" });
});

test("an engine without conferences refuses such an end, and a client's that turns out to be one", async () => {
  const { media } = conferring(["client", "trunk"]);
  await expect(media.open({ call, a: leg, b: trunk }, () => undefined)).rejects.toMatchObject({
    code: "engine",
    message: "the media engine has no end for a client of the kind rtc",
  });
  const session = await media.open({ call, a: client, b: trunk }, () => undefined);
  await session.offer("b", gatewaySdp());
  await expect(session.answer("a", seatDescription(seat))).rejects.toMatchObject({ code: "bad-description" });
});
