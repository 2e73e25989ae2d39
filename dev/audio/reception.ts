// What arrives on one RTP leg: counted as RFC 3550 s A.1 and s A.8 count it, decoded, and kept for a few
// seconds so that a test can ask which tone it was.
import { listen, type Heard } from "./goertzel.ts";
import type { RtpPacket } from "./rtp.ts";
import type { ReceptionReport } from "./rtcp.ts";

const RATE = 8_000;
const KEPT_SAMPLES = 4 * RATE;
/** More than 40 Hz apart: the tones that the demo and the tests send. */
const USUAL_TONES: readonly number[] = [350, 440, 600, 800, 1000, 1400, 1800, 2200];

export class Reception {
  packets = 0;
  octets = 0;
  /** Each SSRC that was heard, in order: one, unless a stream was broken. */
  readonly ssrcs: number[] = [];
  /** Each payload type that came, first come first. */
  readonly payloadTypes: number[] = [];
  /** Packets of a payload type that nobody agreed on. */
  strangers = 0;
  #first: number | undefined;
  #highest = 0;
  #wraps = 0;
  #jitter = 0;
  #transit: number | undefined;
  #reported = { expected: 0, packets: 0 };
  readonly #samples = new Int16Array(KEPT_SAMPLES);
  #written = 0;

  count(packet: RtpPacket, nowMs: number): void {
    this.packets += 1;
    this.octets += packet.payload.length;
    if (!this.ssrcs.includes(packet.ssrc)) {
      this.ssrcs.push(packet.ssrc);
      this.#first = undefined;
    }
    if (!this.payloadTypes.includes(packet.payloadType)) this.payloadTypes.push(packet.payloadType);
    if (this.#first === undefined) {
      this.#first = packet.sequence;
      this.#highest = packet.sequence;
      this.#wraps = 0;
    } else if (((packet.sequence - this.#highest) & 0xffff) < 0x8000) {
      if (packet.sequence < this.#highest) this.#wraps += 1;
      this.#highest = packet.sequence;
    }
    const transit = (nowMs * RATE) / 1000 - packet.timestamp;
    if (this.#transit !== undefined) this.#jitter += (Math.abs(transit - this.#transit) - this.#jitter) / 16;
    this.#transit = transit;
  }

  keep(samples: Int16Array): void {
    for (const sample of samples) {
      this.#samples[this.#written % KEPT_SAMPLES] = sample;
      this.#written += 1;
    }
  }

  /** Audio that was decoded so far, in ms. */
  get heardMs(): number {
    return (1000 * this.#written) / RATE;
  }

  /** Packets that never came, as far as the sequence numbers tell. */
  get lost(): number {
    return this.#expected === 0 ? 0 : Math.max(0, this.#expected - this.packets);
  }

  get #expected(): number {
    return this.#first === undefined ? 0 : this.#wraps * 65_536 + this.#highest - this.#first + 1;
  }

  /** Which tone the last `lastMs` (up to 4,000) held. */
  heard(lastMs = 1_000, frequencies: readonly number[] = USUAL_TONES): Heard {
    const count = Math.min(this.#written, KEPT_SAMPLES, Math.round((lastMs * RATE) / 1000));
    const samples = Int16Array.from(
      { length: count },
      (_, index) => this.#samples[(this.#written - count + index) % KEPT_SAMPLES] ?? 0,
    );
    return listen(samples, RATE, frequencies);
  }

  /** For a sender report; the fraction is since the last call. */
  report(): ReceptionReport | undefined {
    const ssrc = this.ssrcs.at(-1);
    if (ssrc === undefined) return undefined;
    const expected = this.#expected - this.#reported.expected;
    const missing = expected - (this.packets - this.#reported.packets);
    this.#reported = { expected: this.#expected, packets: this.packets };
    return {
      ssrc,
      fractionLost: expected > 0 && missing > 0 ? Math.floor((256 * missing) / expected) : 0,
      lost: this.#expected - this.packets,
      highestSequence: this.#wraps * 65_536 + this.#highest,
      jitter: Math.round(this.#jitter),
    };
  }
}
