// Bytes that wait. Appending is amortised O(1), and nothing that was handed out is ever written over.

const NOTHING = Buffer.alloc(0);

export class ByteQueue {
  /** What waits is `#buffer` from `#start` to `#end`. */
  #buffer: Buffer = NOTHING;
  #start = 0;
  #end = 0;
  /** Whether `#buffer` is ours to append to, or a chunk that was appended. */
  #owned = false;

  get size(): number {
    return this.#end - this.#start;
  }

  /** A view of all that waits. */
  get waiting(): Buffer {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** The byte so far behind the first one; undefined: not here yet. */
  at(offset: number): number | undefined {
    const index = this.#start + offset;
    return index < this.#end ? this.#buffer[index] : undefined;
  }

  /** `chunk` is kept without a copy where possible: it must not be written to again. */
  append(chunk: Buffer): void {
    const waiting = this.size;
    if (waiting === 0) {
      this.#buffer = chunk;
      this.#start = 0;
      this.#end = chunk.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#buffer.length - this.#end < chunk.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(2 * (waiting + chunk.length), 1_024));
      this.#buffer.copy(grown, 0, this.#start, this.#end);
      this.#buffer = grown;
      this.#owned = true;
      this.#start = 0;
      this.#end = waiting;
    }
    chunk.copy(this.#buffer, this.#end);
    this.#end += chunk.length;
  }

  /** Takes the first `length` bytes out, as a view. */
  take(length: number): Buffer {
    const taken = this.#buffer.subarray(this.#start, this.#start + length);
    this.#start += length;
    return taken;
  }

  clear(): void {
    this.#buffer = NOTHING;
    this.#start = 0;
    this.#end = 0;
    this.#owned = false;
  }
}
