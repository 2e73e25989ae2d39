// A person with two devices in one call of MatrixRTC: the telephone hears both, and the call lasts as long as one is in it. Real
// parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { type Hearing, toneAt } from "../parts/base/hearing.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { joinsWhenInvited } from "../parts/clients/called.ts";
import { leavesCall, othersOf, rung } from "../parts/clients/rtc-called.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { until } from "../parts/base/until.ts";

const DESK_HZ = 440;
const POCKET_HZ = 700;
const PHONE_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";

const rig = suiteRig("rtc-two-devices");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let desk: Browser;
let pocket: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    config: { people: { calls: "rtc" } },
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
afterEach(() => Promise.all([leavesCall(desk), leavesCall(pocket)]));

/** Both tones at once: of either, half of the power is the other's. */
const bothTonesAt = (ear: Hearing): Promise<unknown> =>
  until("both tones", async () => {
    const one = await ear([DESK_HZ, PHONE_HZ], 1000);
    const other = await ear([POCKET_HZ, PHONE_HZ], 1000);
    const isThere = (ratio = 0): boolean => ratio > 0.3 && ratio < 3;
    return isThere(one?.ratio) && isThere(other?.ratio);
  });

it("Both devices ring and join: the telephone hears both, then the one that came later, until that leaves, too", async () => {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  const room = await joinsWhenInvited(desk);
  await Promise.all([rung(desk), rung(pocket)]);
  await pocket.rtc.join(room, { format: "state event" });
  await phone.event("CALL_ESTABLISHED", { from });
  await toneAt(phone.hears, POCKET_HZ, [DESK_HZ, PHONE_HZ]);

  await desk.rtc.join(room, { format: "state event" });
  await othersOf(desk, 2);
  await bothTonesAt(phone.hears);

  await pocket.rtc.leave();
  await toneAt(phone.hears, DESK_HZ, [POCKET_HZ, PHONE_HZ]);
  await toneAt(desk.rtc.heard, PHONE_HZ, [DESK_HZ, POCKET_HZ]);
  expect(phone.events.slice(from).map(({ type }) => type)).not.toContain("CALL_CLOSED");
  await desk.rtc.leave();
  await phone.event("CALL_CLOSED", { from });
});
