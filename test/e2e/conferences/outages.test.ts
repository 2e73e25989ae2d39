// Calls by MatrixRTC in which a part goes away: the media server, the token service, the bridge, the person's browser.
import { afterEach, beforeAll, expect, it } from "vitest";
import { toneAt } from "../parts/base/hearing.ts";
import type { ElementCallMode } from "../page/element-call/api.ts";
import type { MembershipFormat } from "../page/rtc/api.ts";
import type { RunningProcess } from "../parts/base/process.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { lineIn } from "../parts/clients/called.ts";
import { elementCallOf } from "../parts/clients/element-call.ts";
import { inCall, leavesCall, othersOf, rung, silenced } from "../parts/clients/rtc-called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import type { Conferences } from "../parts/rtc/conferences.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const PERSON_HZ = 440;
const PHONE_HZ = 1000;
const RINGS_FOR_MS = 60_000;
/** The media server takes 20 s to miss a client, and a client tries for a while. */
const PATIENCE_MS = 40_000;
const NUMBERS = { phone: "01632960101", slow: "01632960102" } as const;
const ALICE = "2001";

const rig = suiteRig("rtc-outages");
let stage: Stage<keyof typeof NUMBERS>;
let running: RunningProcess;
let phone: Baresip;
/** It answers when it is told to. */
let slow: Baresip;
let alice: Browser;
let account: Account;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    config: { people: { calls: "rtc" } },
    inbound: { trunks: { [ALICE]: "main" }, table: () => [{ number: ALICE, user: "@alice:example.org" }] },
  });
  running = stage.running;
  account = await stage.synapse.register("alice");
  [phone, slow, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBaresip(rig, { number: NUMBERS.slow, port: stage.ports.slow, toneHz: PHONE_HZ, answers: "when told" }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ }),
  ]);
});

// A test that fails in a call leaves none to the next one. A client rings only in a call in which nobody is yet.
afterEach(async () => {
  await leavesCall(alice);
  await until("the number to be out of the call", async () => !(await isInCall(ghostOf(NUMBERS.phone))), {
    timeoutMs: PATIENCE_MS,
  });
});

async function calls(
  name: keyof typeof NUMBERS,
  person = alice,
  format: MembershipFormat = "state event",
): Promise<string> {
  const room = await person.phone.directRoom(ghostOf(NUMBERS[name]));
  await person.rtc.join(room, { format, ringsForMs: RINGS_FOR_MS });
  return room;
}

/** Whether the number is in the call of its room with Alice. */
async function isInCall(number: string): Promise<boolean> {
  const others = await alice.rtc.othersIn(await alice.phone.directRoom(number));
  return others.some(({ userId }) => userId === number);
}

const hearEachOther = (person = alice, patience: { timeoutMs?: number } = {}) =>
  Promise.all([
    toneAt(person.rtc.heard, PHONE_HZ, [PERSON_HZ], patience),
    toneAt(phone.hears, PERSON_HZ, [PHONE_HZ], patience),
  ]);

/** A person and the telephone talk; gives a way to wait for what becomes of it at the telephone. */
async function talk(person = alice, format: MembershipFormat = "state event") {
  const from = phone.events.length;
  await calls("phone", person, format);
  await phone.event("CALL_ESTABLISHED", { from });
  await hearEachOther(person);
  return (type: string) => phone.event(type, { from, timeoutMs: PATIENCE_MS });
}

async function killBridge(): Promise<void> {
  running.signal("SIGKILL");
  await running.exited;
  running = await stage.bridge.start();
}

it("A media server that is killed and comes back interrupts a call, and does not end it", async () => {
  const { livekit } = stage.conferences ?? expect.fail("the stage has a media server");
  const phoneSees = await talk();
  await livekit.kill();
  await livekit.restart();
  await until("the client to be without the media server", async () => (await alice.rtc.report()).sfu !== "connected");
  await hearEachOther(alice, { timeoutMs: PATIENCE_MS });
  await alice.rtc.leave();
  await phoneSees("CALL_CLOSED");
});

it("A media server that is killed and stays away ends a call on both sides", async () => {
  const { livekit } = stage.conferences ?? expect.fail("the stage has a media server");
  const phoneSees = await talk();
  await livekit.kill();
  try {
    await phoneSees("CALL_CLOSED");
    // The client enters anew meanwhile, so that the room has to say who is in its call.
    await until("the number to be out of the call", async () => !(await isInCall(ghostOf(NUMBERS.phone))));
  } finally {
    await livekit.restart();
  }
});

/** What has happened when a telephone answers, and how it is mended. */
const faults: Record<string, Record<"begin" | "end", (conferences: Conferences) => Promise<void>>> = {
  "is away": {
    begin: (conferences) => conferences.stopService(),
    end: (conferences) => conferences.startService(),
  },
  "believes the homeserver no longer (401)": {
    async begin(conferences) {
      await conferences.stopService();
      await conferences.startService(true);
    },
    async end(conferences) {
      await conferences.stopService();
      await conferences.startService();
    },
  },
  "can make no room at its media server (500)": {
    begin: ({ livekit }) => livekit.kill(),
    end: ({ livekit }) => livekit.restart(),
  },
};

it.each(Object.keys(faults))(
  "A token service that %s when a telephone answers ends the call on both sides, and the person reads so",
  async (name) => {
    const conferences = stage.conferences ?? expect.fail("the stage has a token service");
    const fault = faults[name] ?? expect.fail("no such fault");
    const from = slow.events.length;
    const room = await calls("slow");
    await slow.event("CALL_INCOMING", { from });
    const words = /^The audio connection to your client could not be made\.$/;
    const before = (await alice.phone.messages()).filter((one) => one.roomId === room && words.test(one.body)).length;
    await fault.begin(conferences);
    try {
      await slow.answer();
      await slow.event("CALL_CLOSED", { from, timeoutMs: PATIENCE_MS });
      await lineIn(alice, room, words, before + 1);
      await othersOf(alice, 0);
    } finally {
      await fault.end(conferences);
    }
  },
);

it.each<MembershipFormat>(["state event", "sticky event"])(
  "A bridge that is killed in a call by %s ends it on both sides when it is back, and takes the next one",
  async (format) => {
    const phoneSees = await talk(alice, format);
    expect((await alice.rtc.report()).others).toMatchObject([{ format }]);
    await killBridge();
    await phoneSees("CALL_CLOSED");
    await othersOf(alice, 0);
    await alice.rtc.leave();
    const next = await talk(alice, format);
    await alice.rtc.leave();
    await next("CALL_CLOSED");
  },
);

it("A bridge that is killed while it rings lets nothing ring on when it is back", async () => {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const ring = await rung(alice);
  await killBridge();
  expect(await silenced(alice, ring)).toBe("redacted");
  await phone.event("CALL_CLOSED", { from });
});

it("A browser that is killed in a call ends it at the telephone", async () => {
  const account = await stage.synapse.register("bob");
  const bob = await startBrowser(testRig(), { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ });
  const phoneSees = await talk(bob);
  await bob.crash();
  await phoneSees("CALL_CLOSED");
});

it.each<[ElementCallMode, string]>([
  ["compatibility", "carol"],
  ["matrix_2_0", "dave"],
])(
  "A browser with Element Call in mode %s that is killed ends it, too: the token service sends its leave",
  async (mode, name) => {
    const account = await stage.synapse.register(name);
    const carol = await startBrowser(testRig(), { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ });
    const element = elementCallOf(carol, mode);
    const from = phone.events.length;
    const room = await carol.phone.directRoom(ghostOf(NUMBERS.phone));
    await element.call(room);
    await phone.event("CALL_ESTABLISHED", { from, timeoutMs: PATIENCE_MS });
    await toneAt(phone.hears, PERSON_HZ, [PHONE_HZ]);
    await carol.crash();
    await phone.event("CALL_CLOSED", { from, timeoutMs: PATIENCE_MS });
    await until(
      "the person to be in the call no longer",
      async () => (await inCall(stage.synapse, room, account)).length === 0,
      { timeoutMs: PATIENCE_MS },
    );
  },
);
