// Time and chance, so that the bridge can run on a virtual clock in tests.

export interface Clock {
  /**
   * ms on a clock that only goes forward, whatever happens to the machine's own: for durations, limits, rests and
   * deadlines. Means nothing to another process.
   */
  nowMs(): number;
  /** ms since the epoch by the machine's clock, which may be set: only for what is shown, stored or came from outside. */
  wallMs(): number;
  /** Calls back once when `nowMs` has reached `atMs`; the returned function takes it back. */
  at(atMs: number, then: () => void): () => void;
  /** Fresh, unguessable, `[0-9A-Za-z]`, at least 96 bits. */
  newId(): string;
}
