// The embedded media engine under load: what one forwarded packet costs its worker process, and what a session costs
// to set up and to keep. Clients and gateways live in this process; only the worker's own CPU time is counted.
import nodeDataChannel, { type Track } from "node-datachannel";
import { createSocket, type Socket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { encodeRtp } from "../dev/audio/rtp.ts";
import { bind } from "../dev/loopback/listen.ts";
import { callId } from "../src/core/ids.ts";
import { createEmbeddedEngine } from "../src/media/embedded/engine/engine.ts";
import { createCallMedia } from "../src/media/negotiation/negotiation.ts";
import { SrtpContext } from "../src/media/embedded/trunk/srtp.ts";
import type { CallMedia } from "../src/ports/media.ts";
import type { Log } from "../src/ports/telemetry.ts";
import { figure } from "./parts/statistics.ts";
import { childrenUsage } from "./parts/usage.ts";

const sessions = 40;
const measuredMs = 6000;
const frameMs = 20;

interface Call {
  readonly track: Track;
  readonly socket: Socket;
  readonly port: number;
}

const ignored = (): void => undefined;
const quietLog: Log = {
  trace: ignored,
  debug: ignored,
  info: ignored,
  warn: ignored,
  error: ignored,
  child: () => quietLog,
};

async function openCall(media: CallMedia<string>, number: number): Promise<Call> {
  const connection = new nodeDataChannel.PeerConnection("bench", {
    iceServers: [],
    bindAddress: "127.0.0.1",
    disableAutoNegotiation: true,
  });
  const audio = new nodeDataChannel.Audio("0", "SendRecv");
  audio.addAudioCodec(0, "PCMU");
  audio.addSSRC(1000 + number, "bench", "stream", "track");
  const track = connection.addTrack(audio);
  const open = new Promise<void>((resolve) => track.onOpen(() => resolve()));
  connection.setLocalDescription("offer");
  const socket = createSocket("udp4");
  await bind(socket);
  const call = callId(`bench-${number}`);
  const session = await media.open(
    {
      call,
      a: { kind: "client", iceServers: [], codecs: ["PCMU"] },
      b: { kind: "trunk", media: { srtp: "off", codecs: ["PCMU"], rtpNetworks: [] }, leg: call },
    },
    () => undefined,
  );
  // Candidates are left out: ours are enough, and the library must have the fingerprint before it connects.
  const offer = (connection.localDescription()?.sdp ?? "").replaceAll(/a=candidate.*\r\n/g, "");
  const { description: sdp } = await session.offer("a", offer);
  const gateway = [
    "v=0",
    "o=- 1 1 IN IP4 127.0.0.1",
    "s=-",
    "c=IN IP4 127.0.0.1",
    "t=0 0",
    `m=audio ${socket.address().port} RTP/AVP 0`,
    "",
  ];
  connection.setRemoteDescription(await session.answer("b", gateway.join("\r\n")), "answer");
  await open;
  kept.push(connection, track);
  return { track, socket, port: Number(/m=audio (\d+)/.exec(sdp)?.[1]) };
}

/** The library must not see its objects collected while its threads still use them. */
const kept: unknown[] = [];

/** 50 packets a second each way and call, for `durationMs`; resolves with the packets that came out at both ends. */
async function exchange(calls: readonly Call[], durationMs: number): Promise<number> {
  let arrived = 0;
  const payload = randomBytes(160);
  for (const { track, socket } of calls) {
    track.onMessage(() => (arrived += 1));
    socket.removeAllListeners("message").on("message", () => (arrived += 1));
  }
  const startMs = performance.now();
  for (let frame = 0; frame * frameMs < durationMs; frame += 1) {
    const waitMs = startMs + frame * frameMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    frameCount += 1;
    for (const [index, { track, socket, port }] of calls.entries()) {
      const header = { payloadType: 0, marker: false, sequence: frameCount, timestamp: frameCount * 160, payload };
      track.sendMessageBinary(Buffer.from(encodeRtp({ ...header, ssrc: 1000 + index })));
      socket.send(encodeRtp({ ...header, ssrc: 5000 + index }), port, "127.0.0.1");
    }
  }
  return arrived;
}

let frameCount = 0;

function srtpLine(): string {
  const master = randomBytes(30);
  const out = new SrtpContext("AES_CM_128_HMAC_SHA1_80", master);
  const back = new SrtpContext("AES_CM_128_HMAC_SHA1_80", master);
  const payload = randomBytes(160);
  const packets = 20_000;
  const before = process.cpuUsage();
  for (let sequence = 0; sequence < packets; sequence += 1) {
    const header = { payloadType: 0, marker: false, sequence: sequence & 0xffff, timestamp: 0, ssrc: 1, payload };
    back.openRtp(out.protectRtp(Buffer.from(encodeRtp(header))));
  }
  const { user, system } = process.cpuUsage(before);
  return `SRTP to a trunk: ${((user + system) / packets / 2).toFixed(1)} us CPU more per packet`;
}

/** Printable lines; about ten seconds. */
export async function run(): Promise<string[]> {
  const media = createCallMedia(
    createEmbeddedEngine({
      workers: 1,
      sessionsPerWorker: sessions,
      rtp: { host: "127.0.0.1", portMin: 34_000, portMax: 34_999 },
      ice: { bindHost: "127.0.0.1" },
      silenceTimeoutMs: 60_000,
      log: quietLog,
      clock: { nowMs: () => Date.now(), wallMs: () => Date.now(), at: () => () => undefined, newId: () => "" },
    }),
    quietLog,
  );
  await media.start();
  try {
    const idle = childrenUsage(process.pid);
    if (idle === undefined) return ["media: not measured, for want of /proc"];
    const calls: Call[] = [];
    for (let number = 0; number < sessions; number += 1) calls.push(await openCall(media, number));
    const up = childrenUsage(process.pid) ?? idle;
    await exchange(calls, 1000);
    const warm = childrenUsage(process.pid) ?? idle;
    const packets = await exchange(calls, measuredMs);
    const after = childrenUsage(process.pid) ?? idle;
    for (const { socket } of calls) socket.close();
    const sent = (measuredMs / frameMs) * sessions * 2;
    const usPerPacket = ((after.cpuMs - warm.cpuMs) * 1000) / packets;
    const setUpMs = (up.cpuMs - idle.cpuMs) / sessions;
    const sessionKib = (after.rss - idle.rss) / sessions / 1024;
    return [
      `media: ${figure(usPerPacket, 1)} us CPU per forwarded packet (${sessions} calls, ${packets} of ${sent} packets)`,
      `media: about ${figure(1e6 / (usPerPacket * 100))} two-way calls on one core`,
      `media: ${figure(setUpMs, 1)} ms CPU to set up a session`,
      `media: ${figure(sessionKib)} KiB a session, ${figure(idle.rss / 2 ** 20)} MiB an idle worker`,
      srtpLine(),
    ];
  } finally {
    await media.stop();
  }
}
