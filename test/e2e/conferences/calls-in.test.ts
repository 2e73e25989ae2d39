// A telephone calls a person, and it rings by MatrixRTC, in the page's client and in the real Element Call: real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import type { ElementCallMode } from "../page/element-call/api.ts";
import type { MembershipFormat } from "../page/rtc/api.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsWhenInvited } from "../parts/clients/called.ts";
import { elementCallOf } from "../parts/clients/element-call.ts";
import { aloneIn, leavesCall, othersOf, rung, silenced } from "../parts/clients/rtc-called.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const PERSON_HZ = 440;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";
/** The same person, rung for a shorter time. */
const ALICE_BRIEFLY = "2002";

const rig = suiteRig("rtc-calls-in");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let account: Account;
let alice: Browser;
/** Alice's room with the telephone. */
let room: string;

beforeAll(async () => {
  const user = "@alice:example.org";
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    config: { people: { calls: "rtc" } },
    inbound: {
      trunks: { [ALICE]: "main", [ALICE_BRIEFLY]: "main" },
      table: () => [
        { number: ALICE, user },
        { number: ALICE_BRIEFLY, user, ring_seconds: 5 },
      ],
    },
  });
  account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ, codec: "PCMA" }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: PERSON_HZ }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => leavesCall(alice));

/** The telephone calls; gives a way to wait for what becomes of it there. */
async function call(number = ALICE) {
  const from = phone.events.length;
  await phone.dial(`sip:${number}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from });
}

const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });

async function numbersInCall(): Promise<readonly string[]> {
  return (await alice.rtc.othersIn(room)).map(({ userId }) => userId);
}

const nobodyIsInCall = () => until("the call to be empty", async () => (await numbersInCall()).length === 0);

describe("A telephone that calls a person", () => {
  it("rings when the person has come into the room, and is answered", async () => {
    const phoneSees = await call();
    room = await joinsWhenInvited(alice);
    const ring = await rung(alice);
    expect(ring.roomId).toBe(room);
    await phoneSees("CALL_RINGING");
    await alice.rtc.join(room, { format: "state event" });
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), { hears: alice.rtc.heard, hz: PERSON_HZ });
    // As the telephone says it: nothing is encoded for the person.
    expect(await alice.rtc.report()).toMatchObject({ heardEncrypted: false, heardCodecs: ["audio/PCMA"] });
    await phone.hangup();
    await othersOf(alice, 0);
    await nobodyIsInCall();
  });

  it("gives up: it rings no longer, and the number is in the call no longer", async () => {
    const phoneSees = await call();
    const ring = await rung(alice);
    expect(await numbersInCall()).toEqual([ring.sender]);
    await phone.hangup();
    await phoneSees("CALL_CLOSED");
    expect(await silenced(alice, ring)).toBe("redacted");
    await nobodyIsInCall();
  });

  it("hears that nobody is there, and it rings no longer", async () => {
    const phoneSees = await call(ALICE_BRIEFLY);
    const ring = await rung(alice);
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^480 /);
    expect(await silenced(alice, ring)).toBe("redacted");
    await nobodyIsInCall();
  });

  it("is declined, and hears so", async () => {
    const phoneSees = await call();
    const ring = await rung(alice);
    await alice.rtc.decline(room, ring.notificationId);
    expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^603 /);
    await nobodyIsInCall();
  });
});

describe.each<MembershipFormat>(["state event", "sticky event"])("A person who answers by %s", (format) => {
  const atAlice = () => ({ hears: alice.rtc.heard, hz: PERSON_HZ });

  it("hears the telephone and is heard, and hangs up", async () => {
    const phoneSees = await call();
    await rung(alice);
    await alice.rtc.join(room, { format });
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    await alice.rtc.leave();
    await phoneSees("CALL_CLOSED");
    await nobodyIsInCall();
  });
});

describe.each<ElementCallMode>(["compatibility", "matrix_2_0"])("A person with Element Call in mode %s", (mode) => {
  const element = () => elementCallOf(alice, mode);
  const atAlice = () => ({ hears: element().hears, hz: PERSON_HZ });

  it("answers, hears the telephone and is heard, and hangs up", async () => {
    const phoneSees = await call();
    await element().answer(await rung(alice));
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    await element().hangUp();
    await phoneSees("CALL_CLOSED");
    await element().closed();
    await nobodyIsInCall();
  });

  it("sees Element Call close when the telephone hangs up", async () => {
    const phoneSees = await call();
    await element().answer(await rung(alice));
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    // As this client was seen to do in the call before.
    const format = mode === "matrix_2_0" ? "sticky event" : "state event";
    expect(await alice.rtc.othersIn(room)).toMatchObject([{ format }]);
    await phone.hangup();
    await aloneIn(alice, room);
    await element().closed();
  });
});
