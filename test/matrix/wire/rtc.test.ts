// Events of MatrixRTC that nobody should send, and the words of proposals beside those of today's clients. What real clients
// send is in test/wire/element-call.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEvent } from "../../../src/matrix/wire/event.ts";
import type { RtcEvent } from "../../../src/matrix/wire/rtc.ts";
import { rtcTypes } from "../../../src/matrix/wire/rtc.ts";
import { isRecord } from "./records.ts";

const receivedAtMs = 1_795_400_000_000;
const sender = "@alice:example.org";
const stateType = "org.matrix.msc3401.call.member";
const stickyType = "org.matrix.msc4143.rtc.member";
const ringType = "org.matrix.msc4075.rtc.notification";
const declineType = "org.matrix.msc4310.rtc.decline";
const service = "https://rtc.example.org/livekit/jwt";

const inState = {
  application: "m.call",
  call_id: "",
  scope: "m.room",
  device_id: "PHONE",
  expires: 14_400_000,
  focus_active: { type: "livekit", focus_selection: "multi_sfu" },
  foci_preferred: [{ type: "livekit", livekit_alias: "!r:example.org", livekit_service_url: service }],
};
const sticky = {
  application: { type: "m.call" },
  slot_id: "m.call#ROOM",
  member: { id: "m1", device_id: "PHONE", user_id: sender },
  transports: { published: [{ type: "livekit", livekit_service_url: service }], can_subscribe: ["livekit"] },
  versions: [],
  msc4354_sticky_key: "m1",
};
const ring = {
  "m.mentions": { user_ids: [], room: true },
  notification_type: "ring",
  "m.relates_to": { rel_type: "m.reference", event_id: "$membership" },
  sender_ts: receivedAtMs - 1_000,
  lifetime: 30_000,
};

function event(type: string, content: unknown, more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    event_id: "$1",
    room_id: "!r:example.org",
    sender,
    type,
    content,
    origin_server_ts: receivedAtMs - 1_000,
    unsigned: { age: 5 },
    ...(type === stateType ? { state_key: `_${sender}_PHONE_m.call` } : {}),
    ...more,
  };
}

function read(type: string, content: unknown, more: Record<string, unknown> = {}): RtcEvent | undefined {
  const reading = readEvent(event(type, content, more), receivedAtMs, () => false);
  return reading.kind === "fact" && reading.fact.kind.startsWith("rtc.") ? (reading.fact as RtcEvent) : undefined;
}

describe("a membership", () => {
  it.each([
    ["in state", stateType, inState],
    ["sticky", stickyType, sticky],
  ])("%s names its device and where its media server is", (_, type, content) => {
    expect(read(type, content)).toMatchObject({
      kind: "rtc.joined",
      membership: { user: sender, device: "PHONE", services: [service] },
    });
  });

  it("in the words of the proposals is read too", () => {
    const { member: _m, transports: _t, msc4354_sticky_key: _k, ...rest } = sticky;
    const said = {
      ...rest,
      member: { id: "m1", claimed_device_id: "PHONE", claimed_user_id: sender },
      rtc_transports: [{ type: "livekit", livekit_service_url: service }],
      sticky_key: "m1",
    };
    expect(read("m.rtc.member", said)).toMatchObject({ membership: { device: "PHONE", services: [service] } });
    expect(read("m.rtc.member", { sticky_key: "m1" })).toMatchObject({ kind: "rtc.left" });
  });

  it("ends with an empty one of its own sender, under the same key", () => {
    const joined = read(stateType, inState);
    const left = read(stateType, {});
    const foreign = read(stateType, {}, { sender: "@mallory:example.org" });
    expect(joined?.kind === "rtc.joined" && joined.membership.key).toBe(left?.kind === "rtc.left" && left.key);
    expect(foreign).toMatchObject({ kind: "rtc.left" });
    expect(foreign?.kind === "rtc.left" && foreign.key).not.toBe(left?.kind === "rtc.left" && left.key);
  });

  it.each([
    ["of a thread or an older call", stateType, { ...inState, call_id: "other" }],
    ["in another application", stateType, { ...inState, application: "m.board" }],
    ["without a device", stateType, { ...inState, device_id: undefined }],
    ["with a device that is none", stateType, { ...inState, device_id: "a b" }],
    ["in another slot", stickyType, { ...sticky, slot_id: "m.call#other" }],
    ["of somebody else", stickyType, { ...sticky, member: { ...sticky.member, user_id: "@bob:example.org" } }],
    ["without a sticky key", stickyType, { ...sticky, msc4354_sticky_key: undefined }],
  ])("%s is none", (_, type, content) => {
    expect(read(type, JSON.parse(JSON.stringify(content)))).toBeUndefined();
  });

  it.each([
    "file:///etc/passwd",
    "https://user@rtc.example.org",
    "https://rtc.example.org/?next=x",
    "https://rtc.example.org/#x",
    "javascript:alert(1)",
    `https://rtc.example.org/${"a".repeat(3_000)}`,
    "no address",
  ])("leaves out the service %s", (url) => {
    const foci = [{ type: "livekit", livekit_service_url: url }, inState.foci_preferred[0]];
    expect(read(stateType, { ...inState, foci_preferred: foci })).toMatchObject({
      membership: { services: [service] },
    });
  });

  it("lasts from when it was made, and not for ever", () => {
    const atMs = receivedAtMs - 1_000;
    const renewed = { ...inState, expires: 20_000, created_ts: atMs - 5_000 };
    expect(read(stateType, renewed)).toMatchObject({ membership: { expiresInMs: 14_995, renewed: true } });
    expect(read(stateType, { ...inState, expires: 1e12 })).toMatchObject({ membership: { expiresInMs: 86_400_000 } });
    const brief = { msc4354_sticky: { duration_ms: 9_000 } };
    expect(read(stickyType, sticky, brief)).toMatchObject({ membership: { expiresInMs: 8_995 } });
  });
});

describe("a ring", () => {
  it("lasts from when it was sent by the sender's clock, if that is near the homeserver's", () => {
    expect(read(ringType, { ...ring, sender_ts: receivedAtMs - 3_000 })).toMatchObject({ lifetimeMs: 28_000 });
    expect(read(ringType, { ...ring, sender_ts: receivedAtMs - 90_000 })).toMatchObject({ lifetimeMs: 30_000 });
    expect(read(ringType, { ...ring, lifetime: 1e9 })).toMatchObject({ lifetimeMs: 600_000 });
  });

  it("is for those whom it names, and for everybody where it names the room", () => {
    const named = { user_ids: ["@_sip_1:example.org", 5, "nobody"], room: false };
    expect(read(ringType, { ...ring, "m.mentions": named })).toMatchObject({ named: ["@_sip_1:example.org"] });
    expect(read(ringType, { ...ring, "m.mentions": { ...named, room: true } })).toMatchObject({ named: [] });
  });

  it.each([
    ["that refers to nothing", { ...ring, "m.relates_to": undefined }],
    ["of another kind", { ...ring, notification_type: "whisper" }],
  ])("%s is none", (_, content) => {
    expect(read(ringType, JSON.parse(JSON.stringify(content)))).toBeUndefined();
  });
});

it("whatever stands in the fields of MatrixRTC, reading it never throws, and what is read is bounded", () => {
  const whole: readonly (readonly [string, Record<string, unknown>])[] = [
    [stateType, inState],
    [stickyType, sticky],
    [ringType, ring],
    [declineType, { "m.relates_to": ring["m.relates_to"] }],
  ];
  const spoilt = fc.constantFrom(...whole).chain(([type, content]) =>
    fc.tuple(
      fc.constant(type),
      fc.constantFrom(...Object.keys(content)).chain((name) => {
        const value = content[name];
        const inner = isRecord(value)
          ? fc
              .tuple(fc.constantFrom(...Object.keys(value)), fc.jsonValue())
              .map(([key, bad]) => Object.assign({}, value, { [key]: bad }))
          : fc.jsonValue();
        return fc.oneof(fc.jsonValue(), inner).map((bad) => Object.assign({}, content, { [name]: bad }));
      }),
    ),
  );
  const frame = fc.record(
    {
      state_key: fc.jsonValue(),
      unsigned: fc.jsonValue(),
      msc4354_sticky: fc.jsonValue(),
      origin_server_ts: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(spoilt, frame, ([type, content], around) => {
      const fact = read(type, content, around);
      if (fact?.kind === "rtc.rang") expect(fact.lifetimeMs).toBeLessThanOrEqual(620_000);
      if (fact?.kind !== "rtc.joined") return;
      expect(fact.membership.expiresInMs).toBeGreaterThanOrEqual(0);
      expect(fact.membership.expiresInMs).toBeLessThanOrEqual(86_400_000);
      expect(fact.membership.device).toMatch(/^[\x21-\x7e]{1,255}$/);
      expect(fact.membership.services.length).toBeLessThanOrEqual(10);
    }),
    { numRuns: 1_000 },
  );
  expect(rtcTypes).toEqual(expect.arrayContaining(whole.map(([type]) => type)));
});
