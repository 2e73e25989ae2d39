// Who is told with what our frames are encrypted, and whose keys are kept.
import { beforeEach, expect, test } from "vitest";
import { deviceId, eventId, matrixCallId, roomId, type RoomId, type UserId } from "../../../src/core/ids.ts";
import type { HearLetter } from "../../../src/matrix/encryption/protocol.ts";
import { FrameKeys } from "../../../src/matrix/rtc/frame-keys.ts";
import { type RtcCall, seatOf } from "../../../src/matrix/rtc/tracker/rtc-call.ts";
import { RtcTracker } from "../../../src/matrix/rtc/tracker/tracker.ts";
import type { RtcMembership } from "../../../src/matrix/wire/rtc.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog } from "../edge-rig.ts";

const room = roomId("!r:example.org");
const ann = "@ann:example.org" as UserId;
const bob = "@bob:example.org" as UserId;
const ghost = "@_sip_030901820:example.org" as UserId;
const seat = seatOf(room, matrixCallId("ours"));
const call: RtcCall = {
  seat,
  room,
  matrixCallId: matrixCallId("ours"),
  device: deviceId("SIP1"),
  ghost,
  service: "https://rtc.example.org",
  state: { kind: "ringing", named: undefined, notifications: [] },
};

interface Sent {
  readonly to: UserId;
  readonly index: number;
  readonly key: string;
}

let clock: VirtualClock;
let tracker: RtcTracker;
let keys: FrameKeys;
let sent: Sent[];
let hear: HearLetter;
let fetched: number;
let encrypted: Promise<boolean>;
let count = 0;

beforeEach(() => {
  clock = new VirtualClock();
  sent = [];
  fetched = 0;
  encrypted = Promise.resolve(true);
  const log = collectingLog([]);
  tracker = new RtcTracker({
    isOwn: (user) => user === ghost,
    placeIn: async () => ({ device: deviceId("SIP1") }),
    find: async () => undefined,
    isConversation: async () => true,
    emit: () => undefined,
    clock,
    log,
  });
  const letters = {
    arePushed: false,
    address: async () => "SIP1",
    fetch: async () => {
      fetched += 1;
    },
    listen: (listener: HearLetter) => {
      hear = listener;
    },
    write: async (_from: UserId, to: UserId, _device: string, _type: string, content: object) => {
      const { keys: told } = content as { keys: { index: number; key: string } };
      sent.push({ to, ...told });
    },
  };
  const encryption = { works: true, isEncrypted: () => encrypted, letters };
  keys = new FrameKeys({ encryption, tracker, changed: () => undefined, clock, log });
});

function membership(user: UserId): RtcMembership {
  const device = deviceId("PHONE");
  const key = `state ${user}`;
  const services = ["https://rtc.example.org"];
  const stay = { format: "state", meets: "own", expiresInMs: 14_400_000, renewed: false, stay: undefined } as const;
  return { key, user, device, identity: `${user}:${device}`, services, ...stay };
}

async function takes(user: UserId, kind: "rtc.joined" | "rtc.left", where: RoomId = room): Promise<void> {
  count += 1;
  const origin = { eventId: eventId(`$e${count}`), room: where, sender: user, ageMs: 0, receivedAtMs: clock.nowMs() };
  const one = membership(user);
  await tracker.take(kind === "rtc.joined" ? { ...origin, kind, membership: one } : { ...origin, kind, key: one.key });
}

async function talking(): Promise<void> {
  tracker.ring(call);
  await keys.prepare(call, ghost);
  await takes(ann, "rtc.joined");
  await takes(bob, "rtc.joined");
  keys.tell(seat);
}

const keyOf = (): string =>
  Buffer.from(keys.own(seat)?.secret ?? [])
    .toString("base64")
    .replaceAll("=", "");

test("who comes while our key changes is told the new one, and hears us with it", async () => {
  await talking();
  await takes(bob, "rtc.left");
  const late = "@carol:example.org" as UserId;
  await takes(late, "rtc.joined");
  clock.advance(1_000);
  expect(sent.filter(({ to }) => to === late)).toEqual([{ to: late, index: 1, key: keyOf() }]);
});

test("of two who leave within a second, each makes a key of its own number", async () => {
  await talking();
  await takes("@carol:example.org" as UserId, "rtc.joined");
  await takes(bob, "rtc.left");
  clock.advance(500);
  await takes("@carol:example.org" as UserId, "rtc.left");
  const known = new Map(sent.filter(({ to }) => to === ann).map(({ index, key }) => [index, key]));
  for (const ms of [500, 500]) {
    clock.advance(ms);
    expect(known.get(keys.own(seat)?.index ?? -1)).toBe(keyOf());
  }
  expect(keys.own(seat)?.index).toBe(2);
});

test("a client that was restarted, and takes its place again, is told our key again", async () => {
  await talking();
  await takes(ann, "rtc.joined");
  expect(sent.filter(({ to }) => to === ann)).toHaveLength(2);
});

test("for a call that ended before its room was known to be encrypted, nothing is asked for any more", async () => {
  let known: (is: boolean) => void = () => undefined;
  encrypted = new Promise((resolve) => {
    known = resolve;
  });
  tracker.ring(call);
  const prepared = keys.prepare(call, ghost);
  tracker.over(seat);
  keys.over(seat);
  known(true);
  await prepared;
  clock.advance(10_000);
  expect(keys.own(seat)).toBe(undefined);
  expect(fetched).toBe(0);
});

test("a crowd that tells keys in a call of its own makes no other call's keys forgotten", async () => {
  await talking();
  const tell = (user: string, where: RoomId): void => {
    const content = {
      keys: { index: 0, key: Buffer.alloc(16, 1).toString("base64") },
      room_id: where,
      member: { claimed_device_id: "PHONE" },
    };
    hear(ghost, { sender: user, device: "PHONE", type: "io.element.call.encryption_keys", content });
  };
  tell(ann, room);
  const theirs = roomId("!theirs:evil.example");
  await takes("@mallory:evil.example" as UserId, "rtc.joined", theirs);
  for (let index = 0; index < 3_000; index++) tell(`@m${index}:evil.example`, theirs);
  expect(keys.of(room, membership(ann))).toHaveLength(1);
});
