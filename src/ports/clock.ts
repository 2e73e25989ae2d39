// Time and chance, so that the bridge can run on a virtual clock in tests.

export interface Clock {
  /** ms since the epoch. */
  nowMs(): number;
  /** Calls back once at or after `atMs`; the returned function takes it back. */
  at(atMs: number, then: () => void): () => void;
  /** Fresh, unguessable, `[0-9A-Za-z]`, at least 96 bits. */
  newId(): string;
}
