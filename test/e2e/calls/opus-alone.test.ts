// A client that has Opus alone and a telephone that has G.711 alone talk, whoever calls. Real parts only.
import { afterEach, beforeAll, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther } from "../parts/clients/called.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
const NUMBERS = { phone: "01632960101" } as const;
const ALICE = "2001";

const rig = suiteRig("opus-alone");
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;

beforeAll(async () => {
  stage = await startStage(rig, NUMBERS, {
    inbound: { trunks: { [ALICE]: "main" }, table: () => [{ number: ALICE, user: "@alice:example.org" }] },
    config: { encryption: { mode: "off" } },
  });
  const account = await stage.synapse.register("alice");
  [phone, alice] = await Promise.all([
    startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: FAR_HZ, codec: "PCMA" }),
    startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ, opusAlone: true }),
  ]);
});

// A test that fails in a call leaves none to the next one.
afterEach(() => alice.phone.hangupAll());

/** Each hears the other and the other's keys. */
async function talk(): Promise<void> {
  await hearEachOther({ hears: alice.hears, hz: NEAR_HZ }, { hears: phone.hears, hz: FAR_HZ });
  const before = phone.digits().length;
  await alice.phone.dtmf("159#", 160);
  await until("four keys", () => phone.digits().slice(before) === "159#");
  await phone.command("sndcode", "5");
  // The browser plays the key: 770 and 1336 Hz (ITU-T Q.23), and nothing else in this call sounds so.
  await until("the telephone's key", async () => {
    const sound = await alice.phone.heard([770, 1336, 852, 1477, FAR_HZ], 100);
    return sound?.hz === 770 || sound?.hz === 1336;
  });
  await phone.command("sndcode", "\u0004");
  await hearEachOther({ hears: alice.hears, hz: NEAR_HZ }, { hears: phone.hears, hz: FAR_HZ });
}

/** So many calls have a record that names both codecs. */
const converted = (count: number): Promise<unknown> =>
  until("the record", () => {
    const records = stage.running.log.text.match(/"converted":\{"matrix":"opus","trunk":"PCMA"\}/g);
    return records?.length === count;
  });

it("the client calls", async () => {
  const from = phone.events.length;
  await alice.phone.dial(NUMBERS.phone);
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await talk();
  await alice.phone.hangup();
  await phone.event("CALL_CLOSED", { from });
  await converted(1);
});

it("the telephone calls", async () => {
  const from = phone.events.length;
  await phone.dial(`sip:${ALICE}@127.0.0.1:${stage.proxy.port}`);
  await alice.ringing();
  await alice.phone.answer();
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await talk();
  await phone.hangup();
  expect(await alice.inState("ended")).toMatchObject({ errors: [] });
  await converted(2);
});
