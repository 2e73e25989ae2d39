// Knows whether the store can be written: from every failure, and by trying again until it works. While it cannot be
// written, calls in progress go on from memory (steady-ledger.ts) and no new ones begin.
import type { Clock } from "../../ports/clock.ts";
import { StoreError, type Store } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface StoreWatchParts {
  readonly check: Store["check"];
  /** Told when it fails, and when it can be written again. */
  readonly onChange?: (failure: StoreError | undefined) => void;
  readonly clock: Clock;
  readonly log: Log;
}

const tryAgainMs = 1_000;
/** The log repeats what is wrong this often, in tries. */
const remindEvery = 60;

interface Failure {
  readonly error: StoreError;
  readonly sinceMs: number;
  tries: number;
}

export class StoreWatch {
  readonly #parts: StoreWatchParts;
  #failure: Failure | undefined;
  readonly #catchUps: (() => Promise<number>)[] = [];
  #cancel: () => void = () => {};
  #stopped = false;
  #giveUp: (error: StoreError) => void = () => {};

  /** Rejects when another bridge has taken the store over: this one must stop. Never resolves. */
  readonly taken = new Promise<never>((_, reject) => (this.#giveUp = reject));

  constructor(parts: StoreWatchParts) {
    this.#parts = parts;
    // Whoever starts the bridge may not be listening yet.
    this.taken.catch(() => {});
  }

  /** Why it cannot be written; undefined while it can. */
  get failure(): StoreError | undefined {
    return this.#failure?.error;
  }

  /** What waited to be written is written before the store counts as mended: gives how much. It may reject. */
  beforeMended(catchUp: () => Promise<number>): void {
    this.#catchUps.push(catchUp);
  }

  async #catchUp(): Promise<number> {
    let written = 0;
    for (const catchUp of this.#catchUps) written += await catchUp();
    return written;
  }

  failed(error: StoreError): void {
    const { clock, log } = this.#parts;
    // A store that refuses one change takes the next.
    if (error.code === "refused" || this.#stopped) return;
    if (error.code === "taken") {
      this.#failure = { error, sinceMs: clock.nowMs(), tries: 0 };
      log.error("another bridge has taken the store over: this one stops", { reason: error.message });
      this.stop();
      return this.#giveUp(error);
    }
    if (this.#failure !== undefined) return;
    this.#failure = { error, sinceMs: clock.nowMs(), tries: 0 };
    log.error("store cannot be written: calls in progress go on, new ones are refused", {
      code: error.code,
      reason: error.message,
      error,
    });
    this.#parts.onChange?.(error);
    this.#tryLater();
  }

  /** Tells of everything that fails in it. */
  over(store: Store): Store {
    store.onFailure((error) => this.failed(error));
    const watched = <Part extends object>(part: Part): Part =>
      new Proxy(part, {
        get: (target, name, receiver): unknown => {
          const member: unknown = Reflect.get(target, name, receiver);
          if (typeof member !== "function") return member;
          return async (...given: readonly unknown[]): Promise<unknown> => {
            try {
              const result: unknown = await Reflect.apply(member, target, given);
              return result;
            } catch (error) {
              if (error instanceof StoreError) this.failed(error);
              throw error;
            }
          };
        },
      });
    // All parts but `check`, which the watch itself asks, and what is no part.
    const members = Object.entries(store).map(([name, member]: readonly [string, unknown]) => [
      name,
      typeof member === "object" && member !== null ? watched(member) : member,
    ]);
    return Object.fromEntries(members) as Store;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #tryLater(): void {
    const { clock } = this.#parts;
    if (!this.#stopped) this.#cancel = clock.at(clock.nowMs() + tryAgainMs, () => void this.#try());
  }

  async #try(): Promise<void> {
    const { check, clock, log } = this.#parts;
    const failure = this.#failure;
    if (failure === undefined) return;
    const forMs = (): number => clock.nowMs() - failure.sinceMs;
    try {
      await check();
      const written = await this.#catchUp();
      this.#failure = undefined;
      log.info("store can be written again", { forMs: forMs(), written });
      this.#parts.onChange?.(undefined);
      // What came to wait after the last write and before this moment; if it fails, `failed` has heard of it.
      void this.#catchUp().catch(() => undefined);
    } catch (error) {
      if (error instanceof StoreError && error.code === "taken") return this.failed(error);
      failure.tries += 1;
      if (failure.tries % remindEvery === 0) {
        const reason = error instanceof Error ? error.message : String(error);
        log.error("store still cannot be written: new calls are refused", { forMs: forMs(), reason });
      }
      this.#tryLater();
    }
  }
}
