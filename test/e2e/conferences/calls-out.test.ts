// A person calls a telephone by MatrixRTC, with the page's client and with the real Element Call: real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ElementCallMode } from "../page/element-call/api.ts";
import type { MembershipFormat } from "../page/rtc/api.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther } from "../parts/clients/called.ts";
import { elementCallOf } from "../parts/clients/element-call.ts";
import { aloneIn, leavesCall, othersOf } from "../parts/clients/rtc-called.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { startSipp } from "../parts/telephones/sipp.ts";

const PERSON_HZ = 440;
const PHONE_HZ = 1000;
const RINGS_FOR_MS = 60_000;
const NUMBERS = { phone: "01632960101", slow: "01632960102", busy: "01632960103" } as const;

const rig = suiteRig("rtc-calls-out");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
/** It rings and rings. */
let slow: Baresip;
let alice: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, { matrixRtc: true });
  const account = await stage.synapse.register("alice");
  [phone, slow, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBaresip(rig, { number: NUMBERS.slow, port: stage.ports.slow, toneHz: PHONE_HZ, answers: "when told" }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => leavesCall(alice));

const roomWith = (name: keyof typeof NUMBERS) => alice.phone.directRoom(ghostOf(NUMBERS[name]));
const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });

describe.each<MembershipFormat>(["state event", "sticky event"])("A person who is in the call by %s", (format) => {
  const call = async (name: keyof typeof NUMBERS): Promise<string> => {
    const room = await roomWith(name);
    await alice.rtc.join(room, { format, ringsForMs: RINGS_FOR_MS });
    return room;
  };
  const atAlice = () => ({ hears: alice.rtc.heard, hz: PERSON_HZ });

  it("calls a telephone, both hear each other, and the person hangs up", async () => {
    const from = phone.events.length;
    await call("phone");
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    const [other] = await othersOf(alice, 1);
    expect(other).toMatchObject({ userId: ghostOf(NUMBERS.phone), format });
    await alice.rtc.leave();
    await phone.event("CALL_CLOSED", { from });
    await othersOf(alice, 0);
  });

  it("is left alone in the call when the telephone hangs up", async () => {
    const from = phone.events.length;
    const room = await call("phone");
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    await phone.hangup();
    await aloneIn(alice, room);
  });

  it("gives up while it rings: it rings no longer at the telephone", async () => {
    const from = slow.events.length;
    await call("slow");
    await slow.event("CALL_INCOMING", { from });
    await alice.rtc.leave();
    await slow.event("CALL_CLOSED", { from });
  });

  it("is told that the number is busy, and is declined", async () => {
    const sipp = await startSipp(testRig(), { scenario: "uas-busy", port: stage.ports.busy });
    const room = await call("busy");
    await sipp.done();
    const declined = async () => (await alice.rtc.report()).declinedBy.includes(ghostOf(NUMBERS.busy));
    await until("the call to be declined", declined);
    const line = await until("the words", async () =>
      (await alice.phone.messages()).findLast(({ roomId, body }) => roomId === room && /busy/i.test(body)),
    );
    expect(line.sender).toBe(ghostOf(NUMBERS.busy));
  });
});

describe.each<ElementCallMode>(["compatibility", "matrix_2_0"])("A person with Element Call in mode %s", (mode) => {
  const element = () => elementCallOf(alice, mode);
  const atAlice = () => ({ hears: element().hears, hz: PERSON_HZ });

  it("calls a telephone, both hear each other, and the person hangs up", async () => {
    const from = phone.events.length;
    const room = await roomWith("phone");
    await element().call(room);
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    const format = mode === "matrix_2_0" ? "sticky event" : "state event";
    expect(await alice.rtc.othersIn(room)).toMatchObject([{ userId: ghostOf(NUMBERS.phone), format }]);
    await element().hangUp();
    await phone.event("CALL_CLOSED", { from });
    await element().closed();
  });

  it("hangs up and calls again at once", async () => {
    const room = await roomWith("phone");
    for (let call = 0; call < 2; call++) {
      const from = phone.events.length;
      await element().call(room);
      await phone.event("CALL_ESTABLISHED", { from });
      await hearEachOther(atPhone(), atAlice());
      await element().hangUp();
      await element().closed();
    }
  });

  it("sees Element Call close when the telephone hangs up", async () => {
    const from = phone.events.length;
    const room = await roomWith("phone");
    await element().call(room);
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    await phone.hangup();
    await aloneIn(alice, room);
    await element().closed();
  });

  it("sees Element Call close when the number is busy", async () => {
    const sipp = await startSipp(testRig(), { scenario: "uas-busy", port: stage.ports.busy });
    await element().call(await roomWith("busy"));
    await sipp.done();
    await element().closed();
  });
});
