// Requests that went out on connections and have had no response yet. Where the connection ends first, whoever sent
// them is told (RFC 3261 s18.4), and does not wait for 64*T1.
import type { Clock } from "../../ports/clock.ts";
import type { Connection } from "./sockets/connection.ts";
import { TransportError } from "./sockets/transport-error.ts";

interface Waiting {
  readonly connection: Connection;
  readonly settle: (lost: Error | undefined) => void;
}

export class Unanswered {
  readonly #clock: Clock;
  readonly #transactionMs: number;
  readonly #waiting = new Map<string, Waiting>();

  /** @param transactionMs after which the transaction has given up by itself */
  constructor(clock: Clock, transactionMs: number) {
    this.#clock = clock;
    this.#transactionMs = transactionMs;
  }

  /**
   * Sends a request. Undefined once it has had any response, or nobody waits for one any more; the reason where the
   * connection ended before that, so that it may never have been read.
   */
  send(key: string, bytes: Buffer, connection: Connection): Promise<Error | undefined> {
    return new Promise((resolve) => {
      const forget = this.#clock.at(this.#clock.nowMs() + this.#transactionMs, () => this.answered(key));
      const settle = (lost: Error | undefined): void => {
        forget();
        if (this.#waiting.get(key) === waiting) this.#waiting.delete(key);
        resolve(lost);
      };
      const waiting: Waiting = { connection, settle };
      this.#waiting.set(key, waiting);
      connection.send(bytes).catch(settle);
    });
  }

  answered(key: string): void {
    this.#waiting.get(key)?.settle(undefined);
  }

  closed(connection: Connection, reason: Error | undefined): void {
    const { address, port } = connection.remote;
    const where = `${address}:${port} ${connection.transport}`;
    const lost = reason ?? new TransportError("closed", `${where}: connection closed before any response`);
    for (const waiting of this.#waiting.values()) if (waiting.connection === connection) waiting.settle(lost);
  }

  /** The trunk stops: nobody is to be told anything any more. */
  close(): void {
    for (const waiting of this.#waiting.values()) waiting.settle(undefined);
  }
}
