// The one order of everything that happens: each change takes the next position, and
// whoever waits for news (a long-polling /sync) is woken after the change is complete.

export class Stream {
  #position = 0;
  #waking = false;
  readonly #waiting = new Set<() => void>();

  get position(): number {
    return this.#position;
  }

  /** Takes the next position for a change that the caller makes in this same turn. */
  advance(): number {
    this.#position += 1;
    if (!this.#waking) {
      this.#waking = true;
      queueMicrotask(() => {
        this.#waking = false;
        for (const wake of this.#waiting) wake();
      });
    }
    return this.#position;
  }

  /** Resolves true at the next change, false when the time is over or the signal fires. */
  changed(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted || timeoutMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const finish = (news: boolean) => {
        clearTimeout(timer);
        this.#waiting.delete(wake);
        signal.removeEventListener("abort", giveUp);
        resolve(news);
      };
      const wake = () => finish(true);
      const giveUp = () => finish(false);
      const timer = setTimeout(giveUp, timeoutMs);
      this.#waiting.add(wake);
      signal.addEventListener("abort", giveUp);
    });
  }
}
