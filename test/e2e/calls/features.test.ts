// During a call and beside it: hold from each side, keys in both directions, texts. Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsWhenInvited, lineIn, noLongerHears } from "../parts/clients/called.ts";
import { silenceAt, toneAt } from "../parts/base/hearing.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { openRtpEar } from "../parts/telephones/rtp-ear.ts";
import { startSipp } from "../parts/telephones/sipp.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const ALICE_HZ = 440;
const PHONE_HZ = 1000;

const NUMBERS = { phone: "01632960104", recorded: "01632960105", texts: "01632960106" } as const;
const ALICE = "2200";
/** The same person, on a trunk without RTP events. */
const ALICE_BY_INFO = "2201";
/** The proxy knows nobody of this number. */
const UNKNOWN = "01632960999";

const rig = suiteRig("features");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    inbound: {
      trunks: { [ALICE]: "main", [ALICE_BY_INFO]: "keys" },
      table: () => [{ pattern: "22XX", user: "@alice:example.org" }],
    },
    main: { number_format: "national" },
    trunks: ({ host, port }) => [{ prefix: "#", section: { name: "keys", server: `${host}:${port}`, dtmf: "info" } }],
  });
  const account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: ALICE_HZ }),
  ]);
  // The telephone's room is there from now on.
  const from = phone.events.length;
  await call(ALICE);
  await joinsWhenInvited(alice);
  await alice.ringing();
  await alice.phone.reject();
  await phone.event("CALL_CLOSED", { from });
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

const call = (number: string) => phone.dial(`sip:${number}@127.0.0.1:${stage.proxy.port}`);
const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atAlice = () => ({ hears: alice.hears, hz: ALICE_HZ });

/** The telephone calls and Alice answers; each hears the other. */
async function talk(number = ALICE): Promise<void> {
  await call(number);
  await alice.ringing();
  await alice.phone.answer();
  await alice.inState("connected");
  await hearEachOther(atPhone(), atAlice());
}

/** Another telephone calls, of which all is known that it hears; Alice answers. */
async function recordedCall(scenario: "uac-held" | "uac-holds") {
  const own = testRig();
  const ear = await openRtpEar(own, { toneHz: PHONE_HZ });
  const target = `127.0.0.1:${stage.proxy.port}`;
  const of = { scenario, target, number: ALICE, caller: NUMBERS.recorded, rtpPort: ear.port };
  const caller = await startSipp(own, of);
  if (scenario === "uac-held") await joinsWhenInvited(alice);
  await alice.ringing();
  await alice.phone.answer();
  await alice.inState("connected");
  await hearEachOther({ hears: ear.hears, hz: PHONE_HZ }, atAlice());
  return { ear, caller };
}

async function hangUp(): Promise<void> {
  const from = phone.events.length;
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
}

describe("A call from a telephone", () => {
  it("is held by the person, and resumed: the telephone hears nothing meanwhile", async () => {
    const { ear, caller } = await recordedCall("uac-held");
    const reinvited = (count: number) =>
      until(`${count} ACKs`, async () => (await caller.messages()).match(/^ACK /gm)?.length === count);
    await alice.phone.hold(true);
    await reinvited(2);
    await noLongerHears(ear.hears, ALICE_HZ);
    expect(await alice.report()).toMatchObject({ remoteOnHold: true });
    await alice.phone.hold(false);
    await reinvited(3);
    await hearEachOther({ hears: ear.hears, hz: PHONE_HZ }, atAlice());
    await alice.phone.hangup();
    await caller.done();
    expect(await alice.inState("ended")).toMatchObject({ errors: [] });
  });

  it("is held by the telephone, with music or without, and in the old way too; and resumed from each", async () => {
    const { ear, caller } = await recordedCall("uac-holds");
    const far = { hears: ear.hears, hz: PHONE_HZ };
    const isShown = async (held: boolean): Promise<void> => {
      await until(held ? "the hold at the client" : "its end", async () => (await alice.report()).localOnHold === held);
    };
    for (const how of ["sendonly", "inactive", "0.0.0.0"]) {
      await caller.goOn();
      await isShown(true);
      await noLongerHears(ear.hears, ALICE_HZ);
      // The ear plays on whatever its SDP says: what may be heard of it is the bridge's business.
      if (how === "inactive") await silenceAt(alice.hears);
      if (how === "sendonly") await toneAt(alice.hears, PHONE_HZ, [ALICE_HZ]);
      await caller.goOn();
      await isShown(false);
      await hearEachOther(far, atAlice());
    }
    await alice.phone.hangup();
    await caller.done();
    expect(await alice.inState("ended")).toMatchObject({ errors: [] });
  });

  it("hears the keys that the person presses, as RTP events", async () => {
    await talk();
    const before = phone.digits();
    expect(await alice.report()).toMatchObject({ takesKeys: true });
    await alice.phone.dtmf("159#", 160);
    await until("four keys", () => phone.digits().length === before.length + 4);
    expect(phone.digits().slice(before.length)).toBe("159#");
    await hearEachOther(atPhone(), atAlice());
    await hangUp();
    expect(stage.proxy.log.text).not.toMatch(/request INFO/);
  });

  it("sends keys, which the person hears", async () => {
    await talk();
    await phone.command("sndcode", "5");
    // 770 and 1336 Hz (ITU-T Q.23): nothing else in this call sounds so.
    await until("the key", async () => {
      const sound = await alice.phone.heard([770, 1336, 852, 1477, PHONE_HZ], 100);
      return sound?.hz === 770 || sound?.hz === 1336;
    });
    await phone.command("sndcode", "\x04");
    await hearEachOther(atPhone(), atAlice());
    await hangUp();
  });

  it("hears the keys that the person presses as INFO, on a trunk without RTP events", async () => {
    await talk(ALICE_BY_INFO);
    const before = phone.digits();
    await alice.phone.dtmf("42*", 160);
    await until("three keys", () => phone.digits().length === before.length + 3);
    expect(phone.digits().slice(before.length)).toBe("42*");
    expect(stage.proxy.log.text.match(/request INFO/g)).toHaveLength(3);
    await hearEachOther(atPhone(), atAlice());
    await hangUp();
  });
});

describe("A text", () => {
  const GREETING = "Grüße, 你好 👋 (100 %)";

  it("from a telephone is read in the room of its number, by its ghost", async () => {
    const own = testRig();
    const writer = await startSipp(own, {
      scenario: "uac-message",
      target: `127.0.0.1:${stage.proxy.port}`,
      number: ALICE,
      caller: NUMBERS.texts,
      words: { text: GREETING },
    });
    await writer.done();
    const room = await joinsWhenInvited(alice);
    const message = await lineIn(alice, room, /Grüße/);
    expect(message).toMatchObject({ msgtype: "m.text", body: GREETING });
    expect(message.sender).toContain(NUMBERS.texts.slice(1));
  });

  it("to a telephone arrives there as it was written, and one after the other", async () => {
    const { roomId: room } = await lineIn(alice, await roomOf(/Grüße/), /Grüße/);
    for (const text of [GREETING, "And another one."]) {
      const own = testRig();
      const reader = await startSipp(own, { scenario: "uas-message", port: stage.ports.texts });
      await alice.phone.send(room, text);
      await reader.done();
      expect(await reader.messages()).toContain(text);
    }
  });

  it("to a number that nobody has is answered in the room: it was not delivered", async () => {
    const [ghost] = await alice.phone.lookup(UNKNOWN);
    const room = await alice.phone.directRoom(ghost ?? "");
    const unread = await alice.phone.send(room, "Is anybody there?");
    expect(await lineIn(alice, room, /Not delivered/)).toMatchObject({
      sender: ghost,
      msgtype: "m.notice",
      body: "Not delivered: this number is not in service.",
      repliesTo: unread,
    });
  });
});

const roomOf = async (pattern: RegExp): Promise<string> =>
  (await alice.phone.messages()).find(({ body }) => pattern.test(body))?.roomId ?? "";
