// The messages of one dialog, or of one call in one room. Bounded: of a thread that is too long the beginning and the end
// are kept, and how many were between them.
import type { LadderMessage } from "../ports/ladders/ladder.ts";

export interface ThreadLimits {
  readonly messages: number;
  readonly bytes: number;
}

/** So many messages back a repetition is known as one. */
const rememberedMessages = 64;
/** What a message costs besides its text. */
const messageBytes = 300;

function sizeOf({ text, label }: LadderMessage): number {
  return messageBytes + text.length + label.length;
}

export class Thread {
  readonly key: string;
  readonly #limits: ThreadLimits;
  readonly #first: LadderMessage[] = [];
  #last: LadderMessage[] = [];
  #firstBytes = 0;
  #lastBytes = 0;
  #leftOut = 0;
  readonly #recent: string[] = [];
  lastAtMs = 0;

  constructor(key: string, limits: ThreadLimits) {
    this.key = key;
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#firstBytes + this.#lastBytes + messageBytes;
  }

  /** Whether a message with that print was here a short while ago. */
  isRepeat(print: string): boolean {
    if (this.#recent.includes(print)) return true;
    this.#recent.push(print);
    if (this.#recent.length > rememberedMessages) this.#recent.shift();
    return false;
  }

  add(message: LadderMessage): void {
    this.lastAtMs = message.atMs;
    const size = sizeOf(message);
    const half = { messages: this.#limits.messages / 2, bytes: this.#limits.bytes / 2 };
    if (this.#last.length === 0 && this.#first.length < half.messages && this.#firstBytes + size <= half.bytes) {
      this.#first.push(message);
      this.#firstBytes += size;
      return;
    }
    this.#last.push(message);
    this.#lastBytes += size;
    while (this.#last.length > 1 && (this.#last.length > half.messages || this.#lastBytes > half.bytes)) {
      const dropped = this.#last.shift();
      this.#lastBytes -= dropped === undefined ? 0 : sizeOf(dropped);
      this.#leftOut += 1;
    }
  }

  get messages(): readonly LadderMessage[] {
    const [next, ...rest] = this.#last;
    if (next === undefined) return this.#first;
    return [...this.#first, { ...next, leftOutBefore: this.#leftOut }, ...rest];
  }

  /** From that time on; undefined: all. */
  since(fromMs: number, toMs: number): readonly LadderMessage[] {
    return this.messages.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
  }
}
