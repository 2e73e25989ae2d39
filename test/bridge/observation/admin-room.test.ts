// What admins read in their room, and how often.
import { setImmediate as turn } from "node:timers/promises";
import { expect, test } from "vitest";
import { AdminRoom } from "../../../src/bridge/observation/admin-room.ts";
import { roomId, trunkName, type UserId } from "../../../src/core/ids.ts";
import type { BridgeEvent } from "../../../src/ports/admin/bridge-event.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { FakeDoor } from "../../fakes/admin-door.ts";
import { FakeHomeserver } from "../../fakes/homeserver.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

type WithoutTime<Event> = Event extends unknown ? Omit<Event, "atMs"> : never;

const room = roomId("!admins:example.org");
const main = trunkName("main");
const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;

function rig({ named }: { readonly named: typeof room | undefined } = { named: room }) {
  const clock = new VirtualClock();
  const homeserver = new FakeHomeserver();
  const telemetry = new FakeTelemetry();
  const adminRoom = new AdminRoom({ homeserver, room: () => named, clock, log: telemetry.log });
  const atMs = clock.wallMs();
  return {
    homeserver,
    telemetry,
    clock,
    happens: async (...events: readonly WithoutTime<BridgeEvent>[]) => {
      for (const event of events) adminRoom.take({ atMs, ...event });
      for (let turns = 0; turns < 5; turns += 1) await turn();
    },
    after: async (ms: number) => {
      clock.advance(ms);
      for (let turns = 0; turns < 5; turns += 1) await turn();
    },
    read: () => homeserver.notices.map(({ text }) => text),
  };
}

const down = { kind: "trunk.down", trunk: main, detail: "OPTIONS not answered" } as const;
const up = { kind: "trunk.up", trunk: main, detail: "OPTIONS answered 200" } as const;

test("a trunk that stays down is told after half a minute, and that it is back", async () => {
  const { happens, after, read, homeserver } = rig();
  await happens(down);
  await after(29_999);
  expect(read()).toEqual([]);
  await after(1);
  await after(12 * minuteMs);
  await happens(up);
  expect(read()).toEqual([
    "Trunk main is down: OPTIONS not answered. No calls get through on it.",
    "Trunk main is up again. It was down for 12 min 30 s.",
  ]);
  expect(homeserver.notices[0]).toMatchObject({ room, as: homeserver.bot });
});

test("a trunk that is back at once is not told", async () => {
  const { happens, after, read } = rig();
  await happens(down);
  await after(10_000);
  await happens(up);
  await after(minuteMs);
  expect(read()).toEqual([]);
});

test("the database and certificates are told at once, calls are not", async () => {
  const { happens, read, clock } = rig();
  const ends = (days: number) =>
    ({ kind: "certificate.ending", trunk: main, endsAtMs: clock.wallMs() + days * dayMs }) as const;
  await happens({ kind: "store.failed", reason: "disk is full" }, { kind: "store.mended" });
  await happens(ends(14), ends(1), ends(0.5), ends(-1));
  await happens({ kind: "message.failed", direction: "outbound" });
  expect(read()).toEqual([
    "The database cannot be written: disk is full. Calls that are up go on, new ones are refused.",
    "The database can be written again.",
    "The bridge's certificate for trunk main ends in 14 days. Renew the file that trunks[main].tls.certificate holds.",
    "The bridge's certificate for trunk main ends tomorrow. Renew the file that trunks[main].tls.certificate holds.",
    "The bridge's certificate for trunk main ends today. Renew the file that trunks[main].tls.certificate holds.",
    "The bridge's certificate for trunk main is not valid any more. Renew the file that trunks[main].tls.certificate holds.",
  ]);
});

test("calls that are held are told with what releases them", async () => {
  const { happens, read } = rig();
  const person = "@ann:example.org" as UserId;
  const why = "6 short calls to +37129… within an hour";
  await happens({ kind: "pattern.held", person, prefix: "37129", shape: "short-calls", why });
  expect(read()).toEqual([
    `Calls of ${person} to +37129… are held because they look like fraud: ${why}. To release them, write to me alone “allow ${person} +37129”, or run “calls allow ${person} +37129”.`,
  ]);
});

test("limits are told at 80 % and when they are met, by whose calls", async () => {
  const { happens, read } = rig();
  const person = "@ann:example.org" as UserId;
  const money = { span: "day", of: "money", limit: 5_000_000, used: 4_100_000, currency: "EUR", person } as const;
  const time = { span: "month", of: "seconds", limit: 36_000, used: 36_000, currency: "EUR", person } as const;
  await happens(
    { kind: "limit.warned", scope: { kind: "user", name: person }, ...money },
    { kind: "limit.reached", scope: { kind: "trunk", name: main }, ...time },
    { kind: "limit.reached", scope: { kind: "country", name: "GB" }, ...time },
    { kind: "limit.warned", scope: { kind: "bridge", name: "" }, ...money },
  );
  expect(read()).toEqual([
    "4.10 EUR of 5.00 EUR for today is used by calls of @ann:example.org.",
    "A limit is met, so calls are refused: 600 minutes of 600 minutes for this month are used by calls over trunk main.",
    "A limit is met, so calls are refused: 600 minutes of 600 minutes for this month are used by calls to the United Kingdom.",
    "4.10 EUR of 5.00 EUR for today is used by calls of everybody.",
  ]);
});

test("one-way audio, and that calls are stopped, are told with what to do", async () => {
  const { happens, read } = rig();
  const [call] = await new FakeDoor().calls();
  if (call === undefined) throw new Error("no call");
  await happens(
    { kind: "call.one-way-audio", call, silent: "b" },
    { kind: "call.one-way-audio", call, silent: "a" },
    { kind: "calls.stopped", scope: { kind: "bridge", name: "" }, inbound: true, who: "uid 998" },
    { kind: "calls.started", scope: { kind: "bridge", name: "" } },
    { kind: "calls.stopped", scope: { kind: "trunk", name: main }, inbound: false, who: "uid 998" },
  );
  expect(read()).toEqual([
    "In call c-1 over trunk main, nothing was heard of the telephone for 10 s after the answer. “calls show c-1” has more.",
    "In call c-1 over trunk main, nothing was heard of @ann:example.org for 10 s after the answer. “calls show c-1” has more.",
    "uid 998 has stopped all calls. “calls start” lets them begin again.",
    "Outgoing calls may begin again.",
    "uid 998 has stopped outgoing calls over trunk main. “calls start --trunk main” lets them begin again.",
  ]);
});

test("what repeats without end is counted", async () => {
  const { happens, after, read } = rig();
  for (let times = 0; times < 40; times += 1) await happens({ kind: "store.mended" });
  expect(read()).toHaveLength(30);
  await after(2 * minuteMs);
  await happens({ kind: "store.failed", reason: "disk is full" });
  expect(read().at(-1)).toMatch(/^10 more of these are in the log\.\nThe database cannot be written/);
});

test("nobody is told where the configuration names no room", async () => {
  const { happens, read } = rig({ named: undefined });
  await happens({ kind: "store.mended" });
  expect(read()).toEqual([]);
});

test("a room that the bot is not in is joined, and if that fails the log has what could not be told", async () => {
  const { happens, homeserver, telemetry, read } = rig();
  homeserver.failure = new HomeserverError("M_FORBIDDEN", "not in the room", false);
  homeserver.failOnce();
  await happens({ kind: "store.mended" });
  expect(homeserver.joined).toEqual([{ room, user: homeserver.bot }]);
  expect(read()).toEqual(["The database can be written again."]);
  homeserver.failure = new HomeserverError("M_FORBIDDEN", "not invited", false);
  await happens({ kind: "store.mended" });
  expect(telemetry.lines.map(({ message }) => message)).toEqual([
    "admin room cannot be told: invite the bot there, and check admin.room",
  ]);
});
