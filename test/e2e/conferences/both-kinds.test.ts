// A person whose clients have calls of either kind, those of the VoIP module and those of MatrixRTC: a telephone's call rings in
// both (people.calls). Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { suiteRig } from "../parts/base/rig.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { endAt, hearEachOther, joinsWhenInvited } from "../parts/clients/called.ts";
import { leavesCall, rung, silenced } from "../parts/clients/rtc-called.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const DESK_HZ = 440;
const POCKET_HZ = 700;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";

const rig = suiteRig("rtc-both-kinds");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
/** It takes calls of the VoIP module. */
let desk: Browser;
/** It takes calls of MatrixRTC. */
let pocket: Browser;
let room: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    config: { people: { calls: "both" } },
    inbound: { trunks: { [ALICE]: "main" }, table: () => [{ number: ALICE, user: "@alice:example.org" }] },
  });
  const account = await stage.synapse.register("alice");
  const homeserver = stage.synapse.url;
  [phone, desk, pocket] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: PHONE_HZ }),
    startBrowser(rig, { homeserver, account, toneHz: DESK_HZ }),
    // The same person once more; the whole user id keeps the two browsers' folders apart.
    startBrowser(rig, { homeserver, account: { ...account, user: account.userId }, toneHz: POCKET_HZ }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([desk.phone.hangupAll(), leavesCall(pocket)]));

async function call() {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  return (type: string) => phone.event(type, { from });
}

/** It rings in both; gives both rings. */
const bothRing = () => Promise.all([desk.ringing(), rung(pocket)]);
const atPhone = () => ({ hears: phone.hears, hz: PHONE_HZ });

it("A call that is answered in the one kind rings no longer in the other, which has missed nothing", async () => {
  const phoneSees = await call();
  room = await joinsWhenInvited(desk);
  const [{ matrixCallId }] = await bothRing();
  await pocket.rtc.join(room, { format: "state event" });
  await phoneSees("CALL_ESTABLISHED");
  expect(await endAt(desk, matrixCallId)).toMatchObject({
    hangupParty: "remote",
    hangupReason: "answered_elsewhere",
    errors: [],
  });
  await hearEachOther(atPhone(), { hears: pocket.rtc.heard, hz: POCKET_HZ }, [DESK_HZ]);
  await pocket.rtc.leave();
  await phoneSees("CALL_CLOSED");

  const again = await call();
  const [, ring] = await bothRing();
  await desk.phone.answer();
  await desk.inState("connected");
  await again("CALL_ESTABLISHED");
  expect(await silenced(pocket, ring)).toBe("redacted");
  await hearEachOther(atPhone(), { hears: desk.hears, hz: DESK_HZ }, [POCKET_HZ]);
  await phone.hangup();
  expect(await desk.inState("ended")).toMatchObject({ hangupParty: "remote", errors: [] });
});

it("A call that is declined in the one kind rings no longer in the other, and the telephone hears so", async () => {
  const phoneSees = await call();
  const [{ matrixCallId }, { notificationId }] = await bothRing();
  await pocket.rtc.decline(room, notificationId);
  expect((await phoneSees("CALL_CLOSED"))["param"]).toMatch(/^603 /);
  await endAt(desk, matrixCallId);

  const again = await call();
  const [, ring] = await bothRing();
  await desk.phone.reject();
  expect((await again("CALL_CLOSED"))["param"]).toMatch(/^603 /);
  expect(await silenced(pocket, ring)).toBe("redacted");
});

it("A telephone that gives up rings in neither any longer", async () => {
  const phoneSees = await call();
  const [{ matrixCallId }, ring] = await bothRing();
  await phone.hangup();
  await phoneSees("CALL_CLOSED");
  await endAt(desk, matrixCallId);
  expect(await silenced(pocket, ring)).toBe("redacted");
});
