// The events on their way to one application service. One transaction in flight, at most
// 100 events each, ids ever increasing. A failed one is sent again with the same id and
// events until it is taken; meanwhile the service counts as down, and what comes waits
// behind it. Ephemeral data is never sent twice.
import type { AppserviceConnection } from "./appservice-connection.ts";
import type { RoomEvent } from "../rooms/event.ts";
import { toClientEvent } from "../rooms/event.ts";

export type EphemeralEvent = {
  readonly type: string;
  readonly room_id: string;
  readonly content: object;
};

type Transaction = {
  readonly id: number;
  readonly events: readonly RoomEvent[];
  ephemeral: readonly EphemeralEvent[];
};

const maxPerTransaction = 100;
const maxBackoffExponent = 9;

export type TransactionQueueOptions = {
  /** The wait after the n-th failure in a row is this times 2^n: 2, 4, ... 512 s with 1000. */
  readonly retryBaseMs: number;
  readonly now: () => number;
};

export class TransactionQueue {
  readonly #connection: AppserviceConnection;
  readonly #options: TransactionQueueOptions;
  #events: RoomEvent[] = [];
  #ephemeral: EphemeralEvent[] = [];
  readonly #transactions: Transaction[] = [];
  #lastId = 0;
  #failures = 0;
  #stopped = false;
  #running: Promise<void> | undefined;
  #retry: () => void = () => undefined;

  constructor(connection: AppserviceConnection, options: TransactionQueueOptions) {
    this.#connection = connection;
    this.#options = options;
  }

  /** Down from a failed transaction until one is taken again. */
  get isDown(): boolean {
    return this.#failures > 0;
  }

  push(events: readonly RoomEvent[]): void {
    if (this.#connection.appservice.url === null) return;
    this.#events.push(...events);
    // Down: stored as the transactions they will be, in order, behind the failed one.
    if (this.isDown) this.#form();
    this.#start();
  }

  pushEphemeral(event: EphemeralEvent): void {
    if (this.isDown || !this.#connection.appservice.receivesEphemeral) return;
    this.#ephemeral.push(event);
    this.#start();
  }

  /** What a successful ping does: a service known to be down is tried at once. */
  retryNow(): void {
    this.#retry();
  }

  /** Resolves when everything was taken, or never will be. */
  async idle(): Promise<void> {
    await this.#running;
  }

  stop(): void {
    this.#stopped = true;
    this.#retry();
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    // What is pushed in the same turn travels together.
    await Promise.resolve();
    try {
      while (!this.#stopped) {
        if (this.#transactions.length === 0) this.#form();
        const transaction = this.#transactions[0];
        if (!transaction) return;
        await this.#attempt(transaction);
      }
    } finally {
      this.#running = undefined;
    }
  }

  async #attempt(transaction: Transaction): Promise<void> {
    if (await this.#deliver(transaction)) {
      this.#transactions.shift();
      this.#failures = 0;
      return;
    }
    transaction.ephemeral = [];
    if (transaction.events.length === 0) this.#transactions.shift();
    this.#failures = Math.min(this.#failures + 1, maxBackoffExponent);
    this.#form();
    await this.#backOff();
  }

  #form(): void {
    if (this.isDown) this.#ephemeral = [];
    while (this.#events.length > 0 || this.#ephemeral.length > 0) {
      this.#lastId += 1;
      this.#transactions.push({
        id: this.#lastId,
        events: this.#events.splice(0, maxPerTransaction),
        ephemeral: this.#ephemeral.splice(0, maxPerTransaction),
      });
      if (!this.isDown) return;
    }
  }

  async #deliver({ id, events, ephemeral }: Transaction): Promise<boolean> {
    const now = this.#options.now();
    const answer = await this.#connection.send("PUT", `/transactions/${id}`, {
      events: events.map((event) => toClientEvent(event, now)),
      ...(this.#connection.appservice.receivesEphemeral && { ephemeral }),
    });
    return answer.outcome === "accepted";
  }

  #backOff(): Promise<void> {
    const delayMs = this.#options.retryBaseMs * 2 ** this.#failures;
    return new Promise((resolve) => {
      if (this.#stopped) return resolve();
      const timer = setTimeout(resolve, delayMs);
      this.#retry = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
