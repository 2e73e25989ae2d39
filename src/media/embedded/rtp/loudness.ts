// How loud one direction is: the loudest of some packets of the last seconds, so that pauses between words do not count. Only
// G.711 is measured, which tables read; other codecs would have to be decoded.
import { lawSamples } from "../codec/g711.ts";

const energies = { PCMA: energiesOf("PCMA"), PCMU: energiesOf("PCMU") };

/** One of so many packets is measured. */
const every = 10;
const periodMs = 2_500;
/** As RFC 6464 has it: silence. */
const quietest = -127;

export class Loudness {
  #skipped = every;
  /** Mean square of full scale, of this period and the one before; undefined: nothing was measured in it. */
  #loudest: number | undefined;
  #before: number | undefined;
  #untilMs = 0;

  /** Its payload is from `start` to `end`. */
  packet(codec: string, packet: Uint8Array, start: number, end: number, nowMs: number): void {
    if (++this.#skipped < every) return;
    const squares = codec === "PCMU" ? energies.PCMU : codec === "PCMA" ? energies.PCMA : undefined;
    if (squares === undefined || start >= end) return;
    this.#skipped = 0;
    this.#turn(nowMs);
    let sum = 0;
    for (let at = start; at < end; at++) sum += squares[packet[at] ?? 0] ?? 0;
    this.#loudest = Math.max(this.#loudest ?? 0, sum / (end - start));
  }

  /** In dBov (RFC 6464); undefined: nothing was measured lately. */
  levelDbov(nowMs: number): number | undefined {
    this.#turn(nowMs);
    if (this.#loudest === undefined && this.#before === undefined) return undefined;
    const loudest = Math.max(this.#loudest ?? 0, this.#before ?? 0);
    return loudest === 0 ? quietest : Math.max(quietest, Math.round(10 * Math.log10(loudest)));
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#untilMs) return;
    this.#before = nowMs < this.#untilMs + periodMs ? this.#loudest : undefined;
    this.#loudest = undefined;
    this.#untilMs = nowMs + periodMs;
  }
}

function energiesOf(law: "PCMA" | "PCMU"): Float64Array {
  return Float64Array.from(lawSamples(law), (sample) => (sample / 32_768) ** 2);
}
