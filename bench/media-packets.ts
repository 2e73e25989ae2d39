// The embedded media engine under load: what one forwarded packet costs its worker process, what a converted one, and what a
// session costs to set up and to keep. Clients and gateways live in this process; only the worker's own CPU time is counted.
import nodeDataChannel, { type Track } from "node-datachannel";
import { createSocket, type Socket } from "node:dgram";
import { randomBytes } from "node:crypto";
import { Encoder } from "@evan/opus";
import { encodeUlaw } from "../dev/audio/g711.ts";
import { encodeRtp } from "../dev/audio/rtp.ts";
import { bind } from "../dev/loopback/listen.ts";
import { callId } from "../src/core/ids.ts";
import { G722Encoder } from "../src/media/embedded/codec/g722.ts";
import { createEmbeddedEngine } from "../src/media/embedded/engine/engine.ts";
import { createCallMedia } from "../src/media/negotiation/negotiation.ts";
import { SrtpContext } from "../src/media/embedded/trunk/srtp.ts";
import type { CallMedia } from "../src/ports/media.ts";
import type { Log } from "../src/ports/telemetry.ts";
import { ConferenceBench, type ConferenceKind } from "./conference-packets.ts";
import { figure } from "./parts/statistics.ts";
import { childrenUsage } from "./parts/usage.ts";
import { livekitServers, serverOfTests } from "./rtc/media-servers.ts";

const sessions = 40;
const convertedSessions = 20;
const measuredMs = 6000;
const frameMs = 20;

interface Call {
  readonly track: Track;
  readonly socket: Socket;
  readonly port: number;
}

/** What a client speaks. */
interface Speech {
  readonly payloadType: number;
  readonly ticks: number;
  readonly packets: readonly Uint8Array[];
}

/** What the gateways have. */
interface Telephone {
  readonly codec: "PCMU" | "G722";
  readonly payloadType: number;
  readonly packets: readonly Uint8Array[];
}

const ulawSpeech: Speech = { payloadType: 0, ticks: 160, packets: [randomBytes(160)] };

/** A second of vowels that glide, as a browser sends it that was told what is worth sending. */
function opusSpeech(bandwidth: "narrowband" | "wideband", bitRate: number): Speech {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = bitRate;
  encoder.max_bandwidth = bandwidth;
  encoder.inband_fec = true;
  encoder.packet_loss = 5;
  const packets = vowels(48_000).map((frame) => encoder.encode(frame));
  return { payloadType: 111, ticks: 960, packets };
}

/** Frames of 20 ms. */
function vowels(rate: number): Int16Array[] {
  const length = (rate * frameMs) / 1000;
  let phase = 0;
  return Array.from({ length: 50 }, (_, frame) =>
    Int16Array.from({ length }, (__, index) => {
      const time = frame / 50 + index / rate;
      phase += (120 + 25 * Math.sin(4 * time)) / rate;
      let sum = 0;
      for (let harmonic = 1; harmonic <= 24; harmonic += 1) {
        const formant = 600 + 300 * Math.sin(9 * time);
        sum += Math.sin(2 * Math.PI * harmonic * phase) / (1 + ((harmonic * 120 - formant) / 150) ** 2);
      }
      return Math.round(6000 * sum * Math.abs(Math.sin(7 * time)) + 60 * (Math.random() - 0.5));
    }),
  );
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

async function openCall(
  media: CallMedia<string>,
  number: number,
  { payloadType }: Speech,
  telephone: Telephone,
): Promise<Call> {
  const codecs = [telephone.codec];
  const connection = new nodeDataChannel.PeerConnection("bench", {
    iceServers: [],
    bindAddress: "127.0.0.1",
    disableAutoNegotiation: true,
  });
  const audio = new nodeDataChannel.Audio("0", "SendRecv");
  if (payloadType === 0) audio.addAudioCodec(0, "PCMU");
  else audio.addOpusCodec(payloadType);
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
      a: { kind: "client", iceServers: [], codecs },
      b: { kind: "trunk", media: { srtp: "off", codecs, rtpNetworks: [] }, leg: call },
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
    `m=audio ${socket.address().port} RTP/AVP ${telephone.payloadType}`,
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
async function exchange(
  calls: readonly Call[],
  durationMs: number,
  speech: Speech,
  telephone: Telephone,
): Promise<number> {
  let arrived = 0;
  for (const { track, socket } of calls) {
    track.onMessage(() => (arrived += 1));
    socket.removeAllListeners("message").on("message", () => (arrived += 1));
  }
  const startMs = performance.now();
  for (let frame = 0; frame * frameMs < durationMs; frame += 1) {
    const waitMs = startMs + frame * frameMs - performance.now();
    if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
    frameCount += 1;
    const at = { marker: false, sequence: frameCount };
    const own = speech.packets[frameCount % speech.packets.length] ?? new Uint8Array(160);
    const told = telephone.packets[frameCount % telephone.packets.length] ?? new Uint8Array(160);
    for (const [index, { track, socket, port }] of calls.entries()) {
      const { payloadType, ticks } = speech;
      const said = { ...at, payloadType, timestamp: frameCount * ticks, payload: own, ssrc: 1000 + index };
      track.sendMessageBinary(Buffer.from(encodeRtp(said)));
      const heard = {
        ...at,
        payloadType: telephone.payloadType,
        timestamp: frameCount * 160,
        payload: told,
        ssrc: 5000 + index,
      };
      socket.send(encodeRtp(heard), port, "127.0.0.1");
    }
  }
  return arrived;
}

let frameCount = 0;
const ulaw: Telephone = { codec: "PCMU", payloadType: 0, packets: vowels(8000).map(encodeUlaw) };

function g722(): Telephone {
  const encoder = new G722Encoder(16_000);
  return { codec: "G722", payloadType: 9, packets: vowels(16_000).map((frame) => encoder.encode(frame)) };
}

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

/** Of the worker, once it is warm. */
async function measured(
  calls: readonly Call[],
  speech: Speech,
  telephone: Telephone,
): Promise<{ readonly packets: number; readonly usPerPacket: number }> {
  await exchange(calls, 1000, speech, telephone);
  const warm = childrenUsage(process.pid)?.cpuMs ?? 0;
  const packets = await exchange(calls, measuredMs, speech, telephone);
  return { packets, usPerPacket: (((childrenUsage(process.pid)?.cpuMs ?? 0) - warm) * 1000) / packets };
}

/** Printable lines; about two minutes. */
export async function run(): Promise<string[]> {
  const speech = opusSpeech("narrowband", 24_000);
  const servers = await serverOfTests();
  const livekits = await livekitServers();
  const conferences = new ConferenceBench("tests-", servers, speech);
  const atLivekit = livekits && new ConferenceBench("livekit-", livekits, speech);
  const media = createCallMedia(
    createEmbeddedEngine({
      workers: 1,
      sessionsPerWorker: sessions + 13 * convertedSessions,
      rtp: { host: "127.0.0.1", portMin: 34_000, portMax: 34_999 },
      ice: { bindHost: "127.0.0.1" },
      silenceTimeoutMs: 60_000,
      log: quietLog,
      clock: { nowMs: () => Date.now(), wallMs: () => Date.now(), at: () => () => undefined, newId: () => "" },
    }),
    quietLog,
    {
      conferences: {
        seat: (id) => (atLivekit !== undefined && id.startsWith("livekit-") ? atLivekit : conferences).rooms.seat(id),
      },
    },
  );
  await media.start();
  try {
    const idle = childrenUsage(process.pid);
    if (idle === undefined) return ["media: not measured, for want of /proc"];
    const calls: Call[] = [];
    for (let number = 0; number < sessions; number += 1) calls.push(await openCall(media, number, ulawSpeech, ulaw));
    const up = childrenUsage(process.pid) ?? idle;
    const { packets, usPerPacket } = await measured(calls, ulawSpeech, ulaw);
    const after = childrenUsage(process.pid) ?? idle;
    const others: Call[] = [];
    const convertedBy = async (opus: Speech, telephone: Telephone) => {
      const own: Call[] = [];
      for (let number = 0; number < convertedSessions; number += 1)
        own.push(await openCall(media, sessions + others.length + number, opus, telephone));
      others.push(...own);
      return measured(own, opus, telephone);
    };
    const converted = await convertedBy(opusSpeech("narrowband", 24_000), ulaw);
    const wideband = await convertedBy(opusSpeech("wideband", 32_000), g722());
    const lowerBand = await convertedBy(ulawSpeech, g722());
    // Once more, as the machine may have become busier meanwhile.
    const again = await measured(calls, ulawSpeech, ulaw);
    for (const { socket } of [...calls, ...others]) socket.close();
    const inConferences = async (kind: ConferenceKind, count = convertedSessions, where = conferences) =>
      where.cost(media, count, kind, measuredMs);
    const telephone = { ...ulaw, ticks: 160 };
    const opus: ConferenceKind = { codec: "opus", telephone: speech, isEncrypted: false, takes: ["opus"] };
    const bothWays: ConferenceKind = { codec: "PCMU", telephone, isEncrypted: false, takes: ["opus"] };
    const oneWay: ConferenceKind = { ...bothWays, takes: ["opus", "PCMU"] };
    // The first ones load what all others share, and those that come next take memory that the others use again.
    const firstServers = atLivekit ?? conferences;
    await inConferences(opus, 2, firstServers);
    const { kib } = await inConferences(opus, convertedSessions, firstServers);
    const passed = await inConferences(opus);
    const turned = await inConferences(bothWays);
    const half = await inConferences(oneWay);
    const sealed = await inConferences({ ...bothWays, isEncrypted: true });
    const halfSealed = await inConferences({ ...oneWay, isEncrypted: true });
    const real = [];
    for (const [name, kind] of Object.entries({
      "Opus passed on": opus,
      "Opus passed on, encrypted": { ...opus, isEncrypted: true },
      "converted to G.711 and back": bothWays,
      "the same, encrypted": { ...bothWays, isEncrypted: true },
      "G.711 goes out as it is": oneWay,
      "the same as it is, encrypted": { ...oneWay, isEncrypted: true },
    })) {
      if (atLivekit !== undefined) real.push({ name, ...(await inConferences(kind, convertedSessions, atLivekit)) });
    }
    const ratio = (one: { readonly usPerPacket: number }, other: { readonly usPerPacket: number }): string =>
      figure(one.usPerPacket / other.usPerPacket, 2);
    const sent = (measuredMs / frameMs) * sessions * 2;
    const priceOf = (each: { readonly usPerPacket: number }): string =>
      figure((2 * each.usPerPacket) / (usPerPacket + again.usPerPacket), 2);
    const costOf = (each: { readonly usPerPacket: number }): string =>
      `${figure(each.usPerPacket, 1)} us CPU per packet (${priceOf(each)} times the forwarded one)`;
    const setUpMs = (up.cpuMs - idle.cpuMs) / sessions;
    const sessionKib = (after.rss - idle.rss) / sessions / 1024;
    return [
      `media: ${figure(usPerPacket, 1)} us CPU per forwarded packet (${sessions} calls, ${packets} of ${sent} packets)`,
      `media: about ${figure(1e6 / (usPerPacket * 100))} two-way calls on one core`,
      `media: ${figure(converted.usPerPacket, 1)} us CPU per packet converted between Opus and G.711 (${convertedSessions} calls, ${converted.packets} packets)`,
      `media: ${priceOf(converted)} times the forwarded packet, about ${figure(1e6 / (converted.usPerPacket * 100))} such calls on one core`,
      `media: ${figure(wideband.usPerPacket, 1)} us CPU per packet converted between Opus and G.722, ${priceOf(wideband)} times the forwarded packet`,
      `media: ${figure(lowerBand.usPerPacket, 1)} us CPU per packet converted between G.722 and G.711, ${priceOf(lowerBand)} times the forwarded packet`,
      `media: in a conference, ${costOf(passed)} where Opus is passed on, ${costOf(turned)} where it is converted to G.711 and back, ${costOf(half)} where G.711 goes out as it is`,
      `media: the same encrypted, ${costOf(sealed)} converted both ways, ${costOf(halfSealed)} where G.711 goes out as it is`,
      `media: where G.711 goes out as it is, a packet costs ${ratio(half, turned)} of what it costs converted both ways, encrypted ${ratio(halfSealed, sealed)}`,
      ...real.map(
        (each) =>
          `media: at a livekit-server, ${each.name}: a call takes ${figure(each.usPerPacket / 100, 2)}% of a core, ${costOf(each)}, ${figure(each.setUpMs, 1)} ms CPU to set up`,
      ),
      `media: a conference's session takes ${figure(turned.setUpMs, 1)} ms CPU to set up, and ${figure(kib)} KiB`,
      `media: ${figure(setUpMs, 1)} ms CPU to set up a session`,
      `media: ${figure(sessionKib)} KiB a session, ${figure(idle.rss / 2 ** 20)} MiB an idle worker`,
      srtpLine(),
    ];
  } finally {
    await media.stop();
    await servers.stop();
    await livekits?.stop();
  }
}
