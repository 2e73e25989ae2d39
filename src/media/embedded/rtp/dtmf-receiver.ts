// Reads telephone-events (RFC 4733) on their way through, so that the bridge knows which digits were pressed.

const digits = "0123456789*#ABCD";

export interface Digit {
  readonly digit: string;
  readonly durationMs: number;
}

/** The longest duration of one segment: a digit held for longer goes on in another (RFC 4733 s2.5.1.3). */
const fullSegment = 0xffff;

/** Tells every digit once, however often its end is repeated (RFC 4733 s2.5.1.4), and however many segments it has. */
export class DtmfReceiver {
  /** `before` is the duration of the segments that are over. */
  #open: { timestamp: number; digit: string; before: number; duration: number; clockRate: number } | undefined;
  #toldTimestamp: number | undefined;

  /** `payload` is the event's, with the duration in ticks of `clockRate`; `timestamp` is the same for all its packets. */
  packet(timestamp: number, payload: Buffer, clockRate: number): Digit[] {
    const digit = digits[payload[0] ?? 255];
    if (payload.length < 4 || digit === undefined || timestamp === this.#toldTimestamp) return [];
    const duration = payload.readUInt16BE(2);
    const open = this.#open;
    const isNext = open !== undefined && open.timestamp !== timestamp;
    const isHeld = isNext && open.digit === digit && open.duration === fullSegment;
    const over = isNext && !isHeld ? this.#close() : [];
    const before = isHeld ? open.before + open.duration : (this.#open?.before ?? 0);
    if (isHeld || this.#open === undefined || this.#open.duration <= duration)
      this.#open = { timestamp, digit, before, duration, clockRate };
    const isEnd = ((payload[1] ?? 0) & 0x80) !== 0;
    return isEnd ? [...over, ...this.#close()] : over;
  }

  #close(): Digit[] {
    if (this.#open === undefined) return [];
    const { timestamp, digit, before, duration, clockRate } = this.#open;
    this.#toldTimestamp = timestamp;
    this.#open = undefined;
    return [{ digit, durationMs: Math.round(((before + duration) * 1000) / clockRate) }];
  }
}
