// Opus from the network (RFC 6716), by the WebAssembly that @evan/opus brings: asked directly, it conceals what is lost and
// reads in-band FEC, which the package's own decoder cannot. And what strangers send is read where it can reach nothing.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { AudioDecoder, SampleRate } from "./audio-codec.ts";

/** Its types come with those of browsers alone. */
declare const WebAssembly: {
  readonly Module: new (octets: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
};

interface Library {
  readonly memory: { readonly buffer: ArrayBuffer };
  malloc(octets: number): number;
  free(place: number): void;
  opus_decoder_get_size(channels: number): number;
  opus_decoder_init(decoder: number, sampleRate: number, channels: number): number;
  /** `packet` 0: it is lost. `fec` 1: the one before it is lost, and may be in it. Gives samples, or an error below zero. */
  opus_decode(decoder: number, packet: number, octets: number, pcm: number, samples: number, fec: 0 | 1): number;
}

interface Loaded {
  readonly library: Library;
  readonly packet: number;
  readonly pcm: number;
}

const mostOctets = 4096;
/** The longest packet, and the steps in which lost time is made up, as shares of a second: 120 ms and 2.5. */
const longest = 0.12;
const steps = 400;
const highest: SampleRate = 16_000;

let loaded: Loaded | undefined;

/** With the first decoder of a worker. */
function load(): Loaded {
  const file = createRequire(import.meta.url).resolve("@evan/opus/wasm/simd.wasm");
  const nothing = (): void => undefined;
  const { exports: library } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), {
    wasi_snapshot_preview1: { fd_seek: nothing, fd_write: nothing, fd_close: nothing, proc_exit: nothing },
    env: { emscripten_notify_memory_growth: nothing },
  }) as { readonly exports: Library };
  return { library, packet: library.malloc(mostOctets), pcm: library.malloc(2 * longest * highest) };
}

export class OpusDecoder implements AudioDecoder {
  readonly #opus: Loaded;
  readonly #decoder: number;
  readonly #rate: number;
  readonly #most: number;
  #isReleased = false;

  constructor(rate: SampleRate) {
    this.#rate = rate;
    this.#most = longest * rate;
    this.#opus = loaded ??= load();
    const { library } = this.#opus;
    this.#decoder = library.malloc(library.opus_decoder_get_size(1));
    library.opus_decoder_init(this.#decoder, rate, 1);
  }

  decode(payload: Uint8Array): Int16Array | undefined {
    return payload.length === 0 ? undefined : this.#decode(payload, this.#most, 0);
  }

  conceal(samples: number, next?: Uint8Array): Int16Array {
    const pcm = new Int16Array(samples);
    const count = Math.min(this.#most, samples - (samples % (this.#rate / steps)));
    if (count === 0) return pcm;
    const made = (next && this.#decode(next, count, 1)) ?? this.#decode(undefined, count, 0);
    if (made !== undefined) pcm.set(made);
    return pcm;
  }

  isPause(payload: Uint8Array): boolean {
    return payload.length <= 2;
  }

  hush(): void {
    // Its own comfort noise is what it makes up in a pause.
  }

  release(): void {
    if (!this.#isReleased) this.#opus.library.free(this.#decoder);
    this.#isReleased = true;
  }

  #decode(payload: Uint8Array | undefined, samples: number, fec: 0 | 1): Int16Array | undefined {
    const { library, packet, pcm } = this.#opus;
    const octets = payload?.length ?? 0;
    if (octets > mostOctets || this.#isReleased) return undefined;
    if (payload !== undefined) new Uint8Array(library.memory.buffer, packet, octets).set(payload);
    try {
      const count = library.opus_decode(this.#decoder, payload === undefined ? 0 : packet, octets, pcm, samples, fec);
      return count < 0 ? undefined : new Int16Array(library.memory.buffer, pcm, count).slice();
    } catch {
      // A defect of the library: this call has no sound any more, and the next ones have a library of their own.
      if (loaded === this.#opus) loaded = undefined;
      this.#isReleased = true;
      return undefined;
    }
  }
}
