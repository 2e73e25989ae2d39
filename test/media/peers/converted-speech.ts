// Speech through a direction of a call that is converted, with packets lost on the way: what is heard of it. The clock and
// the timers have to be the test's own.
import { Decoder, Encoder } from "@evan/opus";
import { vi } from "vitest";
import { decodeAlaw, encodeAlaw } from "../../../dev/audio/g711.ts";
import { decodeRtp, encodeRtp } from "../../../dev/audio/rtp.ts";
import { concatenate } from "../../../dev/audio/tone.ts";
import type { Crossing } from "../../../src/core/sdp/exchange/agreement.ts";
import { G722Decoder, G722Encoder } from "../../../src/media/embedded/codec/g722.ts";
import { newStream, OutgoingStream } from "../../../src/media/embedded/rtp/outgoing-stream.ts";
import { RtpStream } from "../../../src/media/embedded/rtp/rtp-stream.ts";
import { resampled } from "./fidelity.ts";

type Codec = "opus" | "PCMA" | "G722";
const ways = {
  "Opus to A-law": ["opus", "PCMA"],
  "A-law to Opus": ["PCMA", "opus"],
  "Opus to G.722": ["opus", "G722"],
  "G.722 to Opus": ["G722", "opus"],
} as const;
type Way = keyof typeof ways;

const clockRate: Readonly<Record<Codec, number>> = { opus: 48_000, PCMA: 8000, G722: 8000 };

function crossingOf(way: Way): Crossing {
  const [from, name] = ways[way];
  const converts = { from, wishes: "", ptimeMs: 20 };
  const clocks = { fromClockRate: clockRate[from], toClockRate: clockRate[name] };
  return { payloadType: 96, name, isEvent: false, isRelayed: true, ...clocks, converts };
}

/** 16 kHz, as a client that was told what is worth sending, with FEC. */
export function opusPackets(samples: Int16Array, bandwidth: "narrowband" | "wideband" = "narrowband"): Uint8Array[] {
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = bandwidth === "narrowband" ? 24_000 : 40_000;
  encoder.max_bandwidth = bandwidth;
  encoder.inband_fec = true;
  encoder.packet_loss = 10;
  const wide = resampled(samples, 16_000, 48_000);
  return Array.from({ length: Math.floor(wide.length / 960) }, (_, at) =>
    encoder.encode(wide.subarray(at * 960, at * 960 + 960)),
  );
}

/** 16 kHz. */
export function g722Packets(samples: Int16Array): Uint8Array[] {
  const encoder = new G722Encoder(16_000);
  return Array.from({ length: Math.floor(samples.length / 320) }, (_, at) =>
    encoder.encode(samples.subarray(at * 320, at * 320 + 320)),
  );
}

/** 8 kHz. */
export function alawPackets(samples: Int16Array): Uint8Array[] {
  return Array.from({ length: Math.floor(samples.length / 160) }, (_, at) =>
    encodeAlaw(samples.subarray(at * 160, at * 160 + 160)),
  );
}

/** Packets of 20 ms, one in so many lost at random, but always the same ones. */
export function converted(packets: readonly Uint8Array[], way: Way, loss: number): Uint8Array[] {
  const out: Uint8Array[] = [];
  const to = new OutgoingStream(newStream(), (packet) => out.push(decodeRtp(packet)?.payload ?? packet) > 0, 0);
  const stream = new RtpStream(to, () => undefined);
  const crossing = crossingOf(way);
  stream.agree(new Map([[96, crossing]]), true, undefined);
  let chance = 12_345;
  for (const [sequence, payload] of packets.entries()) {
    chance = (chance * 1_103_515_245 + 12_345) & 0x7fff_ffff;
    const isLost = chance / 0x7fff_ffff < loss && sequence > 2 && sequence < packets.length - 1;
    const timestamp = (sequence * crossing.fromClockRate) / 50;
    const packet = encodeRtp({ payloadType: 96, marker: false, sequence, timestamp, ssrc: 1, payload });
    if (!isLost) stream.packet(Buffer.from(packet), Math.floor(performance.timeOrigin + performance.now()));
    vi.advanceTimersByTime(20);
  }
  stream.close();
  return out;
}

/** At 16 kHz where both codecs are wideband, and at 8 kHz elsewhere. */
export function heard(packets: readonly Uint8Array[], way: Way): Int16Array {
  return concatenate(packets.map(decoderOf(way)));
}

function decoderOf(way: Way): (payload: Uint8Array) => Int16Array {
  const [from, to] = ways[way];
  if (to === "PCMA") return (payload) => decodeAlaw(payload);
  if (to === "G722") {
    const decoder = new G722Decoder(16_000);
    return (payload) => decoder.decode(payload) ?? new Int16Array();
  }
  const decoder = new Decoder({ channels: 1, sample_rate: from === "G722" ? 16_000 : 8000 });
  return (payload) => {
    const { buffer, byteOffset, byteLength } = decoder.decode(payload);
    return new Int16Array(buffer, byteOffset, byteLength / 2);
  };
}
