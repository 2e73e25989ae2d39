// WAV files: written as 16-bit PCM, read as 16-bit PCM or 32-bit float, of any number of channels.
// Reading forgives what a recorder leaves behind when it is ended in mid-call (sizes never filled in).

const HEADER_BYTES = 44;
const FORMAT_PCM = 1;
const FORMAT_FLOAT = 3;
const FORMAT_EXTENSIBLE = 0xfffe;

/** Sound of one file. */
export interface Wav {
  /** Samples per second. */
  readonly rate: number;
  /** One array for each channel, all of one length. */
  readonly channels: readonly Int16Array[];
}

export class WavError extends Error {
  readonly code: "not_wav" | "unsupported";
  constructor(code: "not_wav" | "unsupported", message: string) {
    super(message);
    this.name = "WavError";
    this.code = code;
  }
}

/** One channel of 16-bit samples as a WAV file. */
export function encodeWav(samples: Int16Array, rate: number): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + samples.length * 2);
  const view = new DataView(bytes.buffer);
  const ascii = (offset: number, text: string): void => bytes.set(new TextEncoder().encode(text), offset);
  ascii(0, "RIFF");
  view.setUint32(4, bytes.length - 8, true);
  ascii(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, FORMAT_PCM, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, rate, true);
  view.setUint32(28, rate * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  ascii(36, "data");
  view.setUint32(40, samples.length * 2, true);
  for (const [index, sample] of samples.entries()) view.setInt16(HEADER_BYTES + index * 2, sample, true);
  return bytes;
}

interface Format {
  readonly float: boolean;
  readonly channels: number;
  readonly rate: number;
}

function readFormat(view: DataView, offset: number, length: number): Format {
  if (length < 16) throw new WavError("not_wav", "the format chunk is too short");
  const tag = view.getUint16(offset, true);
  // Extensible files name the real format in the first two bytes of a GUID.
  const format = tag === FORMAT_EXTENSIBLE && length >= 26 ? view.getUint16(offset + 24, true) : tag;
  const channels = view.getUint16(offset + 2, true);
  const bits = view.getUint16(offset + 14, true);
  const known = (format === FORMAT_PCM && bits === 16) || (format === FORMAT_FLOAT && bits === 32);
  if (!known || channels === 0) {
    throw new WavError("unsupported", `format ${format} with ${bits} bits and ${channels} channels`);
  }
  return { float: format === FORMAT_FLOAT, channels, rate: view.getUint32(offset + 4, true) };
}

/**
 * Reads a WAV file.
 * @throws {WavError} where it is no WAV file, or neither 16-bit PCM nor 32-bit float
 */
export function decodeWav(bytes: Uint8Array): Wav {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ascii = (offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4));
  if (bytes.length < 12 || ascii(0) !== "RIFF" || ascii(8) !== "WAVE") {
    throw new WavError("not_wav", "no RIFF/WAVE header");
  }
  let format: Format | undefined;
  let offset = 12;
  while (offset + 8 <= bytes.length) {
    const name = ascii(offset);
    const stated = view.getUint32(offset + 4, true);
    const start = offset + 8;
    const present = bytes.length - start;
    if (name === "fmt ") format = readFormat(view, start, Math.min(stated, present));
    if (name === "data") {
      if (format === undefined) throw new WavError("not_wav", "data before its format");
      // An unfinished file states 0 or 0xffffffff: then the data is all that is there.
      const length = stated === 0 || stated > present ? present : stated;
      return { rate: format.rate, channels: readChannels(view, start, length, format) };
    }
    offset = start + stated + (stated & 1);
  }
  throw new WavError("not_wav", "no data chunk");
}

function readChannels(view: DataView, start: number, length: number, format: Format): Int16Array[] {
  const width = format.float ? 4 : 2;
  const frames = Math.floor(length / (width * format.channels));
  const sample = (index: number): number => {
    const at = start + index * width;
    return format.float
      ? Math.round(Math.max(-1, Math.min(1, view.getFloat32(at, true))) * 32_767)
      : view.getInt16(at, true);
  };
  return Array.from({ length: format.channels }, (_, channel) =>
    Int16Array.from({ length: frames }, (_unused, frame) => sample(frame * format.channels + channel)),
  );
}
