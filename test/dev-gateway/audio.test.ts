// The gateway's sound, measured with an RTP socket of our own: which tone arrives, on which beat, which keys.
import { createSocket, type Socket } from "node:dgram";
import { afterEach, describe, expect, it } from "vitest";
import { bind } from "../../dev/loopback/listen.ts";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../dev/audio/g711.ts";
import { listen } from "../../dev/audio/goertzel.ts";
import { decodeRtp, encodeRtp, type RtpPacket } from "../../dev/audio/rtp.ts";
import { encodeTelephoneEvent } from "../../dev/audio/telephone-event.ts";
import { concatenate, continuousTone } from "../../dev/audio/tone.ts";
import { startGateway, type GatewayOptions, type ScriptStep } from "../../dev/gateway/gateway.ts";
import { everyFrame } from "../../dev/audio/pacer.ts";
import { offerOf, rawPeer } from "./raw-peer.ts";

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

interface Arrived {
  readonly packet: RtpPacket;
  readonly atMs: number;
}

async function bound(): Promise<Socket> {
  const socket = createSocket("udp4");
  await bind(socket);
  return socket;
}

/** A call that is answered, with our own RTP and RTCP ports. */
async function call(script: readonly ScriptStep[], formats = "0 8 101", options: GatewayOptions = {}) {
  const gateway = await startGateway({ numbers: [{ ending: "", what: "", script }], ...options });
  const peer = await rawPeer(gateway, "UDP");
  const [rtp, rtcp] = [await bound(), await bound()];
  const arrived: Arrived[] = [];
  const reports: Buffer[] = [];
  let changed: (() => void) | undefined;
  rtp.on("message", (bytes) => {
    const packet = decodeRtp(bytes);
    if (packet !== undefined) arrived.push({ packet, atMs: performance.now() });
    changed?.();
  });
  rtcp.on("message", (bytes) => {
    reports.push(bytes);
    changed?.();
  });
  ending.push(
    () => gateway.stop(),
    () => peer.close(),
    () => rtp.close(),
    () => rtcp.close(),
  );
  peer.request("INVITE", {
    body: offerOf(rtp.address().port, ["a=sendrecv", `a=rtcp:${rtcp.address().port}`], formats),
  });
  const until = async (look: () => boolean): Promise<void> => {
    while (!look()) {
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  const answer = async () => {
    const { body, toTag } = await peer.status(200);
    peer.request("ACK", { toTag });
    const port = Number(/m=audio (\d+)/.exec(body)?.[1]);
    const hangUp = async () => {
      peer.request("BYE", { toTag, cseq: 9 });
      await peer.status(200, "9 BYE");
    };
    return { port, body, hangUp, call: await gateway.until(([call]) => call?.state === "answered" && call) };
  };
  return { gateway, peer, rtp, arrived, reports, until, answer };
}

/** Sends a tone at the pace of a telephone, until it is told to stop. */
function speak(socket: Socket, port: number, hz: number, law: "PCMU" | "PCMA"): () => void {
  const tone = continuousTone(hz, 8000);
  let sequence = 65_530;
  const stop = everyFrame(() => {
    const samples = tone.next(160);
    const payload = law === "PCMU" ? encodeUlaw(samples) : encodeAlaw(samples);
    sequence += 1;
    const payloadType = law === "PCMU" ? 0 : 8;
    socket.send(
      encodeRtp({ payloadType, marker: false, sequence, timestamp: sequence * 160, ssrc: 7, payload }),
      port,
      "127.0.0.1",
    );
  });
  ending.unshift(stop);
  return stop;
}

const audio = (arrived: readonly Arrived[], from = 0): Int16Array =>
  concatenate(
    arrived
      .slice(from)
      .map(({ packet }) => (packet.payloadType === 0 ? decodeUlaw(packet.payload) : decodeAlaw(packet.payload))),
  );

describe("a number with a tone", () => {
  it.each([
    ["PCMU", "0 8 101", 440],
    ["PCMA", "8 0 101", 1000],
  ] as const)("is heard in %s, and hears the caller", async (law, formats, hz) => {
    const rig = await call([{ do: "answer", sound: { hz } }], formats);
    const { port, call: seen } = await rig.answer();
    speak(rig.rtp, port, 800, law);
    await rig.until(() => rig.arrived.length >= 60);
    const heard = listen(audio(rig.arrived), 8000, [440, 800, 1000]);
    expect(heard.hz).toBe(hz);
    expect(heard.ratio).toBeGreaterThan(1000);
    await rig.gateway.until(() => seen.heardMs >= 1000);
    expect(seen.heard()).toMatchObject({ hz: 800 });
    expect(seen.heard().ratio).toBeGreaterThan(1000);
    expect(seen).toMatchObject({ codec: law, rtp: { lost: 0, ssrcs: [7], strangers: 0 } });
  });

  it("sends a packet each 20 ms, one after the other", async () => {
    const rig = await call([{ do: "answer", sound: { hz: 440 } }]);
    const calledMs = performance.now();
    await rig.answer();
    await rig.until(() => rig.arrived.length >= 101);
    // A busy machine makes it later, never sooner.
    expect(performance.now() - calledMs).toBeGreaterThan(1_980);
    for (const [index, { packet }] of rig.arrived.entries()) {
      const before = rig.arrived[index - 1]?.packet;
      expect(packet.payload).toHaveLength(160);
      if (before === undefined) continue;
      expect((packet.sequence - before.sequence) & 0xffff).toBe(1);
      expect((packet.timestamp - before.timestamp) >>> 0).toBe(160);
    }
  });

  it("reports by RTCP, and says good-bye", async () => {
    const rig = await call([{ do: "answer", sound: "silence" }]);
    const { port, hangUp, call: seen } = await rig.answer();
    speak(rig.rtp, port, 800, "PCMU");
    await rig.until(() => rig.reports.length > 0);
    const report = rig.reports[0] ?? Buffer.alloc(0);
    expect([report[0], report[1]]).toEqual([0x81, 200]);
    expect(report.readUInt32BE(4)).toBe(rig.arrived[0]?.packet.ssrc);
    expect(report.readUInt32BE(28)).toBe(7);
    expect(report.readUIntBE(33, 3)).toBe(0);
    await rig.gateway.until(() => seen.heardMs > 0);
    await hangUp();
    await rig.until(() => rig.reports.some((bytes) => bytes.subarray(-8)[1] === 203));
  });
});

describe("the other numbers", () => {
  it("echo gives back what was said", async () => {
    const rig = await call([{ do: "answer", sound: "echo" }]);
    const { port } = await rig.answer();
    speak(rig.rtp, port, 800, "PCMU");
    await rig.until(() => rig.arrived.length >= 80);
    expect(listen(audio(rig.arrived, 20), 8000, [440, 800, 1000])).toMatchObject({ hz: 800 });
  });

  it("keys are heard with their lengths and said back", async () => {
    const rig = await call([{ do: "answer", sound: "keys" }]);
    const { port, call: seen } = await rig.answer();
    let sequence = 0;
    for (const [index, digit] of ["5", "#"].entries()) {
      for (const [duration, end] of [
        [160, false],
        [640, false],
        [1280, true],
        [1280, true],
        [1280, true],
      ] as const) {
        const payload = encodeTelephoneEvent({ digit, end, volume: 10, duration });
        sequence += 1;
        const packet = {
          payloadType: 101,
          marker: duration === 160,
          sequence,
          timestamp: 1000 + 8000 * index,
          ssrc: 7,
          payload,
        };
        rig.rtp.send(encodeRtp(packet), port, "127.0.0.1");
      }
    }
    await rig.gateway.until(() => seen.digits.length === 2);
    expect(seen.digits).toEqual([
      { digit: "5", durationMs: 160 },
      { digit: "#", durationMs: 160 },
    ]);
    const keyOf = (from: number, low: number, high: number) =>
      listen(audio(rig.arrived).subarray(from, from + 1600), 8000, [low, high]);
    await rig.until(() => listen(audio(rig.arrived), 8000, [852]).levelDb > -Infinity && rig.arrived.length > 60);
    const loud = audio(rig.arrived).findIndex((sample) => Math.abs(sample) > 1000);
    expect(keyOf(loud, 770, 1336).ratio).toBeGreaterThan(0.5);
    expect(keyOf(loud + 2640, 941, 1477).ratio).toBeGreaterThan(0.5);
  });

  it("early media is heard before the answer, and something else after it", async () => {
    const rig = await call([
      { do: "early", sound: { hz: 800 } },
      { do: "pause", ms: 700 },
      { do: "answer", sound: { hz: 440 } },
    ]);
    await rig.peer.status(183);
    await rig.until(() => rig.arrived.length >= 30);
    expect(listen(audio(rig.arrived), 8000, [440, 800])).toMatchObject({ hz: 800 });
    await rig.answer();
    const from = rig.arrived.length + 2;
    await rig.until(() => rig.arrived.length >= from + 20);
    expect(listen(audio(rig.arrived, from), 8000, [440, 800])).toMatchObject({ hz: 440 });
    expect(new Set(rig.arrived.map(({ packet }) => packet.ssrc)).size).toBe(1);
  });

  it("a caller who holds is not sent anything, and hears the same stream when it comes back", async () => {
    const rig = await call([{ do: "answer", sound: { hz: 440 } }]);
    const { body } = await rig.answer();
    await rig.until(() => rig.arrived.length >= 10);
    const toTag = (await rig.peer.status(200)).toTag;
    const port = rig.rtp.address().port;
    rig.peer.request("INVITE", { toTag, cseq: 2, body: offerOf(port, ["a=sendonly"]) });
    expect((await rig.peer.status(200, "2 INVITE")).body).toContain("a=recvonly");
    rig.peer.request("ACK", { toTag, cseq: 2 });
    const held = rig.arrived.length;
    const heldAtMs = performance.now();
    // Twelve beats without a packet, counted on the clock that would have sent them.
    await new Promise<void>((resolve) => {
      let beats = 0;
      const stop = everyFrame(() => {
        beats += 1;
        if (beats === 12) {
          stop();
          resolve();
        }
      });
    });
    expect(rig.arrived.length - held).toBeLessThanOrEqual(1);
    rig.peer.request("INVITE", { toTag, cseq: 3, body: offerOf(port) });
    rig.peer.request("ACK", { toTag: (await rig.peer.status(200, "3 INVITE")).toTag, cseq: 3 });
    await rig.until(() => rig.arrived.length >= held + 20);
    const before = rig.arrived[held - 1]?.packet;
    const after = rig.arrived.find(({ atMs }) => atMs > heldAtMs + 200)?.packet;
    expect(after?.ssrc).toBe(before?.ssrc);
    expect(((after?.timestamp ?? 0) - (before?.timestamp ?? 0)) >>> 0).toBeGreaterThanOrEqual(12 * 160);
    expect(body).toContain("a=sendrecv");
  });
});
