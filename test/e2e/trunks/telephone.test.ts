// A real telephone calls a person over the whole bridge, and each hears the other: over every way a telephone comes,
// and through holds from both ends.
import { beforeAll, describe, expect, it } from "vitest";
import type { HeadlessCall, HeadlessCaller } from "../../../dev/headless/caller.ts";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Hearing, toneAt } from "../parts/base/hearing.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { startTrunkStage, type TrunkStage } from "../parts/stages/trunk-stage.ts";
import { until } from "../parts/base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
/** A trunk for each way, and the number that is called on it. */
const CALLED = { udp: "2201", tcp: "2202" } as const;
type Way = keyof typeof CALLED;

const rig = suiteRig("trunk-telephone");
let stage: TrunkStage;
let ann: HeadlessCaller;

beforeAll(async () => {
  const server = `127.0.0.1:${await freePort()}`;
  stage = await startTrunkStage(rig, {
    trunks: [
      { name: "udp", server },
      { name: "tcp", server, transport: "tcp" },
    ],
    numbers: { [CALLED.udp]: "ann", [CALLED.tcp]: "ann" },
  });
  ann = await stage.caller("ann", NEAR_HZ);
});

const hears =
  (call: HeadlessCall): Hearing =>
  (frequencies, durationMs) =>
    call.heardMs < durationMs ? undefined : call.heard(durationMs, frequencies);

async function dial(number: string, way: Way): Promise<Baresip> {
  const phone = await startBaresip(rig, { number, toneHz: FAR_HZ });
  await phone.command("dial", `sip:${CALLED[way]}@${stage.door(way)};transport=${way}`);
  return phone;
}

async function talk(phone: Baresip): Promise<HeadlessCall> {
  const call = await ann.incoming();
  await phone.event("CALL_RINGING");
  await call.answer();
  await phone.event("CALL_ESTABLISHED");
  await call.until(({ state }) => state === "connected");
  return call;
}

const bothHear = (phone: Baresip, call: HeadlessCall) =>
  Promise.all([toneAt(hears(call), FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);

/** The telephone's tone, of which nothing is from before. */
async function heardAnew(call: HeadlessCall): Promise<void> {
  const fromMs = call.heardMs;
  await until("new sound", () => call.heardMs > fromMs + 1100);
  await toneAt(hears(call), FAR_HZ, [NEAR_HZ]);
}

/** For so long that the call cannot but be held. */
async function nothingComes(call: HeadlessCall): Promise<void> {
  let heardMs = -1;
  let since = 0;
  await until("silence", () => {
    if (call.heardMs !== heardMs) since = performance.now();
    heardMs = call.heardMs;
    return performance.now() - since > 400;
  });
}

describe("A telephone that calls", () => {
  it.for(["udp", "tcp"] as const)("over %s is heard and hears; its keys arrive; it hangs up", async (way) => {
    const phone = await dial(way === "udp" ? "5201" : "5202", way);
    const call = await talk(phone);
    await bothHear(phone, call);
    for (const key of "42#") await phone.command("sndcode", key);
    await until("the keys", () => call.keys.join("").startsWith("42#"));
    await phone.hangup();
    await call.until(({ state }) => state === "ended");
  });

  // baresip records no more after a hold: what comes to it is shown by keys, and none that was pressed meanwhile.
  it("puts the person on hold, and takes them back: nothing of theirs comes meanwhile, and all of it after that", async () => {
    const phone = await dial("5203", "udp");
    const call = await talk(phone);
    await bothHear(phone, call);
    for (const [command, key] of [
      ["hold", "1"],
      ["resume", "2"],
    ] as const) {
      const from = phone.events.length;
      await phone.command(command);
      await phone.event("CALL_REMOTE_SDP", { from });
      await call.dtmf(key);
    }
    await phone.event("CALL_DTMF_START");
    await heardAnew(call);
    await call.hangup();
    await phone.event("CALL_CLOSED");
    expect(phone.digits()).toBe("2");
  });

  it("is put on hold by the person, and taken back: nothing of it is heard meanwhile, and all of it after that", async () => {
    const phone = await dial("5204", "tcp");
    const call = await talk(phone);
    await bothHear(phone, call);
    await call.hold();
    await nothingComes(call);
    await call.resume();
    await heardAnew(call);
    await call.dtmf("2");
    await phone.event("CALL_DTMF_START");
    await call.hangup();
    await phone.event("CALL_CLOSED");
  });
});
