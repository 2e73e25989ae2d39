// Clients and telephones with few codecs talk, whoever calls: converted where they share none, and in wideband where both can.
// Real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { hearEachOther } from "../parts/clients/called.ts";
import { type Pjsua2, startPjsua2 } from "../parts/telephones/pjsua2.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const NUMBERS = { PCMA: "01632960101", G722: "01632960102" } as const;
const KEYS = ["1", "5", "9", "#"];

/** With G.722, tones that a telephone of old does not carry. */
const lines = [
  { client: "opus", codec: "PCMA", hz: { near: 440, far: 1000 }, name: "ann", did: "2001" },
  { client: "opus", codec: "G722", hz: { near: 5000, far: 6000 }, name: "ben", did: "2002" },
  { client: "G722", codec: "G722", hz: { near: 5000, far: 6000 }, name: "cat", did: "2003" },
] as const;

const bench = suiteRig("codecs");
let stage: Stage<keyof typeof NUMBERS>;

beforeAll(async () => {
  stage = await startStage(bench, NUMBERS, {
    inbound: {
      trunks: Object.fromEntries(lines.map(({ did }) => [did, "main"])),
      table: () => lines.map(({ did, name }) => ({ number: did, user: `@${name}:example.org` })),
    },
    config: { encryption: { mode: "off" } },
  });
});

describe.each(lines)("A client that speaks $client and a telephone that has $codec alone", (line) => {
  const { client, codec, hz, name, did } = line;
  const rig = suiteRig(`codecs-${name}`);
  let person: Browser;
  let phone: Pjsua2;

  beforeAll(async () => {
    const account = await stage.synapse.register(name);
    [phone, person] = await Promise.all([
      startPjsua2(rig, { number: NUMBERS[codec], port: stage.ports[codec], toneHz: hz.far, codec }),
      startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: hz.near, opusAlone: client === "opus" }),
    ]);
  });
  // A test that fails in a call leaves none to the next one.
  afterEach(() => person.phone.hangupAll());

  /** Each hears the other and the other's keys, and the person's are as long as they were pressed. */
  async function talk(): Promise<void> {
    const both = [
      { hears: person.hears, hz: hz.near },
      { hears: phone.hears, hz: hz.far },
    ] as const;
    await hearEachOther(...both);
    const before = phone.keypresses().length;
    await person.phone.dtmf(KEYS.join(""), 160);
    const pressed = () => phone.keypresses().slice(before);
    await until("the keys", () => pressed().length >= KEYS.length);
    expect(pressed().map(({ digit }) => digit)).toEqual(KEYS);
    for (const { durationMs } of pressed()) expect(Math.abs(durationMs - 160)).toBeLessThanOrEqual(20);
    await phone.press("5", "RFC 4733");
    // The browser plays the key: 770 and 1336 Hz (ITU-T Q.23), and nothing else in this call sounds so.
    await until("the telephone's key", async () => {
      const sound = await person.phone.heard([770, 1336, 852, 1477, hz.far], 100);
      return sound?.hz === 770 || sound?.hz === 1336;
    });
    await hearEachOther(...both);
  }

  /** What each side spoke, in the records of the person's calls. */
  const records = (): (string | undefined)[] =>
    stage.running.log.text
      .split("\n")
      .filter((entry) => entry.includes('"msg":"call ended"') && entry.includes(`@${name}:`))
      .map((entry) => /"converted":(\{[^}]*\})/.exec(entry)?.[1]);

  it("talk when the client calls", async () => {
    await phone.listenAnew();
    await person.phone.dial(NUMBERS[codec]);
    await person.inState("connected");
    await talk();
    await person.phone.hangup();
    await phone.event({ event: "state", state: "DISCONNECTED" });
    await until("the record", () => records().length === 1);
  });

  it("talk when the telephone calls", async () => {
    await phone.listenAnew();
    const from = phone.events.length;
    const leg = await phone.dial(`sip:${did}@127.0.0.1:${stage.proxy.port}`);
    await person.ringing();
    await person.phone.answer();
    await person.inState("connected");
    await phone.event({ event: "state", state: "CONFIRMED" }, from);
    await talk();
    await phone.hangup(leg);
    expect(await person.inState("ended")).toMatchObject({ errors: [] });
    const converted = client === codec ? undefined : `{"matrix":"${client}","trunk":"${codec}"}`;
    await until("the record", () => records().length === 2);
    expect(records()).toEqual([converted, converted]);
  });
});
