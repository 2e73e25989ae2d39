// Puts the packets of one source in their order. Nothing is held while none is missing; a packet that follows a missing one
// waits for it, for a bounded time.
import { distance } from "./rtp-rewriter.ts";

/** The longest that a packet waits, and how many wait at most: with 20 ms each, those that come in 40 ms. */
const waitMs = 50;
const mostHeld = 2;

export class ReorderBuffer<Packet> {
  readonly #play: (packet: Packet, lost: number) => void;
  #next: number | undefined;
  readonly #held = new Map<number, Packet>();
  #timer: NodeJS.Timeout | undefined;

  /** `lost`: so many before it have not come. */
  constructor(play: (packet: Packet, lost: number) => void) {
    this.#play = play;
  }

  /** A packet that is late, or has come before, is dropped. */
  push(sequence: number, packet: Packet): void {
    const ahead = distance((this.#next ??= sequence), sequence);
    if (ahead < 0) return;
    if (ahead === 0) {
      this.#pass(sequence, packet, 0);
      this.#passOrdered();
      return;
    }
    this.#held.set(sequence, packet);
    if (this.#held.size > mostHeld) this.#giveUp();
    else this.#timer ??= setTimeout(() => this.#giveUp(), waitMs);
  }

  /** What waits is forgotten, and the next packet begins a new order. */
  clear(): void {
    this.#held.clear();
    this.#stopWaiting();
    this.#next = undefined;
  }

  #pass(sequence: number, packet: Packet, lost: number): void {
    this.#next = (sequence + 1) & 0xffff;
    this.#play(packet, lost);
  }

  #passOrdered(): void {
    for (;;) {
      const next = this.#next ?? 0;
      const packet = this.#held.get(next);
      if (packet === undefined) break;
      this.#held.delete(next);
      this.#pass(next, packet, 0);
    }
    this.#stopWaiting();
    if (this.#held.size > 0) this.#timer = setTimeout(() => this.#giveUp(), waitMs);
  }

  /** What is missing before the first that waits has been lost. */
  #giveUp(): void {
    const next = this.#next ?? 0;
    const lost = Math.min(...[...this.#held.keys()].map((sequence) => distance(next, sequence)));
    const first = (next + lost) & 0xffff;
    const packet = this.#held.get(first);
    if (packet === undefined) return;
    this.#held.delete(first);
    this.#pass(first, packet, lost);
    this.#passOrdered();
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
