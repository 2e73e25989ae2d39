// A tone as packets of a codec, 20 ms each, and back to 8 kHz samples.
import { Decoder, Encoder } from "@evan/opus";
import { decodeAlaw, decodeUlaw, encodeAlaw, encodeUlaw } from "../../../dev/audio/g711.ts";
import { continuousTone } from "../../../dev/audio/tone.ts";
import { G722Decoder, G722Encoder } from "../../../src/media/embedded/codec/g722.ts";

export interface Voice {
  readonly clockRate: number;
  readonly frame: () => Uint8Array;
  readonly decode: (payload: Uint8Array) => Int16Array;
}

export function ulawVoice(hz: number): Voice {
  const tone = continuousTone(hz, 8000);
  return { clockRate: 8000, frame: () => encodeUlaw(tone.next(160)), decode: decodeUlaw };
}

export function alawVoice(hz: number): Voice {
  const tone = continuousTone(hz, 8000);
  return { clockRate: 8000, frame: () => encodeAlaw(tone.next(160)), decode: decodeAlaw };
}

/** In its lower band. By our own codec, which is shown to do what another one does (`test/media/rtp/g722.test.ts`). */
export function g722Voice(hz: number): Voice {
  const tone = continuousTone(hz, 8000);
  const [encoder, decoder] = [new G722Encoder(8000), new G722Decoder(8000)];
  return {
    clockRate: 8000,
    frame: () => encoder.encode(tone.next(160)),
    decode: (payload) => decoder.decode(payload) ?? new Int16Array(),
  };
}

/** As a browser: 48 kHz, with FEC. */
export function opusVoice(hz: number): Voice {
  const tone = continuousTone(hz, 48_000);
  const encoder = new Encoder({ channels: 1, sample_rate: 48_000, application: "voip" });
  encoder.bitrate = 32_000;
  encoder.inband_fec = true;
  encoder.packet_loss = 5;
  const decoder = new Decoder({ channels: 1, sample_rate: 8000 });
  return {
    clockRate: 48_000,
    frame: () => encoder.encode(tone.next(960)),
    decode: (payload) => {
      const { buffer, byteOffset, byteLength } = decoder.decode(payload);
      return new Int16Array(buffer, byteOffset, byteLength / 2);
    },
  };
}
