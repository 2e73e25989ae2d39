// Who calls a number with a PIN: what they hear of us, and that we hear their keys, whichever codec they speak.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { callId } from "../../../src/core/ids.ts";
import { listen } from "../../../dev/audio/goertzel.ts";
import { encodeTelephoneEvent } from "../../../dev/audio/telephone-event.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer, type TrunkPeerOptions } from "../peers/trunk-peer.ts";

let rig: Rig;
let count = 0;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

async function callIn(scope: Scope, codec: NonNullable<TrunkPeerOptions["codec"]>, words = {}) {
  const trunk = await TrunkPeer.open({ hz: 1900, codec });
  scope.add(async () => trunk.close());
  count += 1;
  const call = callId(`prompts-${count}`);
  const open = await rig.openEnds(call, {
    a: { kind: "prompt" },
    b: { kind: "trunk", leg: call, media: { srtp: "off", codecs: [codec], rtpNetworks: [] } },
  });
  scope.add(async () => open.session.close());
  const { description } = await open.session.offer("b", trunk.sdp(words));
  trunk.aim(await open.session.answer("a", description));
  trunk.speak();
  return { ...open, trunk };
}

const opus = { formats: "111 101", lines: ["a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"] };

describe.concurrent("a caller whom nobody has taken yet", () => {
  test.concurrent.for([
    ["PCMU", {}],
    ["PCMA", {}],
    ["G722", {}],
    ["opus", opus],
  ] as const)("that speaks %s hears each of our tones, and silence between them", async ([codec, words], { scope }) => {
    const { session, trunk } = await callIn(scope, codec, words);
    for (const [prompt, hz] of [
      ["enter", 1000],
      ["wrong", 350],
      ["right", 900],
    ] as const) {
      trunk.ear.packets = [];
      await session.prompt(prompt);
      await trunk.ear.until(() => trunk.ear.audio.length >= 60);
      expect(listen(trunk.ear.samples, 8000, [350, 900, 1000])).toMatchObject({ hz });
      expect((await trunk.ear.nextSecond([350, 900, 1000])).hz).toBeUndefined();
    }
    await expect(session.stats()).resolves.toMatchObject({ codec });
  });

  test.concurrent("presses keys, which we hear once each", async ({ scope }) => {
    const { trunk, fact, facts } = await callIn(scope, "PCMU");
    await fact("media.connected");
    press(trunk, "4");
    press(trunk, "#");
    await trunk.ear.nextSecond([]);
    expect(facts.filter(({ kind }) => kind === "media.dtmf")).toMatchObject([
      { from: "b", digit: "4", durationMs: 100 },
      { from: "b", digit: "#", durationMs: 100 },
    ]);
  });

  test.concurrent("may leave the offer to us", async ({ scope }) => {
    const trunk = await TrunkPeer.open({ hz: 1900 });
    scope.add(async () => trunk.close());
    const call = callId("prompts-late");
    const media = { srtp: "off", codecs: ["PCMU"], rtpNetworks: [] } as const;
    const { session } = await rig.openEnds(call, { a: { kind: "prompt" }, b: { kind: "trunk", leg: call, media } });
    scope.add(async () => session.close());
    expect(await session.describe("b")).toContain("RTP/AVP 0 101");
    const said = await session.answer("b", trunk.sdp());
    expect(await session.answer("a", said)).toBe("");
    await session.prompt("enter");
    await trunk.ear.until(() => trunk.ear.audio.length >= 60);
    expect(listen(trunk.ear.samples, 8000, [350, 1000])).toMatchObject({ hz: 1000 });
  });
});

/** As a telephone does: the end three times. */
function press(trunk: TrunkPeer, digit: string): void {
  const timestamp = (trunk.timestamp += 8000);
  for (const [index, end] of [false, true, true, true].entries()) {
    const payload = encodeTelephoneEvent({ digit, end, volume: 10, duration: 800 });
    trunk.sendRtp({ payloadType: 101, marker: index === 0, timestamp, payload });
  }
}
