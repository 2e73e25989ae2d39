// Where threads stand while they are kept: one shelf for each reason to keep them. When memory is short, the least useful
// go first, so that a flood of calls that come to nothing pushes out no call that people had.
import type { Thread } from "./thread.ts";

/** Least useful first: of no call; of a call that nobody in Matrix heard of; of one that is over; of one that is up. */
const shelves = ["loose", "refused", "over", "up"] as const;
export type Shelf = (typeof shelves)[number];

const mostLoose = 200;

interface Kept {
  readonly thread: Thread;
  shelf: Shelf;
  untilMs: number;
}

export class Shelves {
  readonly #most: number;
  readonly #threads = new Map<string, Kept>();
  readonly #on: Readonly<Record<Shelf, Map<string, Kept>>> = {
    loose: new Map(),
    refused: new Map(),
    over: new Map(),
    up: new Map(),
  };
  readonly #gone: (thread: Thread, shelf: Shelf) => void;
  #bytes = 0;

  /** @param gone is told of each thread that is kept no more */
  constructor(mostBytes: number, gone: (thread: Thread, shelf: Shelf) => void) {
    this.#most = mostBytes;
    this.#gone = gone;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Thread | undefined {
    return this.#threads.get(key)?.thread;
  }

  shelfOf(key: string): Shelf | undefined {
    return this.#threads.get(key)?.shelf;
  }

  put(thread: Thread, untilMs: number): void {
    const kept: Kept = { thread, shelf: "loose", untilMs };
    this.#threads.set(thread.key, kept);
    this.#on.loose.set(thread.key, kept);
    this.#bytes += thread.bytes;
  }

  move(key: string, shelf: Shelf, untilMs: number): void {
    const kept = this.#threads.get(key);
    if (kept === undefined) return;
    this.#on[kept.shelf].delete(key);
    kept.shelf = shelf;
    kept.untilMs = untilMs;
    this.#on[shelf].set(key, kept);
  }

  /** A thread has become longer or shorter. */
  resized(by: number): void {
    this.#bytes += by;
    while (this.#bytes > this.#most) {
      const victim = this.#leastUseful();
      if (victim === undefined) return;
      this.#drop(victim);
    }
  }

  /** What has just come is of no call yet: so much of it stays while others are there to go. */
  #leastUseful(): Kept | undefined {
    const { loose, refused, over, up } = this.#on;
    for (const { size, threads } of [
      { size: loose.size - mostLoose, threads: loose },
      ...[refused, over, loose, up].map((threads) => ({ size: threads.size, threads })),
    ])
      if (size > 0) for (const kept of threads.values()) return kept;
    return undefined;
  }

  /** Those whose time is over stand first on their shelf. */
  sweep(nowMs: number): void {
    for (const shelf of shelves) {
      if (shelf === "up") continue;
      for (const kept of this.#on[shelf].values()) {
        if (kept.untilMs > nowMs) break;
        this.#drop(kept);
      }
    }
  }

  #drop(kept: Kept): void {
    this.#threads.delete(kept.thread.key);
    this.#on[kept.shelf].delete(kept.thread.key);
    this.#bytes -= kept.thread.bytes;
    this.#gone(kept.thread, kept.shelf);
  }
}
