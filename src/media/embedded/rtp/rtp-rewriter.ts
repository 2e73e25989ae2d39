// Makes one continuous RTP stream of what may be several: whoever listens hears one SSRC whose sequence numbers and
// timestamps never jump back, whatever happens at the source (re-INVITE, another media server, hold, ICE restart).

/** A step ahead that is no loss any more but a new start of the source (RFC 3550 A.1, MAX_DROPOUT). */
const maxDropout = 3000;
/** A packet this far behind is a new start as well (MAX_MISORDER). */
const maxMisorder = 100;
/** Timestamps that leap so far back, or ahead of the time that has passed, have begun anew without a new SSRC. */
const maxLeapMs = 10_000;

export interface Place {
  readonly sequence: number;
  readonly timestamp: number;
  /** First packet of a source: the listener should adapt its playout (marker, RFC 3551 s4.1). */
  readonly isFirst: boolean;
}

export interface RewriterStart {
  readonly sequence: number;
  readonly timestamp: number;
  /** When `timestamp` was reached; undefined if nothing was sent yet. */
  readonly atMs?: number | undefined;
}

export class RtpRewriter {
  #source: number | undefined;
  #sequenceShift = 0;
  #timestampShift = 0;
  /** Highest sequence number of the source, and the one below which the present shift does not hold. */
  #highest = 0;
  #shiftedAt = 0;
  /** Timestamp of the source's highest packet. */
  #timestamp = 0;
  #lastSequence: number;
  #lastTimestamp: number;
  #lastAtMs: number | undefined;

  constructor(start: RewriterStart) {
    this.#lastSequence = start.sequence;
    this.#lastTimestamp = start.timestamp;
    this.#lastAtMs = start.atMs;
  }

  /** How far our stream has come. */
  get last(): RewriterStart {
    return { sequence: this.#lastSequence, timestamp: this.#lastTimestamp, atMs: this.#lastAtMs };
  }

  /** RTP timestamp of our stream at `nowMs`, for sender reports. */
  timestampAt(nowMs: number, clockRate: number): number {
    const elapsedMs = this.#lastAtMs === undefined ? 0 : nowMs - this.#lastAtMs;
    return (this.#lastTimestamp + Math.round((elapsedMs * clockRate) / 1000)) >>> 0;
  }

  /**
   * Where a packet goes in our stream; undefined if its place is already taken.
   * @param isEvent all packets of a telephone-event have the timestamp of its first one, which audio between them may have
   *   passed (RFC 4733 s2.2.1): those may be behind
   */
  place(
    ssrc: number,
    sequence: number,
    timestamp: number,
    clockRate: number,
    nowMs: number,
    isEvent = false,
  ): Place | undefined {
    const isNew = this.#isNewSource(ssrc, sequence);
    if (isNew) this.#begin(ssrc, sequence, timestamp, clockRate, nowMs);
    const ahead = distance(this.#highest, sequence);
    if (ahead <= 0 && distance(this.#shiftedAt, sequence) < 0) return undefined;
    const isLeap = ahead > 0 && (this.#leaps(timestamp, clockRate, nowMs) || (!isEvent && this.#isPast(timestamp)));
    if (isLeap) this.#timestampShift = this.#nextTimestamp(clockRate, nowMs) - timestamp;
    const isFirst = isNew || isLeap;
    const placed = (sequence + this.#sequenceShift) & 0xffff;
    const shifted = (timestamp + this.#timestampShift) >>> 0;
    if (ahead >= 0) {
      // It must not come to lie half a round behind, from where it would look as if it were ahead.
      if (distance(this.#shiftedAt, sequence) > maxMisorder) this.#shiftedAt = (sequence - maxMisorder) & 0xffff;
      this.#highest = sequence;
      this.#timestamp = timestamp;
      this.#lastSequence = placed;
      // Repeated timestamps, as those of an event, tell no time.
      if (isFirst || ((shifted - this.#lastTimestamp) | 0) > 0) {
        this.#lastTimestamp = shifted;
        this.#lastAtMs = nowMs;
      }
    }
    return { sequence: placed, timestamp: shifted, isFirst };
  }

  /** A packet of the source that is not passed on: the numbers close over it, so that it does not look lost. */
  skip(ssrc: number, sequence: number): void {
    if (this.#isNewSource(ssrc, sequence)) return;
    if (distance(this.#highest, sequence) <= 0) return;
    this.#highest = sequence;
    this.#sequenceShift -= 1;
    this.#shiftedAt = sequence;
  }

  /** What comes next is a new beginning, even of the same source. */
  part(): void {
    this.#source = undefined;
  }

  /** The sequence number of a packet of our own, after all that have gone out. */
  insert(): number {
    this.#lastSequence = (this.#lastSequence + 1) & 0xffff;
    this.#sequenceShift += 1;
    // What the source sent before and comes late has lost its place.
    this.#shiftedAt = (this.#highest + 1) & 0xffff;
    return this.#lastSequence;
  }

  /** Our stream has come to `timestamp` by packets of our own. */
  reached(timestamp: number, nowMs: number): void {
    if (((timestamp - this.#lastTimestamp) | 0) <= 0) return;
    this.#lastTimestamp = timestamp >>> 0;
    this.#lastAtMs = nowMs;
  }

  #isNewSource(ssrc: number, sequence: number): boolean {
    const ahead = distance(this.#highest, sequence);
    return ssrc !== this.#source || ahead > maxDropout || ahead < -maxMisorder;
  }

  #begin(ssrc: number, sequence: number, timestamp: number, clockRate: number, nowMs: number): void {
    this.#source = ssrc;
    this.#sequenceShift = this.#lastSequence + 1 - sequence;
    this.#timestampShift = this.#nextTimestamp(clockRate, nowMs) - timestamp;
    this.#highest = sequence;
    this.#shiftedAt = sequence;
  }

  /** At least one packet time later than the last one, and as much later as it really is. */
  #nextTimestamp(clockRate: number, nowMs: number): number {
    const elapsedMs = this.#lastAtMs === undefined ? 20 : Math.max(20, nowMs - this.#lastAtMs);
    return this.#lastTimestamp + Math.round((elapsedMs * clockRate) / 1000);
  }

  /** Would the packet lie before what our stream has reached, as after a digit of ours that was longer than it took? */
  #isPast(timestamp: number): boolean {
    return ((timestamp + this.#timestampShift - this.#lastTimestamp) | 0) < 0;
  }

  #leaps(timestamp: number, clockRate: number, nowMs: number): boolean {
    const stepMs = (((timestamp - this.#timestamp) | 0) * 1000) / clockRate;
    const elapsedMs = this.#lastAtMs === undefined ? 0 : nowMs - this.#lastAtMs;
    return stepMs < -maxLeapMs || stepMs > elapsedMs + maxLeapMs;
  }
}

/** Signed distance from one 16-bit sequence number to another. */
export function distance(from: number, to: number): number {
  return (((to - from) & 0xffff) ^ 0x8000) - 0x8000;
}
