// People whose clients meet at another media server than the bridge's, as those of another homeserver do: real parts only.
import { afterEach, beforeAll, describe, it } from "vitest";
import type { ElementCallMode } from "../page/element-call/api.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { until } from "../parts/base/until.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther, joinsWhenInvited } from "../parts/clients/called.ts";
import { elementCallOf } from "../parts/clients/element-call.ts";
import { leavesCall, meet, othersOf, rung } from "../parts/clients/rtc-called.ts";
import { makeMeetingRoom } from "../parts/homeservers/meeting-room.ts";
import type { Account } from "../parts/homeservers/real-homeserver.ts";
import { ghostOf, type Stage, startStage } from "../parts/stages/stage.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";

const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";
const MEETING = "2002";
const HZ = { alice: 440, bob: 700, phone: 1000 } as const;
const BOT = "@_sip_bot:example.org";

const rig = suiteRig("rtc-two-servers");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let accounts: Record<"alice" | "bob", Account>;
let alice: Browser;
let bob: Browser;
/** The call that makes the room of Alice and the telephone. */
let isFirst = true;
let meeting: string;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    matrixRtc: true,
    otherMediaServer: true,
    config: { people: { calls: "rtc" } },
    inbound: {
      trunks: { [ALICE]: "main", [MEETING]: "main" },
      table: async (homeserver) => {
        const [a, b] = [await homeserver.register("alice"), await homeserver.register("bob")];
        accounts = { alice: a, bob: b };
        meeting = await makeMeetingRoom(homeserver, a, [b.userId, BOT]);
        return [
          { number: ALICE, user: a.userId },
          { number: MEETING, room: meeting },
        ];
      },
    },
  });
  const { url: homeserver } = stage.synapse;
  [phone, alice, bob] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: HZ.phone }),
    startBrowser(rig, { homeserver, account: accounts.alice, toneHz: HZ.alice }),
    startBrowser(rig, { homeserver, account: accounts.bob, toneHz: HZ.bob }),
  ]);
  await bob.phone.join(meeting);
  await alice.rtc.meetAt(stage.otherService ?? "");
});

// A test that fails in a call leaves none to the next one.
afterEach(() => Promise.all([leavesCall(alice), leavesCall(bob)]));

async function dials(number: string): Promise<(type: string) => ReturnType<Baresip["event"]>> {
  const from = phone.events.length;
  await phone.dial(`sip:${number}@127.0.0.1:${stage.proxy.port}`);
  return (type) => phone.event(type, { from });
}

const atPhone = () => ({ hears: phone.hears, hz: HZ.phone });

describe.each<ElementCallMode>(["compatibility", "matrix_2_0"])("A person with Element Call in mode %s", (mode) => {
  const element = () => elementCallOf(alice, mode);
  const atAlice = () => ({ hears: element().hears, hz: HZ.alice });

  it("is called at our media server, answers at another one, and both hear each other", async () => {
    const phoneSees = await dials(ALICE);
    if (isFirst) await joinsWhenInvited(alice);
    isFirst = false;
    await element().answer(await rung(alice));
    await phoneSees("CALL_ESTABLISHED");
    await hearEachOther(atPhone(), atAlice());
    await element().hangUp();
    await phoneSees("CALL_CLOSED");
    await element().closed();
  });

  it("calls from another media server, where the bridge comes to meet them", async () => {
    const from = phone.events.length;
    await element().call(await alice.phone.directRoom(ghostOf(NUMBERS.phone)));
    await phone.event("CALL_ESTABLISHED", { from });
    await hearEachOther(atPhone(), atAlice());
    await phone.hangup();
    await element().closed();
  });
});

describe("A telephone in the call of a room", () => {
  it("hears people at both media servers", async () => {
    await meet(meeting, bob, alice);
    const phoneSees = await dials(MEETING);
    await phoneSees("CALL_ESTABLISHED");
    await othersOf(bob, 2);
    for (const hz of [HZ.alice, HZ.bob])
      await until(`${hz} Hz to be heard`, async () => {
        const heard = await phone.hears([hz, 570, 1450], 1000);
        return heard?.hz === hz && heard.ratio > 0.1;
      });
    await alice.rtc.leave();
    await bob.rtc.leave();
    await phoneSees("CALL_CLOSED");
  });
});
