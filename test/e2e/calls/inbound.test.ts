// A telephone calls a number, and it rings in Matrix clients: answered, declined, missed, given up. Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited, lineIn } from "../parts/clients/called.ts";
import { silenceAt } from "../parts/base/hearing.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { openRtpEar } from "../parts/telephones/rtp-ear.ts";
import { startSipp } from "../parts/telephones/sipp.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const DESK_HZ = 440;
const POCKET_HZ = 700;
const PHONE_HZ = 1000;
const SLOW_HZ = 1600;

const NUMBERS = { phone: "01632960101", slow: "01632960103" } as const;
const ALICE = "2001";
/** The same person, rung for a shorter time. */
const ALICE_BRIEFLY = "2002";
/** It leads to the bridge, and there to nobody. */
const NOBODY = "2009";

const rig = suiteRig("inbound");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
/** It answers when it is told to. */
let slow: Baresip;
let desk: Browser;
let pocket: Browser;
let running: RunningProcess;
/** Alice's room with the telephone. */
let room: string;

beforeAll(async () => {
  const user = "@alice:example.org";
  stage = await startStage(rig, NUMBERS, {
    inbound: {
      trunks: { [ALICE]: "main", [ALICE_BRIEFLY]: "main", [NOBODY]: "main" },
      table: () => [
        { number: ALICE, user },
        { number: ALICE_BRIEFLY, user, ring_seconds: 5 },
      ],
    },
    // The trunk tells numbers as they are written at home, and wants them so.
    main: { number_format: "national", inbound: { caller_name: true } },
  });
  running = stage.running;
  const account = await stage.synapse.register("alice");
  const homeserver = stage.synapse.url;
  [phone, slow, desk, pocket] = await Promise.all([
    startBaresip(rig, {
      number: NUMBERS.phone,
      displayName: "Dr Watson",
      port: stage.ports.phone,
      toneHz: PHONE_HZ,
    }),
    startBaresip(rig, { number: NUMBERS.slow, port: stage.ports.slow, toneHz: SLOW_HZ, answers: "when told" }),
    startBrowser(rig, { homeserver, account, toneHz: DESK_HZ }),
    // The same person once more; the whole user id keeps the two browsers' folders apart.
    startBrowser(rig, { homeserver, account: { ...account, user: account.userId }, toneHz: POCKET_HZ }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([desk.phone.hangupAll(), pocket.phone.hangupAll()]));

const addressOf = (number: string): string => `sip:${number}@127.0.0.1:${stage.proxy.port}`;

/** A telephone calls; gives a way to wait for what becomes of it there. */
async function call(number: string, telephone = phone) {
  const from = telephone.events.length;
  await telephone.dial(addressOf(number));
  return (type: string) => telephone.event(type, { from });
}

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atDesk = () => ({ hears: desk.hears, hz: DESK_HZ });
const atPocket = () => ({ hears: pocket.hears, hz: POCKET_HZ });

describe("A telephone that calls a person", () => {
  it("is answered by who comes into the room while it rings; the telephone hangs up", async () => {
    const phoneSees = await call(ALICE);
    room = await joinsWhenInvited(desk);
    const { matrixCallId } = await desk.ringing();
    await phoneSees("CALL_RINGING");
    await desk.phone.answer();
    await desk.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atDesk(), [POCKET_HZ]);
    await phone.hangup();
    expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote", errors: [] });
  });

  it("is shown by its name, and is called back from its room", async () => {
    const [sender = ""] = await desk.phone.lookup("+441632960101");
    await until("the name", async () => (await desk.phone.displayName(room, sender)) === "Dr Watson");
    const from = phone.events.length;
    await desk.phone.callIn(room);
    await desk.inState("connected");
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atDesk());
    await phone.hangup();
    expect(await desk.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
  });

  it("rings both devices; the second answers, and the first falls silent", async () => {
    const phoneSees = await call(ALICE);
    const [{ matrixCallId, roomId }] = await Promise.all([desk.ringing(), pocket.ringing()]);
    expect(roomId).toBe(room);
    await pocket.phone.answer();
    await pocket.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    expect((await endAt(desk, matrixCallId)).hangupReason).toBe("answered_elsewhere");
    await hearEachOther(atPhone(), atPocket(), [DESK_HZ]);
    await pocket.phone.hangup();
    await phoneSees("CALL_CLOSED");
    expect(await endAt(pocket, matrixCallId)).toMatchObject({ hangupParty: "local", errors: [] });
  });

  it("hears silence while the person is muted, and the person again after that", async () => {
    const phoneSees = await call(ALICE);
    await desk.ringing();
    await desk.phone.answer();
    await desk.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atDesk());
    await desk.phone.mute(true);
    await silenceAt(phone.hears);
    await desk.phone.mute(false);
    await hearEachOther(atPhone(), atDesk());
    await desk.phone.hangup();
    await phoneSees("CALL_CLOSED");
  });

  it("is declined on one device: the telephone hears so, and the other device falls silent", async () => {
    const phoneSees = await call(ALICE);
    const [{ matrixCallId }] = await Promise.all([desk.ringing(), pocket.ringing()]);
    await desk.phone.reject();
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^603 /);
    await Promise.all([endAt(desk, matrixCallId), endAt(pocket, matrixCallId)]);
  });

  it("hears that nobody is there, and both devices fall silent", async () => {
    const phoneSees = await call(ALICE_BRIEFLY);
    const [{ matrixCallId }] = await Promise.all([desk.ringing(), pocket.ringing()]);
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^480 /);
    await Promise.all([endAt(desk, matrixCallId), endAt(pocket, matrixCallId)]);
  });

  it("gives up: nothing rings any longer, and of all these calls the bridge has written nothing", async () => {
    const phoneSees = await call(ALICE);
    const [{ matrixCallId }] = await Promise.all([desk.ringing(), pocket.ringing()]);
    await phone.hangup();
    await phoneSees("CALL_CLOSED");
    await Promise.all([endAt(desk, matrixCallId), endAt(pocket, matrixCallId)]);
    const lines = (await pocket.phone.messages()).filter((one) => one.roomId === room).map(({ body }) => body);
    expect(lines).toEqual([]);
  });

  it("is Anonymous where it withholds its number, and cannot be called", async () => {
    const own = testRig();
    const ear = await openRtpEar(own, { toneHz: PHONE_HZ });
    const caller = await startSipp(own, {
      scenario: "uac-anonymous",
      target: `127.0.0.1:${stage.proxy.port}`,
      number: ALICE,
      rtpPort: ear.port,
    });
    const place = await joinsWhenInvited(desk);
    expect(place).not.toBe(room);
    const { matrixCallId } = await desk.ringing();
    await desk.phone.answer();
    await desk.inState("connected");
    await hearEachOther({ hears: ear.hears, hz: PHONE_HZ }, atDesk());
    await desk.phone.hangup();
    await caller.done();
    await endAt(desk, matrixCallId);
    await desk.phone.callIn(place);
    expect(await desk.inState("ended")).toMatchObject({ shown: "Call Failed" });
    const { sender } = await lineIn(desk, place, /withheld their number/);
    expect(await desk.phone.displayName(place, sender)).toBe("Anonymous");
  });

  it("hears that a number of ours which rings nobody is not in service", async () => {
    const phoneSees = await call(NOBODY);
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^404 /);
  });
});

/** From now on the device hears of nothing, until it is let go on. */
async function deafen(device: Browser, place: string): Promise<() => Promise<void>> {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let held = false;
  const isSync = (url: URL): boolean => url.pathname.endsWith("/sync");
  await device.page.route(isSync, async (route) => {
    held = true;
    await opened;
    await route.continue();
  });
  // The request that waits now is over with the next event.
  await device.phone.send(place, "One moment.");
  await until("the device to ask again", () => held);
  return async () => {
    open();
    await device.page.unrouteAll({ behavior: "wait" });
  };
}

describe("A telephone and a person who call each other at the same moment", () => {
  const atSlow = () => ({ hears: slow.hears, hz: SLOW_HZ });
  let place: string;

  it("talk in the person's call where that was first at the bridge", async () => {
    const callee = slow.events.length;
    const { roomId, matrixCallId } = await desk.phone.dial(NUMBERS.slow);
    place = roomId;
    await slow.event("CALL_INCOMING", { from: callee });
    const slowSees = await call(ALICE, slow);
    await slowSees("CALL_ESTABLISHED");
    await desk.inState("connected");
    await hearEachOther(atSlow(), atDesk(), [PHONE_HZ, POCKET_HZ]);
    const calls = (await desk.phone.calls()).filter(({ state }) => state !== "ended");
    expect(calls.map((each) => each.matrixCallId)).toEqual([matrixCallId]);
    await slow.event("CALL_CLOSED", { from: callee });
    await desk.phone.hangup();
    expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "local", errors: [] });
    await until("both calls of the telephone to be over", () => {
      return slow.events.slice(callee).filter(({ type }) => type === "CALL_CLOSED").length === 2;
    });
  });

  it("talk in the person's call where the telephone's was first, and the client had not heard of it", async () => {
    const slowSees = await call(ALICE, slow);
    // The room in which she dialled the number, although the trunk writes it otherwise.
    const { roomId: other } = await desk.ringing();
    await desk.phone.reject();
    await slowSees("CALL_CLOSED");
    expect(other).toBe(place);

    const from = slow.events.length;
    const hear = await deafen(desk, other);
    await call(ALICE, slow);
    await slow.event("CALL_RINGING", { from });
    const { matrixCallId } = await desk.phone.callIn(other);
    await slow.event("CALL_ESTABLISHED", { from });
    await hear();
    await until("the call to stand", async () => (await desk.report(matrixCallId)).state === "connected");
    await hearEachOther(atSlow(), atDesk(), [PHONE_HZ, POCKET_HZ]);
    const calls = (await desk.phone.calls()).filter(({ state }) => state !== "ended");
    expect(calls.map((each) => each.matrixCallId)).toEqual([matrixCallId]);
    await slow.hangup();
    expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote" });
  });

  it("talk in the person's call where the client rings already", async () => {
    const slowSees = await call(ALICE, slow);
    const { matrixCallId: theirs, roomId } = await desk.ringing();
    const { matrixCallId } = await desk.phone.callIn(roomId);
    await slowSees("CALL_ESTABLISHED");
    await until("the call to stand", async () => (await desk.report(matrixCallId)).state === "connected");
    await hearEachOther(atSlow(), atDesk(), [PHONE_HZ, POCKET_HZ]);
    await endAt(desk, theirs);
    await slow.hangup();
    await endAt(desk, matrixCallId);
  });
});

describe("The bridge", () => {
  it("that is killed in a telephone's call ends it on both sides when it is back, and rings for the next", async () => {
    const phoneSees = await call(ALICE);
    const { matrixCallId } = await desk.ringing();
    await desk.phone.answer();
    await desk.inState("connected");
    await phoneSees("CALL_ESTABLISHED");
    await restart();
    await phoneSees("CALL_CLOSED");
    expect(await endAt(desk, matrixCallId)).toMatchObject({ hangupParty: "remote" });

    const ringing = await call(ALICE);
    await desk.ringing();
    await desk.phone.reject();
    expect((await ringing("CALL_CLOSED"))["param"]).toMatch(/^603 /);
  });

  it("that is killed while it rings lets nothing ring on", async () => {
    const phoneSees = await call(ALICE);
    const [{ matrixCallId }] = await Promise.all([desk.ringing(), pocket.ringing()]);
    await restart();
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^[4-6]\d\d /);
    await Promise.all([endAt(desk, matrixCallId), endAt(pocket, matrixCallId)]);
  });

  async function restart(): Promise<void> {
    running.signal("SIGKILL");
    await running.exited;
    running = await stage.bridge.start();
  }
});
