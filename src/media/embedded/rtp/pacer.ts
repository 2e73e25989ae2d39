// Spreads packets that were made at once over the time that they last: of a long packet that is turned into short ones, the
// receiver's jitter buffer would take the burst for jitter.
import { clockMs } from "../base/clock.ts";

export class Pacer<Packet> {
  readonly #send: (packet: Packet) => void;
  readonly #stepMs: number;
  #waiting: Packet[] = [];
  #dueAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** `stepMs`: what each packet lasts. */
  constructor(stepMs: number, send: (packet: Packet) => void) {
    this.#stepMs = stepMs;
    this.#send = send;
  }

  /** The first packet goes out now, and each next one when that before it has been heard. */
  push(packet: Packet): void {
    const nowMs = clockMs();
    if (this.#timer === undefined && nowMs >= this.#dueAtMs) {
      this.#dueAtMs = nowMs + this.#stepMs;
      this.#send(packet);
    } else {
      this.#waiting.push(packet);
      this.#wait(nowMs);
    }
  }

  /** The source has said more: what waits still is late, so that nothing ever waits for longer than one packet of it lasts. */
  flush(): void {
    for (const packet of this.clear()) this.#send(packet);
  }

  /** Nothing waits any more. Gives what did. */
  clear(): readonly Packet[] {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dueAtMs = -Infinity;
    return this.#waiting.splice(0);
  }

  #wait(nowMs: number): void {
    this.#timer ??= setTimeout(() => this.#pass(), Math.max(1, this.#dueAtMs - nowMs));
  }

  #pass(): void {
    this.#timer = undefined;
    const nowMs = clockMs();
    // A timer that is late is caught up with.
    while (this.#waiting.length > 0 && this.#dueAtMs <= nowMs) {
      const [packet] = this.#waiting.splice(0, 1);
      this.#dueAtMs += this.#stepMs;
      if (packet !== undefined) this.#send(packet);
    }
    if (this.#waiting.length > 0) this.#wait(nowMs);
  }
}
