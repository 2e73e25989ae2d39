// Opus (RFC 6716, RFC 7587) at the rate of telephones: it resamples by itself. Encoders and decoders are kept for the next
// call, as each has a few ten KiB of native memory that only the garbage collector gives back.
import { Decoder, Encoder } from "@evan/opus";
import { sampleRate, type AudioDecoder, type AudioEncoder } from "./audio-codec.ts";

/** Narrowband speech is transparent from about 16 kbit/s on; the rest is for in-band FEC. */
const bitRate = { least: 6000, usual: 20_000 };
/** As @evan/opus was measured: twice as cheap as 10, and as good at this rate. */
const complexity = 5;
/** Loss that encoders prepare for, percent: with none they send no FEC. */
const expectedLoss = 5;
/** Of each kind. */
const mostSpare = 64;

const spare: { readonly encoders: Encoder[]; readonly decoders: Decoder[] } = { encoders: [], decoders: [] };

class OpusEncoder implements AudioEncoder {
  readonly #encoder: Encoder;

  constructor(encoder: Encoder, wishes: string) {
    this.#encoder = encoder;
    const most = Number(/(?:^|[;\s])maxaveragebitrate=(\d{4,6})(?:[;\s]|$)/.exec(wishes)?.[1] ?? bitRate.usual);
    encoder.bitrate = Math.max(bitRate.least, Math.min(bitRate.usual, most));
    encoder.vbr = !/(?:^|[;\s])cbr=1(?:[;\s]|$)/.test(wishes);
    encoder.complexity = complexity;
    encoder.inband_fec = true;
    encoder.packet_loss = expectedLoss;
  }

  encode(samples: Int16Array): Uint8Array {
    return this.#encoder.encode(samples);
  }

  release(): void {
    if (spare.encoders.length < mostSpare) spare.encoders.push(this.#encoder);
  }
}

class OpusDecoder implements AudioDecoder {
  readonly #decoder: Decoder;
  /** Configuration of the last packet (RFC 6716 s3.1), for one frame. */
  #configuration: number | undefined;

  constructor(decoder: Decoder) {
    this.#decoder = decoder;
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    const pcm = this.#try(payload);
    if (pcm !== undefined) this.#configuration = (payload[0] ?? 0) & 0xfc;
    return pcm;
  }

  /** A packet with no more than its first octet is a lost frame of that length to the decoder (RFC 6716 s3.2.1). */
  conceal(samples: number): Int16Array {
    const pcm = new Int16Array(samples);
    if (this.#configuration === undefined) return pcm;
    for (let made = 0; made < samples;) {
      const part = this.#try(Uint8Array.of(this.#configuration));
      if (part === undefined || part.length === 0) break;
      pcm.set(part.subarray(0, samples - made), made);
      made += part.length;
    }
    return pcm;
  }

  isPause(payload: Uint8Array): boolean {
    return payload.length <= 2;
  }

  hush(): void {
    // It says its comfort noise itself.
  }

  release(): void {
    if (spare.decoders.length < mostSpare) spare.decoders.push(this.#decoder);
  }

  #try(payload: Uint8Array): Int16Array | undefined {
    try {
      const { buffer, byteOffset, byteLength } = this.#decoder.decode(payload);
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    } catch {
      return undefined;
    }
  }
}

export function opusEncoder(wishes: string): AudioEncoder {
  const used = spare.encoders.pop();
  used?.reset();
  return new OpusEncoder(used ?? new Encoder({ channels: 1, sample_rate: sampleRate, application: "voip" }), wishes);
}

export function opusDecoder(): AudioDecoder {
  const used = spare.decoders.pop();
  used?.reset();
  return new OpusDecoder(used ?? new Decoder({ channels: 1, sample_rate: sampleRate }));
}
