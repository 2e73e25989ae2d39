// What came from one end: counted, with loss and jitter as RFC 3550 A.1, A.3 and A.8 define them.
import type { EndStats } from "../../../core/call/model/media-stats.ts";

/** Figures of a report block (RFC 3550 s6.4.1), since the report before. */
export interface ReceptionReport {
  readonly ssrc: number;
  readonly fractionLost: number;
  readonly cumulativeLost: number;
  readonly highestSequence: number;
  /** In units of the RTP timestamp. */
  readonly jitter: number;
}

/** Steps of the sequence number that are no loss and no disorder any more (RFC 3550 A.1, MAX_DROPOUT, MAX_MISORDER). */
const maxDropout = 3000;
const maxMisorder = 100;

export class ReceptionStats {
  #ssrc: number | undefined;
  #base = 0;
  #cycles = 0;
  #highest = 0;
  /** The number after one that was far away: if it comes, the source has begun anew. */
  #restartsAt: number | undefined;
  #received = 0;
  #expectedBefore = 0;
  #receivedBefore = 0;
  #transit: number | undefined;
  #jitter = 0;
  #clockRate = 8000;
  /** Of sources that came before the present one. */
  #lostEarlier = 0;
  #packets = 0;
  #bytes = 0;
  #lastHeardAtMs: number | undefined;

  get lastHeardAtMs(): number | undefined {
    return this.#lastHeardAtMs;
  }

  /** Anything that shows the peer to be alive, RTCP among it. */
  heard(nowMs: number): void {
    this.#lastHeardAtMs = nowMs;
  }

  /** `clockRate` undefined: counted, but of no use for the jitter (events, formats that are not ours). */
  packet(
    ssrc: number,
    sequence: number,
    timestamp: number,
    payloadBytes: number,
    clockRate: number | undefined,
    nowMs: number,
  ): void {
    this.#lastHeardAtMs = nowMs;
    this.#packets += 1;
    this.#bytes += payloadBytes;
    if (ssrc !== this.#ssrc) this.#begin(ssrc, sequence);
    const ahead = (sequence - this.#highest) & 0xffff;
    if (ahead > maxDropout && ahead < 0x1_0000 - maxMisorder) {
      const isRestart = sequence === this.#restartsAt;
      this.#restartsAt = (sequence + 1) & 0xffff;
      if (!isRestart) return;
      this.#begin(ssrc, sequence);
    } else if (ahead <= maxDropout) {
      if (sequence < this.#highest) this.#cycles += 0x1_0000;
      this.#highest = sequence;
    }
    this.#received += 1;
    if (clockRate !== undefined) this.#measureJitter(timestamp, clockRate, nowMs);
  }

  /** Undefined while nothing has come. */
  report(): ReceptionReport | undefined {
    if (this.#ssrc === undefined) return undefined;
    const expected = this.#expected();
    const expectedSince = expected - this.#expectedBefore;
    const lostSince = expectedSince - (this.#received - this.#receivedBefore);
    this.#expectedBefore = expected;
    this.#receivedBefore = this.#received;
    return {
      ssrc: this.#ssrc,
      fractionLost:
        expectedSince <= 0 || lostSince <= 0 ? 0 : Math.min(255, Math.floor((lostSince * 256) / expectedSince)),
      cumulativeLost: Math.max(-0x80_0000, Math.min(0x7f_ffff, expected - this.#received)),
      highestSequence: (this.#cycles + this.#highest) >>> 0,
      jitter: Math.floor(this.#jitter),
    };
  }

  stats(): EndStats {
    return {
      packets: this.#packets,
      bytes: this.#bytes,
      lost: this.#lostEarlier + Math.max(0, this.#expected() - this.#received),
      jitterMs: Math.round((this.#jitter * 10_000) / this.#clockRate) / 10,
      lastHeardAtMs: this.#lastHeardAtMs,
    };
  }

  #expected(): number {
    return this.#ssrc === undefined ? 0 : this.#cycles + this.#highest - this.#base + 1;
  }

  #begin(ssrc: number, sequence: number): void {
    this.#lostEarlier += Math.max(0, this.#expected() - this.#received);
    this.#ssrc = ssrc;
    this.#base = sequence;
    this.#highest = sequence;
    this.#cycles = 0;
    this.#received = 0;
    this.#expectedBefore = 0;
    this.#receivedBefore = 0;
    this.#restartsAt = undefined;
    this.#transit = undefined;
  }

  #measureJitter(timestamp: number, clockRate: number, nowMs: number): void {
    this.#clockRate = clockRate;
    const transit = Math.round((nowMs * clockRate) / 1000) - timestamp;
    if (this.#transit !== undefined) {
      // Modulo 2^32, as the timestamp wraps; a jump of a second and more is a new start, not jitter.
      const change = Math.abs((transit - this.#transit) | 0);
      if (change < clockRate) this.#jitter += (change - this.#jitter) / 16;
    }
    this.#transit = transit;
  }
}
