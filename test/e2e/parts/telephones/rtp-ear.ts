// The media half of a SIPp endpoint: plays a tone, keeps what it hears, and decodes key presses with
// their durations, which no other part of the rig tells.
import { createSocket } from "node:dgram";
import { bind } from "../../../../dev/loopback/listen.ts";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../../../dev/audio/g711.ts";
import { listen } from "../../../../dev/audio/goertzel.ts";
import { decodeRtp, encodeRtp, type RtpPacket } from "../../../../dev/audio/rtp.ts";
import { type Keypress, keypresses } from "../../../../dev/audio/telephone-event.ts";
import { concatenate, continuousTone } from "../../../../dev/audio/tone.ts";
import type { Hearing } from "../base/hearing.ts";
import { freePorts } from "../../../../dev/loopback/free-ports.ts";
import type { Rig } from "../base/rig.ts";

const RATE = 8000;
const PACKET_MS = 20;
/** A shared machine delivers a packet so much too late. */
const LATE_MS = 200;
const PACKET_SAMPLES = (RATE * PACKET_MS) / 1000;

export interface RtpEarOptions {
  /** The tone it plays to whoever sends to it, in Hz. */
  readonly toneHz: number;
  readonly codec?: "PCMU" | "PCMA";
  /** Payload type of telephone-event in the SDP that names this ear. */
  readonly eventPayloadType?: number;
}

export interface RtpEar {
  /** The RTP port on 127.0.0.1; the next one is free for RTCP. */
  readonly port: number;
  /** What came within the last `durationMs` of the clock: nothing once the peer stops sending. */
  readonly hears: Hearing;
  /** The keys that were pressed so far, with their durations. */
  keypresses(): Keypress[];
}

/** Opens the ear; it closes with the rig. It sends nothing until it has been sent to. */
export async function openRtpEar(rig: Rig, options: RtpEarOptions): Promise<RtpEar> {
  const port = await freePorts(2);
  const alaw = options.codec === "PCMA";
  const payloadType = alaw ? 8 : 0;
  const eventPayloadType = options.eventPayloadType ?? 101;
  const arrived: { atMs: number; packet: RtpPacket }[] = [];
  const socket = createSocket("udp4");
  await bind(socket, port);

  const tone = continuousTone(options.toneHz, RATE);
  let peer: { address: string; port: number } | undefined;
  let sequence = 0;
  let started = 0;

  socket.on("message", (bytes, from) => {
    const packet = decodeRtp(bytes);
    if (packet === undefined) return;
    peer ??= from;
    arrived.push({ atMs: performance.now(), packet });
  });
  // A late timer sends the packets it owes, so that the stream keeps its rate.
  const clock = setInterval(() => {
    if (peer === undefined) return;
    if (started === 0) started = performance.now();
    while (performance.now() - started > sequence * PACKET_MS) {
      const samples = tone.next(PACKET_SAMPLES);
      const payload = alaw ? encodeAlaw(samples) : encodeUlaw(samples);
      const marker = sequence === 0;
      const packet = { payloadType, marker, sequence, timestamp: sequence * PACKET_SAMPLES, ssrc: 0x0ea7, payload };
      socket.send(encodeRtp(packet), peer.port, peer.address);
      sequence += 1;
    }
  }, PACKET_MS / 2);
  rig.defer("RTP ear", async () => {
    clearInterval(clock);
    socket.close();
  });

  return {
    port,
    hears(frequencies, durationMs) {
      const since = performance.now() - durationMs - LATE_MS;
      const audio = arrived.filter(({ atMs, packet }) => atMs >= since && packet.payloadType === payloadType);
      const wanted = (RATE * durationMs) / 1000;
      const samples = concatenate(audio.map(({ packet }) => (alaw ? decodeAlaw : decodeUlaw)(packet.payload)));
      return samples.length < wanted ? undefined : listen(samples.subarray(-wanted), RATE, frequencies);
    },
    keypresses: () =>
      keypresses(
        arrived.map(({ packet }) => packet).filter((packet) => packet.payloadType === eventPayloadType),
        RATE,
      ),
  };
}
