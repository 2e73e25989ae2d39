// The ledger as calls write to it: a change of a call is saved before its orders go out, if that takes only a moment. A
// store that is slow, full, locked or gone delays nobody's hang-up: what it did not accept is written once it works
// again.
import type { CallRecord } from "../../core/call/model/record.ts";
import type { StoredCall } from "../../core/call/recover.ts";
import type { CallId } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import { StoreError, type CallLedger } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { StoreWatch } from "./store-watch.ts";

export interface SteadyLedgerParts {
  readonly ledger: Pick<CallLedger, "save" | "finish">;
  readonly watch: StoreWatch;
  readonly clock: Clock;
  readonly log: Log;
}

type Write = () => Promise<void>;

/** One call's way to the store: one write at a time, and of those that wait the latest. */
interface Line {
  next: Write | undefined;
  /** Why the write that runs was not taken, once that is known. */
  running: Promise<StoreError | undefined> | undefined;
}

/** Orders of a call wait no longer for the store; a disk takes a thousandth of it. */
const patienceMs = 250;
/** A store that has not answered after so long counts as failed. */
const hungMs = 5_000;
/** Calls whose last state waits for the store at most. No new ones begin meanwhile, but refusals leave records too. */
const waitingLimit = 10_000;

export class SteadyLedger {
  readonly #parts: SteadyLedgerParts;
  readonly #lines = new Map<CallId, Line>();

  constructor(parts: SteadyLedgerParts) {
    this.#parts = parts;
    parts.watch.beforeMended(() => this.#catchUp());
  }

  /** Resolves when it is saved or need not be waited for. Never rejects. */
  save(stored: StoredCall): Promise<void> {
    return this.#write(stored.call.id, () => this.#parts.ledger.save(stored));
  }

  /** As `save`. */
  finish(call: CallId, record: CallRecord): Promise<void> {
    return this.#write(call, () => this.#parts.ledger.finish(call, record));
  }

  async #write(call: CallId, write: Write): Promise<void> {
    const line = this.#lines.get(call) ?? { next: undefined, running: undefined };
    line.next = write;
    this.#lines.set(call, line);
    const { watch, clock } = this.#parts;
    if (watch.failure !== undefined) return this.#forgetOldest();
    const running = this.#run(call, line);
    if (await doneWithin(patienceMs, running, clock)) return undefined;
    void doneWithin(hungMs, running, clock).then((isDone) => {
      if (!isDone) watch.failed(new StoreError("slow", `store has not answered for ${hungMs / 1000} s`));
    });
  }

  #run(call: CallId, line: Line): Promise<StoreError | undefined> {
    line.running ??= this.#writeAll(line).then((error) => {
      line.running = undefined;
      if (line.next === undefined) this.#lines.delete(call);
      return error;
    });
    return line.running;
  }

  async #writeAll(line: Line): Promise<StoreError | undefined> {
    for (let write = line.next; write !== undefined; write = line.next) {
      line.next = undefined;
      try {
        await write();
      } catch (error) {
        if (error instanceof StoreError && error.code !== "refused") {
          line.next ??= write;
          this.#parts.watch.failed(error);
          return error;
        }
        this.#parts.log.error("could not save a call", { error });
      }
    }
    return undefined;
  }

  async #catchUp(): Promise<number> {
    let written = 0;
    for (const [call, line] of this.#lines) {
      const error = await this.#run(call, line);
      if (error !== undefined) throw error;
      written += 1;
    }
    return written;
  }

  #forgetOldest(): void {
    const [oldest] = this.#lines.keys();
    if (this.#lines.size <= waitingLimit || oldest === undefined) return;
    this.#lines.delete(oldest);
    this.#parts.log.error("call will not be in the history: the store has failed for too long", { call: oldest });
  }
}
