// Digits of our own towards either end, and digits that only one end can tell.
import { afterAll, beforeAll, describe, expect } from "vitest";
import { keypresses } from "../../../dev/audio/telephone-event.ts";
import type { RtpPacket } from "../../../dev/audio/rtp.ts";
import { RtpStream } from "../../../src/media/embedded/rtp/rtp-stream.ts";
import { readRtp, type RtpHeader } from "../../../src/media/embedded/rtp/rtp-packet.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { RtpRewriter } from "../../../src/media/embedded/rtp/rtp-rewriter.ts";
import { pickUp, startRinging } from "../peers/ringing.ts";
import { clientEvents } from "../peers/client-peer.ts";
import { startRig, type Rig } from "../peers/rig.ts";
import { test } from "../peers/scope.ts";
import { bothHz, clientHz, startTalk, trunkHz } from "../peers/talk.ts";

let rig: Rig;

beforeAll(async () => {
  rig = await startRig();
});
afterAll(async () => rig.engine.stop());

function events(packets: readonly RtpPacket[], payloadType: number): RtpPacket[] {
  return packets.filter((packet) => packet.payloadType === payloadType);
}

function isEnd(packet: RtpPacket): boolean {
  return ((packet.payload[1] ?? 0) & 0x80) !== 0;
}

/** Sequence numbers one after the other, and timestamps that never go back. */
function expectOneStream(packets: readonly RtpPacket[]): void {
  expect(new Set(packets.map(({ ssrc }) => ssrc)).size).toBe(1);
  for (const [index, packet] of packets.entries()) {
    const before = packets[index - 1];
    if (before === undefined) continue;
    expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
    expect((packet.timestamp - before.timestamp) | 0).toBeGreaterThanOrEqual(0);
  }
}

describe.concurrent("a key of ours", () => {
  test.concurrent.for(["b", "a"] as const)(
    "to %s takes the place of the audio for as long as it is pressed, and keeps the stream whole",
    async (to, { scope }) => {
      const talk = await startTalk(rig, scope);
      const ear = talk[to === "b" ? "trunk" : "client"].ear;
      const payloadType = to === "b" ? 101 : clientEvents;
      await ear.nextSecond(bothHz);
      ear.packets = [];
      for (const digit of ["1", "5", "#"]) void talk.session.sendDtmf(to, digit, 160);
      await ear.until(() => events(ear.packets, payloadType).filter(isEnd).length === 9);
      await ear.until(() => ear.packets.at(-1)?.payloadType === 0);
      const told = events(ear.packets, payloadType);
      expect(keypresses(told, 8000)).toEqual(["1", "5", "#"].map((digit) => ({ digit, durationMs: 160 })));
      expect(told.filter(({ marker }) => marker)).toHaveLength(3);
      expectOneStream(ear.packets);
      const starts = [...new Set(told.map(({ timestamp }) => timestamp))];
      for (const [index, start] of starts.entries()) {
        const before = starts[index - 1];
        // 160 ms and at least 40 ms between two keys, in units of 1/8000 s.
        if (before !== undefined) expect((start - before) | 0).toBeGreaterThanOrEqual(8 * 200);
      }
      // No audio has a place within a key.
      const first = ear.packets.findIndex((packet) => packet === told[0]);
      const last = ear.packets.findIndex((packet) => packet.timestamp === told[0]?.timestamp && isEnd(packet));
      expect(ear.packets.slice(first, last).every((packet) => packet.payloadType === payloadType)).toBe(true);
      const heard = await ear.nextSecond(bothHz);
      expect(heard.hz).toBe(to === "b" ? clientHz : trunkHz);
    },
  );

  test.concurrent("goes out also while the client holds and says nothing", async ({ scope }) => {
    const { client, trunk, session } = await startTalk(rig, scope);
    await trunk.ear.nextSecond(bothHz);
    await session.offer("a", await client.offer("inactive"));
    await session.answer("b", trunk.sdp({ lines: ["a=rtpmap:101 telephone-event/8000", "a=inactive"] }));
    client.stopSpeaking();
    trunk.ear.packets = [];
    void session.sendDtmf("b", "7", 100);
    await trunk.ear.until(() => events(trunk.ear.packets, 101).filter(isEnd).length === 3);
    expect(keypresses(events(trunk.ear.packets, 101), 8000)).toEqual([{ digit: "7", durationMs: 100 }]);
  });

  test.concurrent("that is none, or that nobody takes, is not sent", async ({ scope }) => {
    const { trunk, session, client } = await startTalk(rig, scope, {
      speak: false,
      answer: { formats: "0", lines: ["a=sendrecv"] },
    });
    void session.sendDtmf("b", "1", 100);
    void session.sendDtmf("a", "x", 100);
    void session.sendDtmf("a", "12", 100);
    void session.sendDtmf("a", "2", 100);
    await client.ear.until(() => events(client.ear.packets, clientEvents).filter(isEnd).length === 3);
    expect(keypresses(events(client.ear.packets, clientEvents), 8000)).toEqual([{ digit: "2", durationMs: 100 }]);
    expect(trunk.ear.packets).toHaveLength(0);
  });
});

describe.concurrent("keys of ours that are still on their way when the trunk changes", () => {
  const words = (numbers: string, lines: readonly string[]): { formats: string; lines: readonly string[] } => ({
    formats: numbers,
    lines,
  });

  test.concurrent("its number for them go out under the new one", async ({ scope }) => {
    const { trunk, session } = await startTalk(rig, scope);
    // Pressed for so long that it is still on its way, however long the change takes.
    void session.sendDtmf("b", "1", 6000);
    await trunk.ear.until(() => events(trunk.ear.packets, 101).length > 0);
    await session.offer("b", trunk.sdp(words("0 97", ["a=rtpmap:97 telephone-event/8000"])));
    await trunk.ear.until(() => events(trunk.ear.packets, 97).length >= 3);
    const told = trunk.ear.packets.filter(({ payloadType }) => payloadType !== 0);
    expect(keypresses(told, 8000).map(({ digit }) => digit)).toEqual(["1"]);
    expectOneStream(told);
    const changedAt = told.findIndex(({ payloadType }) => payloadType === 97);
    expect(told.slice(changedAt).every(({ payloadType }) => payloadType === 97)).toBe(true);
  });

  test.concurrent("to no keys at all are not sent, and the audio is back", async ({ scope }) => {
    const { trunk, session } = await startTalk(rig, scope);
    for (const digit of ["1", "2", "3"]) void session.sendDtmf("b", digit, 2000);
    await trunk.ear.until(() => events(trunk.ear.packets, 101).length > 0);
    await session.offer("b", trunk.sdp(words("0", ["a=sendrecv"])));
    expect((await trunk.ear.nextSecond(bothHz)).hz).toBe(clientHz);
  });
});

describe.concurrent("a trunk without events", () => {
  test.concurrent("of a call it made: the client's keys are reported, and none leaks", async ({ scope }) => {
    const offer = { formats: "0", lines: ["a=sendrecv"] };
    const { client, trunk, fact } = await pickUp(await startRinging(rig, scope, { offer }));
    client.press("5", 160);
    expect(await fact("media.dtmf")).toEqual({
      kind: "media.dtmf",
      from: "a",
      digit: "5",
      durationMs: 160,
      relayed: false,
    });
    const heard = await trunk.ear.nextSecond(bothHz);
    expect(heard.hz).toBe(clientHz);
    expect(new Set(trunk.ear.packets.map(({ payloadType }) => payloadType))).toEqual(new Set([0]));
    expectOneStream(trunk.ear.packets);
  });

  test.concurrent("of a call to it as well: the client is asked for events", async ({ scope }) => {
    const answer = { formats: "0", lines: ["a=sendrecv"] };
    const { client, clientAnswer, fact } = await startTalk(rig, scope, { answer, speak: false });
    expect(clientAnswer).toMatch(/m=audio \d+ UDP\/TLS\/RTP\/SAVPF 0 126\r\n/);
    client.press("9", 120);
    expect(await fact("media.dtmf")).toMatchObject({ digit: "9", durationMs: 120, relayed: false });
  });
});

/** Numbers that are easy to read. */
function streamTo(send: (packet: Buffer) => boolean): OutgoingStream {
  return new OutgoingStream({ ...newStream(), ssrc: 99, sequence: 5, timestamp: 1000 }, send, 0);
}

describe("packets of our own in a stream", () => {
  test("take the next numbers, and what the source sent before and comes late has no place", () => {
    const splice = new RtpRewriter({ sequence: 0, timestamp: 0 });
    expect(splice.place(7, 10, 0, 8000, 0)?.sequence).toBe(1);
    expect(splice.place(7, 12, 320, 8000, 40)?.sequence).toBe(3);
    expect(splice.insert()).toBe(4);
    expect(splice.insert()).toBe(5);
    splice.reached(2000, 240);
    expect(splice.place(7, 11, 160, 8000, 240)).toBeUndefined();
    expect(splice.place(7, 12, 320, 8000, 240)).toBeUndefined();
    expect(splice.place(7, 13, 480, 8000, 240)?.sequence).toBe(6);
  });

  test("that tell more keys than anybody can press are not all told of, and go through all the same", () => {
    const told: string[] = [];
    let relayed = 0;
    const lane = new RtpStream(
      streamTo(() => (relayed += 1) > 0),
      ({ digit }) => told.push(digit),
    );
    const events = { payloadType: 101, name: "telephone-event", isEvent: true, isRelayed: true };
    lane.agree(new Map([[101, { ...events, fromClockRate: 8000, toClockRate: 8000 }]]), true, undefined);
    const press = (index: number, nowMs: number): void => {
      const packet = Buffer.from("806500010000000000000007058a0320", "hex");
      packet.writeUInt16BE(index & 0xffff, 2);
      packet.writeUInt32BE(index * 8, 4);
      lane.packet(packet, nowMs);
    };
    for (let index = 0; index < 1000; index += 1) press(index, index);
    expect(relayed).toBe(1000);
    expect(told.length).toBeLessThan(80);
    const before = told.length;
    for (let index = 0; index < 20; index += 1) press(1000 + index * 100, 2000 + index * 100);
    expect(told.length - before).toBe(20);
  });

  test("that come back, as an SDP named our own port, do not go round", () => {
    let sent = 0;
    const lane: RtpStream = new RtpStream(
      streamTo((packet) => {
        sent += 1;
        if (sent < 10) lane.packet(Buffer.from(packet), sent);
        return true;
      }),
      () => undefined,
    );
    const pcmu = { payloadType: 0, name: "PCMU", isEvent: false, isRelayed: true };
    lane.agree(new Map([[0, { ...pcmu, fromClockRate: 8000, toClockRate: 8000 }]]), true, undefined);
    lane.packet(Buffer.concat([Buffer.from("80000001000000a0cafebabe", "hex"), Buffer.alloc(160)]), 0);
    expect(sent).toBe(1);
    expect(lane.malformed).toBe(1);
  });

  test("begin a stream where there is none, and a source that comes later goes on from there", () => {
    const sent: RtpHeader[] = [];
    const stream = streamTo((packet) => {
      const header = readRtp(packet);
      if (header !== undefined) sent.push(header);
      return true;
    });
    const lane = new RtpStream(stream, () => undefined);
    const pcmu = {
      payloadType: 0,
      name: "PCMU",
      isEvent: false,
      isRelayed: true,
      fromClockRate: 8000,
      toClockRate: 8000,
    };
    lane.agree(new Map([[0, pcmu]]), true, { payloadType: 101, clockRate: 8000 });
    stream.press({ digit: "1", durationMs: 40, payloadType: 101, clockRate: 8000 }, 0);
    stream.close(20);
    lane.packet(Buffer.concat([Buffer.from("80000001000000a0cafebabe", "hex"), Buffer.alloc(160)]), 100);
    expect(sent).toMatchObject([
      { payloadType: 101, marker: true, sequence: 6, timestamp: 1000, ssrc: 99 },
      // Cut off, the key is ended all the same, three times as any other.
      { payloadType: 101, marker: false, sequence: 7, timestamp: 1000, ssrc: 99 },
      { payloadType: 101, marker: false, sequence: 8, timestamp: 1000, ssrc: 99 },
      { payloadType: 101, marker: false, sequence: 9, timestamp: 1000, ssrc: 99 },
      { payloadType: 0, marker: true, sequence: 10, ssrc: 99 },
    ]);
    expect(sent[4]?.timestamp).toBeGreaterThan(1000);
  });
});
