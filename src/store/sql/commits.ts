// Changes reach the database one transaction after the other. Those that are asked for in the same turn of the event
// loop, or while an earlier transaction runs, share one: a commit costs more than what is in it. Queries of a database with one
// connection are among them.
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import type { Kysely } from "kysely";
import { StoreError } from "../../ports/store.ts";
import type { Database, Work } from "./database.ts";
import type { Tables } from "./schema.ts";

/** `query` changes nothing. */
type Kind = "change" | "durable" | "query";

interface Change {
  readonly work: Work<unknown>;
  readonly kind: Kind;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** More would hold up whoever asks next for too long. */
const largestBatch = 100;
/** What can wait for the next transaction waits no longer. */
const laterMs = 25;
/** A lock of another process, a backup's say, is waited for so long. */
const lockWaitMs = 1_000;
const lockTryMs = 25;

export class Commits {
  readonly #db: Kysely<Tables>;
  readonly #database: Database;
  /** What the next transaction will hold, while it can still take more. */
  #collecting: Change[] | undefined;
  /** Of changes that can wait, what makes a transaction of them if nothing else does. */
  #later: NodeJS.Timeout | undefined;
  #waiting: Change[] = [];
  #last: Promise<void> = Promise.resolve();
  /** Transactions that are not over. */
  #open = 0;

  constructor(db: Kysely<Tables>, database: Database) {
    this.#db = db;
    this.#database = database;
  }

  /**
   * Resolves when the work is committed, and if it is `durable`, on the disk. Rejects with a StoreError; then nothing of
   * the change was made, unless the database or the disk went away in the middle of the commit.
   */
  make<T>(work: Work<T>, kind: Kind = "change"): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let changes = this.#collecting;
      if (changes === undefined || changes.length >= largestBatch) changes = this.#begin();
      changes.push({ work, kind, resolve: (result) => resolve(result as T), reject });
    });
  }

  /** As `make`, but without a transaction of its own where another one comes soon. */
  makeLater<T>(work: Work<T>): Promise<T> {
    if (this.#collecting !== undefined) return this.make(work);
    this.#later ??= setTimeout(() => this.#begin(), laterMs);
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ work, kind: "change", resolve: (result) => resolve(result as T), reject });
    });
  }

  /** Whether all that was asked for is done with. */
  get isIdle(): boolean {
    return this.#open + this.#waiting.length === 0;
  }

  /** Resolves when whatever was asked for before is committed or refused. */
  settled(): Promise<void> {
    if (this.#waiting.length > 0) this.#begin();
    return this.#last;
  }

  #begin(): Change[] {
    const changes = this.#waiting;
    this.#waiting = [];
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#collecting = changes;
    this.#open += 1;
    this.#last = this.#last.then(async () => {
      await setImmediate();
      if (this.#collecting === changes) this.#collecting = undefined;
      await this.#commit(changes);
      this.#open -= 1;
    });
    return changes;
  }

  async #commit(batch: readonly Change[]): Promise<void> {
    try {
      const results = await persistently(this.#database, () => this.#inOneTransaction(batch));
      // The next transaction does not wait for the disk.
      const flushed = batch.some(({ kind }) => kind === "durable") ? this.#flush() : undefined;
      for (const [index, { kind, resolve, reject }] of batch.entries()) {
        if (kind === "durable") flushed?.then(() => resolve(results[index]), reject);
        else resolve(results[index]);
      }
    } catch (error) {
      // One change that the database does not take must not take the others with it, and a full disk can still be read.
      const isOfOne = error instanceof StoreError && error.code === "refused";
      for (const change of batch) {
        if (batch.length > 1 && (isOfOne || change.kind === "query")) await this.#commit([change]);
        else change.reject(error);
      }
    }
  }

  async #flush(): Promise<void> {
    try {
      await this.#database.flush();
    } catch (cause) {
      throw this.#database.errorOf(cause);
    }
  }

  #inOneTransaction(batch: readonly Change[]): Promise<readonly unknown[]> {
    return this.#db.transaction().execute(async (transaction) => {
      const results: unknown[] = [];
      for (const { work } of batch) results.push(await work(transaction));
      return results;
    });
  }
}

/** What finds the database locked has changed nothing, and is tried again. Throws StoreError. */
export async function persistently<T>(database: Database, work: () => Promise<T>): Promise<T> {
  for (let waitedMs = 0; ; waitedMs += lockTryMs) {
    try {
      return await work();
    } catch (cause) {
      const error = database.errorOf(cause);
      if (error.code !== "locked" || waitedMs >= lockWaitMs) throw error;
      await delay(lockTryMs);
    }
  }
}
