// What is kept of calls, for how long, and what a flood pushes out.
import { beforeEach, describe, expect, test } from "vitest";
import { callId, matrixCallId, roomId, sipCallId, trunkName, type CallId, type UserId } from "../../src/core/ids.ts";
import { Ladders } from "../../src/ladders/ladders.ts";
import { sipText } from "./said.ts";
import { FakeTelemetry } from "../fakes/telemetry.ts";
import { VirtualClock } from "../fakes/virtual-clock.ts";

const hour = 3_600_000;
const main = trunkName("main");
const room = roomId("!dm:example.org");
const one = callId("c-1");

let clock: VirtualClock;
let ladders: Ladders;

function open(memoryBytes: number): void {
  clock = new VirtualClock();
  const shownNumber = (number: string): string => number.replaceAll(/\d/g, "*");
  const { log } = new FakeTelemetry();
  ladders = new Ladders({ settings: { keepMs: hour, memoryBytes }, ghostPrefix: "_sip_", shownNumber, clock, log });
}
beforeEach(() => open(32 * 1024 * 1024));

function sip(way: "in" | "out", start: string, dialog: string, more = ""): void {
  const [local, remote] = [
    { address: "192.0.2.9", port: 5070 },
    { address: "192.0.2.1", port: 5060 },
  ];
  ladders.sip({ trunk: main, way, transport: "udp", local, remote, bytes: sipText(start, dialog, more) });
}

function event(type: string, content: object, id: string): void {
  const sender = "@ann:example.org" as UserId;
  ladders.matrix({ way: "in", room, sender, type, content, id, encrypted: false });
}

async function labels(call: CallId): Promise<readonly string[] | undefined> {
  const found = await ladders.ofCall(call, false);
  return found?.map(({ label, isRepeat, leftOutBefore }) =>
    [leftOutBefore > 0 ? `(${leftOutBefore} left out)` : "", label, isRepeat ? "again" : ""].filter(Boolean).join(" "),
  );
}

function follow(call: CallId, dialogs: readonly string[], matrixCall?: string): void {
  const matrix = matrixCall === undefined ? [] : [{ room, matrixCallId: matrixCallId(matrixCall) }];
  ladders.follow(call, { sip: dialogs.map(sipCallId), matrix });
}

describe("a call's ladder", () => {
  test("has what was said on both sides in order, before the call was known too", async () => {
    event("m.room.member", { membership: "invite" }, "$1");
    event("m.call.invite", { call_id: "m1", version: "1" }, "$2");
    sip("out", "INVITE", "d1");
    follow(one, ["d1"], "m1");
    sip("in", "180", "d1");
    event("m.call.hangup", { call_id: "m1", version: "1" }, "$3");
    sip("in", "INVITE", "of another call");
    expect(await labels(one)).toEqual(["membership invite", "m.call.invite", "INVITE", "180 Ringing", "m.call.hangup"]);
  });

  test("shows what was said again as such", async () => {
    follow(one, ["d1"], "m1");
    for (let times = 0; times < 3; times++) sip("out", "INVITE", "d1");
    event("m.call.answer", { call_id: "m1" }, "$1");
    event("m.call.answer", { call_id: "m1" }, "$1");
    expect(await labels(one)).toEqual([
      "INVITE",
      "INVITE again",
      "INVITE again",
      "m.call.answer",
      "m.call.answer again",
    ]);
    const found = await ladders.ofCall(one, false);
    expect(found?.map(({ text }) => text === "")).toEqual([false, true, true, false, true]);
  });

  test("says what the homeserver did not take", async () => {
    follow(one, [], "m1");
    const said = { way: "out", room, sender: "@_sip_1:example.org" as UserId, type: "m.call.answer", id: "1" } as const;
    const answer = { ...said, content: { call_id: "m1" }, encrypted: false };
    ladders.matrix(answer);
    ladders.matrixRefused({ said: answer, code: "M_FORBIDDEN" });
    expect(await labels(one)).toEqual(["m.call.answer", "M_FORBIDDEN (m.call.answer)"]);
  });

  test("has the legs of calls with which it was joined", async () => {
    const [two, joined] = [callId("c-2"), callId("c-3")];
    sip("out", "INVITE", "d1");
    follow(one, ["d1"], "m1");
    sip("out", "INVITE", "d2");
    follow(two, ["d2"], "m2");
    follow(joined, ["d1", "d2"]);
    event("m.call.invite", { call_id: "m2" }, "$1");
    for (const call of [one, two, joined]) expect(await labels(call)).toEqual(["INVITE", "INVITE", "m.call.invite"]);
  });

  test("masks numbers, and shows them whole to whoever may see them", async () => {
    sip("out", "INVITE", "d1");
    follow(one, ["d1"]);
    expect((await ladders.ofCall(one, false))?.[0]?.text).toMatch(/^INVITE sip:\+\*{12}@192/);
    expect((await ladders.ofCall(one, true))?.[0]?.text).toMatch(/^INVITE sip:\+442079460123@192/);
  });

  test("is kept for as long as the configuration says, and has last words", async () => {
    sip("out", "INVITE", "d1");
    follow(one, ["d1"], "m1");
    event("m.call.invite", { call_id: "m1" }, "$1");
    ladders.ended(one);
    sip("out", "BYE", "d1");
    clock.advance(hour - 1_000);
    sip("in", "INVITE", "another");
    expect(await labels(one)).toEqual(["INVITE", "m.call.invite", "BYE"]);
    clock.advance(10_000);
    sip("in", "INVITE", "yet another");
    expect(await labels(one)).toBeUndefined();
  });

  test("of a call that is up stays, however long the call", async () => {
    sip("out", "INVITE", "d1");
    follow(one, ["d1"]);
    clock.advance(20 * hour);
    sip("in", "BYE", "d1");
    expect(await labels(one)).toEqual(["INVITE", "BYE"]);
  });
});

describe("a flood", () => {
  test("in one call leaves the beginning and the end of it, and says what it took", async () => {
    follow(one, ["d1"]);
    sip("out", "INVITE", "d1");
    for (let count = 0; count < 5_000; count++) sip("in", "INFO", "d1", `X: ${count}`);
    sip("in", "BYE", "d1");
    const found = (await labels(one)) ?? [];
    expect(found.length).toBeLessThanOrEqual(401);
    expect([found[0], found.at(-1)]).toEqual(["INVITE", "BYE"]);
    expect(found.filter((label) => label.includes("left out"))).toEqual([
      expect.stringMatching(/^\(46\d\d left out\) INFO$/),
    ]);
  });

  test("of refused calls pushes out none that somebody in Matrix heard of", async () => {
    open(1024 * 1024);
    sip("in", "INVITE", "d1");
    follow(one, ["d1"], "m1");
    event("m.call.invite", { call_id: "m1" }, "$1");
    ladders.ended(one);
    for (let count = 0; count < 5_000; count++) {
      const call = callId(`c-refused${count}`);
      sip("in", "INVITE", `refused${count}`);
      follow(call, [`refused${count}`]);
      sip("out", "404", `refused${count}`);
      ladders.ended(call);
    }
    expect(await labels(one)).toEqual(["INVITE", "m.call.invite"]);
    expect(await labels(callId("c-refused4999"))).toEqual(["INVITE", "404 Not Found"]);
    expect(await labels(callId("c-refused0"))).toBeUndefined();
  });

  test("of responses that nobody asked for is not kept", async () => {
    for (let count = 0; count < 100; count++) sip("in", "200", `forged${count}`);
    expect(ladders.ofTrunk(main, false)).toEqual([]);
  });
});

test("a trunk's own ladder has its last messages outside of calls", () => {
  sip("out", "REGISTER", "r1");
  sip("in", "200", "r1");
  for (let count = 0; count < 500; count++) sip("out", "OPTIONS", `o${count}`);
  const found = ladders.ofTrunk(main, false);
  expect(found.length).toBe(80);
  expect(found.at(-1)?.label).toBe("OPTIONS");
  expect(ladders.ofTrunk(trunkName("other"), false)).toEqual([]);
});
