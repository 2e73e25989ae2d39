// Who calls a number with a PIN: what they hear of us, and that we hear their keys, whichever codec they speak.
import { afterAll, beforeAll, describe, expect, vi } from "vitest";
import { callId, type CallId } from "../../../src/core/ids.ts";
import { encodeTelephoneEvent } from "../../../dev/audio/telephone-event.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { ClientPeer, opusAlone } from "../peers/client-peer.ts";
import { test, type Scope } from "../peers/scope.ts";
import { TrunkPeer, type TrunkPeerOptions } from "../peers/trunk-peer.ts";

let rig: Rig;
let count = 0;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

const trunkOf = (leg: CallId, codec: string) =>
  ({ kind: "trunk", leg, media: { srtp: "off", codecs: [codec], rtpNetworks: [] } }) as const;

async function callIn(scope: Scope, codec: NonNullable<TrunkPeerOptions["codec"]>, words = {}) {
  const trunk = await TrunkPeer.open({ hz: 1900, codec });
  scope.add(async () => trunk.close());
  count += 1;
  const call = callId(`prompts-${count}`);
  const open = await rig.openEnds(call, {
    a: { kind: "prompt" },
    b: trunkOf(call, codec),
  });
  let isOpen = true;
  const over = async (): Promise<void> => {
    if (isOpen) await open.session.close();
    isOpen = false;
  };
  scope.add(over);
  const { description } = await open.session.offer("b", trunk.sdp(words));
  trunk.aim(await open.session.answer("a", description));
  trunk.speak();
  return { ...open, trunk, call, over };
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
      await session.prompt(prompt);
      await hears(trunk, hz);
      await hears(trunk, undefined);
    }
    await expect(session.stats()).resolves.toMatchObject({ codec });
  });

  test.concurrent.for([
    ["PCMU", {}],
    ["G722", {}],
    ["opus", opus],
  ] as const)(
    "that speaks %s hears it ring when somebody is called, in the same stream, until that one takes the call",
    async ([codec, words], { scope }) => {
      const { session, trunk, call, over } = await callIn(scope, codec, words);
      await trunk.ear.nextSecond([]);
      await session.handOver("b");
      await over();
      const { sequence = 0, ssrc } = trunk.ear.packets.at(-1) ?? {};
      trunk.ear.packets = [];
      const { session: next } = await rig.openEnds(call, {
        a: { kind: "client", iceServers: [], codecs: [codec] },
        b: trunkOf(call, codec),
      });
      scope.add(async () => next.close());
      const sdp = await next.describe("a");
      await next.ring("a");
      await next.ring("b");
      await trunk.ear.until(() => trunk.ear.packets.length > 0);
      const [first] = trunk.ear.packets;
      await hears(trunk, 425);
      expect(first?.ssrc).toBe(ssrc);
      expect(((first?.sequence ?? 0) - sequence) & 0xffff).toBeLessThan(50);
      const client = new ClientPeer({ hz: 700, ...(codec === "opus" ? { codec: opusAlone } : {}) });
      scope.add(() => client.close());
      const offer = await next.answer("a", await client.answer(sdp));
      trunk.aim(offer);
      await next.answer("b", trunk.sdp(words));
      next.addCandidates(client.candidates());
      await client.connected();
      client.speak();
      await hears(trunk, 700);
    },
  );

  test.concurrent("presses keys, which we hear once each", async ({ scope }) => {
    const { trunk, fact, facts } = await callIn(scope, "PCMU");
    await fact("media.connected");
    press(trunk, "4");
    press(trunk, "#");
    const keys = () => facts.filter(({ kind }) => kind === "media.dtmf");
    await vi.waitFor(() => expect(keys()).toHaveLength(2), 10_000);
    await trunk.ear.nextSecond([]);
    expect(keys()).toMatchObject([
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
    await hears(trunk, 1000);
  });
});

/** Sooner or later there is a second in which it hears that tone above all others of ours; undefined: silence. */
async function hears({ ear }: TrunkPeer, hz: number | undefined): Promise<void> {
  while ((await ear.nextSecond([350, 425, 700, 900, 1000])).hz !== hz);
}

/** As a telephone does: the end three times. */
function press(trunk: TrunkPeer, digit: string): void {
  const timestamp = (trunk.timestamp += 8000);
  for (const [index, end] of [false, true, true, true].entries()) {
    const payload = encodeTelephoneEvent({ digit, end, volume: 10, duration: 800 });
    trunk.sendRtp({ payloadType: 101, marker: index === 0, timestamp, payload });
  }
}
