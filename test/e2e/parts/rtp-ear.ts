// The media half of a SIPp endpoint: plays a tone, keeps what it hears, and decodes key presses with
// their durations, which no other part of the rig tells.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../../dev/audio/g711.ts";
import { type Heard, listen } from "../../../dev/audio/goertzel.ts";
import { decodeRtp, encodeRtp, type RtpPacket } from "../../../dev/audio/rtp.ts";
import { type Keypress, keypresses } from "../../../dev/audio/telephone-event.ts";
import { concatenate, continuousTone } from "../../../dev/audio/tone.ts";
import { freePorts } from "./port.ts";
import type { Rig } from "./rig.ts";

const RATE = 8000;
const PACKET_MS = 20;
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
  /** What was received so far, in the order of arrival, RTCP left out. */
  readonly packets: readonly RtpPacket[];
  /** Which of the frequencies is in the last `durationMs`; undefined where less came. */
  heard(frequencies: readonly number[], durationMs?: number): Heard | undefined;
  /** The keys that were pressed so far, with their durations. */
  keypresses(): Keypress[];
  /** Stops sending, as a peer does that is on hold. */
  mute(muted: boolean): void;
}

/** Opens the ear; it closes with the rig. It sends nothing until it has been sent to. */
export async function openRtpEar(rig: Rig, options: RtpEarOptions): Promise<RtpEar> {
  const port = await freePorts(2);
  const alaw = options.codec === "PCMA";
  const payloadType = alaw ? 8 : 0;
  const eventPayloadType = options.eventPayloadType ?? 101;
  const packets: RtpPacket[] = [];
  const socket = createSocket("udp4");
  socket.bind(port, "127.0.0.1");
  await once(socket, "listening");

  const tone = continuousTone(options.toneHz, RATE);
  let peer: { address: string; port: number } | undefined;
  let muted = false;
  let sequence = 0;
  let started = 0;

  socket.on("message", (bytes, from) => {
    const packet = decodeRtp(bytes);
    if (packet === undefined) return;
    peer ??= from;
    packets.push(packet);
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
      if (!muted) socket.send(encodeRtp(packet), peer.port, peer.address);
      sequence += 1;
    }
  }, PACKET_MS / 2);
  rig.defer("RTP ear", async () => {
    clearInterval(clock);
    socket.close();
  });

  return {
    port,
    packets,
    heard(frequencies, durationMs = 1000) {
      const audio = packets.filter((packet) => packet.payloadType === payloadType).slice(-durationMs / PACKET_MS);
      const samples = concatenate(audio.map(({ payload }) => (alaw ? decodeAlaw(payload) : decodeUlaw(payload))));
      return samples.length < (RATE * durationMs) / 1000 ? undefined : listen(samples, RATE, frequencies);
    },
    keypresses: () =>
      keypresses(
        packets.filter((packet) => packet.payloadType === eventPayloadType),
        RATE,
      ),
    mute(wanted) {
      muted = wanted;
    },
  };
}
