// Texts that wait for those before them: to one target they go in their order, each once the one before it is settled.
import { formatUri } from "../../core/address/uri.ts";
import type { MessageOrder, MessageOutcome } from "../../ports/sip.ts";

/** So many wait for one target, and for all of them together. */
const MAX_PER_TARGET = 50;
const MAX_WAITING = 1_000;
const FULL: MessageOutcome = { kind: "refused", status: 503, phrase: "Too many texts wait for their turn" };
const CLOSED: MessageOutcome = { kind: "failed", fault: "transport" };

interface Waiting {
  readonly order: MessageOrder;
  readonly settle: (outcome: MessageOutcome) => void;
}

export class MessageQueue {
  readonly #send: (order: MessageOrder) => Promise<MessageOutcome>;
  /** By target; the first of each row is on its way. */
  readonly #rows = new Map<string, Waiting[]>();
  #waiting = 0;
  #closed = false;

  /** `send` never rejects. */
  constructor(send: (order: MessageOrder) => Promise<MessageOutcome>) {
    this.#send = send;
  }

  /** Never rejects. */
  message(order: MessageOrder): Promise<MessageOutcome> {
    if (this.#closed) return Promise.resolve(CLOSED);
    const target = formatUri(order.target);
    const row = this.#rows.get(target) ?? [];
    if (row.length >= MAX_PER_TARGET || this.#waiting >= MAX_WAITING) return Promise.resolve(FULL);
    return new Promise((settle) => {
      row.push({ order, settle });
      this.#rows.set(target, row);
      this.#waiting += 1;
      if (row.length === 1) void this.#work(target, row);
    });
  }

  /** What is not settled by now has failed. */
  close(): void {
    this.#closed = true;
    for (const row of this.#rows.values()) for (const { settle } of row) settle(CLOSED);
    this.#rows.clear();
  }

  async #work(target: string, row: Waiting[]): Promise<void> {
    for (let first = row[0]; first !== undefined && !this.#closed; first = row[0]) {
      first.settle(await this.#send(first.order));
      row.shift();
      this.#waiting -= 1;
    }
    if (!this.#closed) this.#rows.delete(target);
  }
}
