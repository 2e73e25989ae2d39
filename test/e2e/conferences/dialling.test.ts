// People without a dial pad write to the bot, which rings them back; in the call they write keys and transfers. Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther } from "../parts/clients/called.ts";
import { asksForKeypad, leavesCall, othersOf, rung, tapsKeys } from "../parts/clients/rtc-called.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const PERSON_HZ = 440;
const PHONE_HZ = 1000;
const THIRD_HZ = 1900;
/** What we play while the other telephone rings. */
const RINGING_HZ = 425;
const NUMBERS = { phone: "01632960101", third: "01632960102" } as const;
const BOT = "@_sip_bot:example.org";

const rig = suiteRig("rtc-dialling");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let third: Baresip;
let alice: Browser;
/** Alice's room with the bot. */
let lobby: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, { matrixRtc: true });
  const account = await stage.synapse.register("alice");
  [phone, third, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ, answers: "when told" }),
    startBaresip(rig, { number: NUMBERS.third, port: stage.ports.third, toneHz: THIRD_HZ }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ }),
  ]);
  lobby = await alice.phone.directRoom(BOT);
  await saidIn(lobby, /call NUMBER/);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => leavesCall(alice));

const saidIn = (room: string, words: RegExp) =>
  until(`${words} to be read`, async () =>
    (await alice.phone.messages()).findLast(({ roomId, body }) => roomId === room && words.test(body)),
  );
const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });
const atAlice = () => ({ hears: alice.rtc.heard, hz: PERSON_HZ });

/** Writes it to the bot, is rung there, and answers. */
async function asksFor(text: string): Promise<void> {
  await alice.phone.send(lobby, text);
  const ring = await rung(alice);
  expect(ring).toMatchObject({ roomId: lobby, sender: BOT });
  await alice.rtc.join(lobby, { format: "state event" });
}

describe("A person who writes a number to the bot", () => {
  it("is rung there, hears the telephone ring, and then who answers it", async () => {
    const from = phone.events.length;
    await asksFor(`call ${NUMBERS.phone}`);
    await phone.event("CALL_INCOMING", { from });
    await until("the ringing tone", async () => {
      const heard = await alice.rtc.heard([RINGING_HZ, PHONE_HZ], 400);
      return heard?.hz === RINGING_HZ;
    });
    await phone.answer();
    await hearEachOther(atPhone(), atAlice());
    expect(await othersOf(alice, 1)).toMatchObject([{ userId: BOT }]);
    await alice.rtc.leave();
    await phone.event("CALL_CLOSED", { from });
  });

  it("presses keys by writing them, and transfers the call", async () => {
    const [from, pressed, fromThird] = [phone.events.length, phone.digits().length, third.events.length];
    await asksFor(NUMBERS.phone);
    await phone.event("CALL_INCOMING", { from });
    await phone.answer();
    await hearEachOther(atPhone(), atAlice());
    await alice.phone.send(lobby, "#12 3*");
    await until("the keys", () => phone.digits().slice(pressed) === "#123*");
    await alice.phone.send(lobby, `transfer ${NUMBERS.third}`);
    await third.event("CALL_ESTABLISHED", { from: fromThird });
    await saidIn(lobby, /^Transferred to /);
    await othersOf(alice, 0);
  });

  it("taps keys under a message, one of them twice, and the message is deleted when the call is over", async () => {
    const [from, pressed] = [phone.events.length, phone.digits().length];
    await asksFor(NUMBERS.phone);
    await phone.event("CALL_INCOMING", { from });
    await phone.answer();
    await hearEachOther(atPhone(), atAlice());
    const keypad = await asksForKeypad(alice, lobby);
    await tapsKeys(alice, lobby, keypad, "1559*0#");
    await until("the keys", () => phone.digits().slice(pressed) === "1559*0#");
    await tapsKeys(alice, lobby, keypad, "5");
    await alice.phone.send(lobby, "7");
    await until("the same key once more, and one that is written", () => phone.digits().slice(pressed) === "1559*0#57");
    await alice.rtc.leave();
    await phone.event("CALL_CLOSED", { from });
    await until("the keypad to be deleted", () => alice.phone.isDeleted(lobby, keypad));
  });

  it("reads that the telephone refused, and is let go", async () => {
    const from = phone.events.length;
    await asksFor(`dial ${NUMBERS.phone}`);
    await phone.event("CALL_INCOMING", { from });
    await phone.hangup();
    await saidIn(lobby, /declined|busy/i);
    await othersOf(alice, 0);
  });
});
