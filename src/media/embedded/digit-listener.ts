// Reads telephone-events (RFC 4733) on their way through, so that the bridge knows which keys were pressed.

const keys = "0123456789*#ABCD";

export interface Digit {
  readonly digit: string;
  readonly durationMs: number;
}

/** Tells every key once, however often its end is repeated (RFC 4733 s2.5.1.4). */
export class DigitListener {
  #open: { timestamp: number; digit: string; duration: number; clockRate: number } | undefined;
  #toldTimestamp: number | undefined;

  /** `payload` is the event's, with the duration in ticks of `clockRate`; `timestamp` is the same for all its packets. */
  packet(timestamp: number, payload: Buffer, clockRate: number): Digit[] {
    const digit = keys[payload[0] ?? 255];
    if (payload.length < 4 || digit === undefined || timestamp === this.#toldTimestamp) return [];
    const duration = payload.readUInt16BE(2);
    const over = this.#open !== undefined && this.#open.timestamp !== timestamp ? this.#close() : [];
    if (this.#open === undefined || this.#open.duration <= duration)
      this.#open = { timestamp, digit, duration, clockRate };
    const isEnd = ((payload[1] ?? 0) & 0x80) !== 0;
    return isEnd ? [...over, ...this.#close()] : over;
  }

  #close(): Digit[] {
    if (this.#open === undefined) return [];
    const { timestamp, digit, duration, clockRate } = this.#open;
    this.#toldTimestamp = timestamp;
    this.#open = undefined;
    return [{ digit, durationMs: Math.round((duration * 1000) / clockRate) }];
  }
}
