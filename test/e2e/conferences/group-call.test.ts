// Telephones in the call of a room with several people: all hear all. Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { leavesCall, meet, othersOf, rung } from "../parts/clients/rtc-called.ts";
import { makeMeetingRoom } from "../parts/homeservers/meeting-room.ts";
import type { Account, RealHomeserver } from "../parts/homeservers/real-homeserver.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const NUMBERS = { one: "01632960101", two: "01632960102" } as const;
/** The room's own number. */
const MEETING = "2001";
/** Another number of the same room, which wants a PIN. */
const GUARDED = { number: "2002", pin: "482915" } as const;
/** What the telephone hears of the bridge while nobody has taken its call. */
const TONE_HZ = { enter: 1000, wrong: 350, ringing: 425 } as const;
const HZ = { alice: 440, bob: 700, one: 1000, two: 1900 } as const;
type Voice = keyof typeof HZ;
const absentHz = [570, 1450];
/** What lets go of a key of baresip's. */
const KEY_UP = "\x04";
/** Of the power of all, where three speak as loud as each other. */
const faintest = 0.1;
const BOT = "@_sip_bot:example.org";

const rig = suiteRig("rtc-group");
let stage: Stage<keyof typeof NUMBERS>;
let accounts: Record<"alice" | "bob", Account>;
let alice: Browser;
let bob: Browser;
let one: Baresip;
let two: Baresip;
let room: string;

/** Alice and Bob, and the room of both. */
async function makeRoom(homeserver: RealHomeserver): Promise<string> {
  const [a, b] = await Promise.all(["alice", "bob"].map((name) => homeserver.register(name)));
  if (a === undefined || b === undefined) throw new Error("no accounts");
  accounts = { alice: a, bob: b };
  return makeMeetingRoom(homeserver, a, [b.userId, BOT]);
}

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    inbound: {
      trunks: { [MEETING]: "main", [GUARDED.number]: "main" },
      table: async (homeserver) => {
        room = await makeRoom(homeserver);
        return [
          { number: MEETING, room },
          { ...GUARDED, room },
        ];
      },
    },
  });
  const { url: homeserver } = stage.synapse;
  [one, two, alice, bob] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.one, port: stage.ports.one, toneHz: HZ.one }),
    startBaresip(rig, { number: NUMBERS.two, port: stage.ports.two, toneHz: HZ.two }),
    startBrowser(rig, { homeserver, account: accounts.alice, toneHz: HZ.alice }),
    startBrowser(rig, { homeserver, account: accounts.bob, toneHz: HZ.bob }),
  ]);
  await bob.phone.join(room);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([leavesCall(alice), leavesCall(bob)]));

/** The telephone hears each of them, whose tones come together. */
async function hearsAll(telephone: Baresip, ...voices: readonly Voice[]): Promise<void> {
  for (const voice of voices)
    await until(`${voice} to be heard`, async () => {
      const heard = await telephone.hears([HZ[voice], ...absentHz], 1000);
      return heard?.hz === HZ[voice] && heard.ratio > faintest;
    });
}

/** So many others are heard by the person's client. */
const hears = (person: Browser, count: number): Promise<unknown> =>
  until(`${count} others to be heard`, async () => (await person.rtc.report()).heard.length === count);

const ringsOfNumbers = async () => (await bob.rtc.rings()).filter(({ sender }) => sender.startsWith("@_sip_"));

async function dials(
  telephone: Baresip,
  number: string = MEETING,
): Promise<(type: string) => ReturnType<Baresip["event"]>> {
  const from = telephone.events.length;
  await telephone.dial(`sip:${number}@127.0.0.1:${stage.proxy.port}`);
  return (type) => telephone.event(type, { from });
}

describe("A telephone that calls the number of a room", () => {
  it("rings for all, and stays in the call as long as anybody does", async () => {
    const sees = await dials(one);
    await rung(alice);
    await rung(bob);
    await bob.rtc.join(room, { format: "state event" });
    await sees("CALL_ESTABLISHED");
    await alice.rtc.join(room, { format: "state event" });
    await othersOf(alice, 2);
    await bob.rtc.leave();
    await othersOf(alice, 1);
    await hearsAll(one, "alice");
    await alice.rtc.leave();
    await sees("CALL_CLOSED");
  });

  it("comes into the call that is running there, rings nobody, and hears everybody, the other telephone too", async () => {
    await meet(room, alice, bob);
    const before = (await ringsOfNumbers()).length;
    const [first, second] = [await dials(one), await dials(two)];
    await Promise.all([first("CALL_ESTABLISHED"), second("CALL_ESTABLISHED")]);
    await othersOf(alice, 3);
    await Promise.all([hears(alice, 3), hears(bob, 3)]);
    await hearsAll(one, "alice", "bob", "two");
    await hearsAll(two, "alice", "bob", "one");
    expect((await ringsOfNumbers()).length).toBe(before);
    await two.hangup();
    await othersOf(alice, 2);
    await alice.rtc.leave();
    await bob.rtc.leave();
    await first("CALL_CLOSED");
  });

  it("finds nobody in the call of a client that has crashed: it rings for all", async () => {
    const membership = `org.matrix.msc3401.call.member/_${accounts.bob.userId}_CRASHED_m.call`;
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/state/${membership}`;
    const says = (body: object) => stage.synapse.request("PUT", path, { token: accounts.bob.accessToken, body });
    await says({
      application: "m.call",
      call_id: "",
      scope: "m.room",
      device_id: "CRASHED",
      expires: 14_400_000,
      focus_active: { type: "livekit", focus_selection: "multi_sfu" },
      foci_preferred: [{ type: "livekit", livekit_alias: room, livekit_service_url: stage.conferences?.serviceUrl }],
    });
    try {
      const sees = await dials(one);
      await sees("CALL_ESTABLISHED");
      await rung(alice);
      await alice.rtc.join(room, { format: "state event" });
      await hearsAll(one, "alice");
      await alice.rtc.leave();
      await sees("CALL_CLOSED");
    } finally {
      await says({});
    }
  });
});

describe("A person in a call of a room", () => {
  it("invites a telephone by the bot: it rings, hears all and is heard, and stays when they leave", async () => {
    await meet(room, alice, bob);
    const from = two.events.length;
    await alice.phone.send(room, `invite ${NUMBERS.two}`);
    await two.event("CALL_ESTABLISHED", { from });
    await Promise.all([hears(alice, 2), hears(bob, 2)]);
    await hearsAll(two, "alice", "bob");
    await alice.rtc.leave();
    await othersOf(bob, 1);
    await hearsAll(two, "bob");
    await bob.rtc.leave();
    await two.event("CALL_CLOSED", { from });
  });
});

/** One of the bridge's tones, in the last seconds. */
const hearsTone = (telephone: Baresip, tone: keyof typeof TONE_HZ): Promise<unknown> =>
  until(`the tone ${tone} to be heard`, async () => {
    const heard = await telephone.hears(Object.values(TONE_HZ), 1500);
    return heard?.hz === TONE_HZ[tone];
  });

async function presses(telephone: Baresip, keys: string): Promise<void> {
  for (const key of keys) {
    await telephone.command("sndcode", key);
    await telephone.command("sndcode", KEY_UP);
  }
}

describe("A telephone that calls a number with a PIN", () => {
  it("hears a beep, and that a PIN is wrong; with the right one it is in the call, where all hear all", async () => {
    await meet(room, alice, bob);
    const sees = await dials(one, GUARDED.number);
    await sees("CALL_ESTABLISHED");
    await hearsTone(one, "enter");
    await presses(one, "1234#");
    await hearsTone(one, "wrong");
    expect((await alice.rtc.report()).others).toHaveLength(1);
    await presses(one, GUARDED.pin);
    await othersOf(alice, 2);
    await Promise.all([hears(alice, 2), hears(bob, 2)]);
    await hearsAll(one, "alice", "bob");
    await alice.rtc.leave();
    await bob.rtc.leave();
    await sees("CALL_CLOSED");
    expect(stage.running.log.text).not.toContain(GUARDED.pin);
  });

  it("rings for all by the right one, and hears that until somebody joins", async () => {
    const sees = await dials(one, GUARDED.number);
    await sees("CALL_ESTABLISHED");
    await hearsTone(one, "enter");
    await presses(one, GUARDED.pin);
    await rung(bob);
    await hearsTone(one, "ringing");
    await bob.rtc.join(room, { format: "state event" });
    await othersOf(bob, 1);
    await hearsAll(one, "bob");
    await bob.rtc.leave();
    await sees("CALL_CLOSED");
  });

  it("rings nobody by three wrong ones, and is hung up", async () => {
    const before = (await ringsOfNumbers()).length;
    const sees = await dials(two, GUARDED.number);
    await sees("CALL_ESTABLISHED");
    await hearsTone(two, "enter");
    await presses(two, "111111222222333333");
    await sees("CALL_CLOSED");
    expect((await ringsOfNumbers()).length).toBe(before);
    await until("the call to be logged", () => stage.running.log.text.includes('"cause":"pin-wrong"'));
  });
});
