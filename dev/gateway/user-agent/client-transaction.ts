// A request of the gateway's own until its final answer (RFC 3261 s17.1). What is asked for, and again with a password,
// is for requests.ts.
import type { SipResponse } from "../../../src/sip/wire/message.ts";
import type { TransactionTimers } from "./server-transaction.ts";
import type { Flow } from "../wire/sockets.ts";

export interface ClientTransactionOptions {
  readonly method: string;
  readonly text: string;
  readonly flow: Flow;
  readonly timers: TransactionTimers;
  readonly sent: (text: string, flow: Flow, again: boolean) => void;
  /** The ACK for a final answer to an INVITE: to the same branch below 300, a request of its own otherwise. */
  readonly ack: (response: SipResponse) => string;
  /** 1xx, each as often as it comes. */
  readonly provisional: (response: SipResponse) => void;
  readonly gone: () => void;
}

export class ClientTransaction {
  /** The final answer; undefined when none came in 64*T1 (Timer B and F). Never rejects. */
  readonly final: Promise<SipResponse | undefined>;
  readonly #options: ClientTransactionOptions;
  #settle: (response: SipResponse | undefined) => void = () => undefined;
  #provisional = false;
  #ack: string | undefined;
  #finished = false;
  #cancelled = false;
  #retransmission: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout;

  constructor(options: ClientTransactionOptions) {
    this.#options = options;
    this.final = new Promise((resolve) => {
      this.#settle = resolve;
    });
    const { t1Ms } = options.timers;
    this.#deadline = setTimeout(() => this.end(), 64 * t1Ms);
    options.sent(options.text, options.flow, false);
    if (options.flow.transport === "UDP") this.#retransmitAfter(t1Ms);
  }

  receive(response: SipResponse): void {
    const { method, flow, timers, sent } = this.#options;
    if (this.#finished) {
      if (this.#ack !== undefined && response.statusCode >= 200) sent(this.#ack, flow, true);
      return;
    }
    if (response.statusCode < 200) {
      this.#provisional = true;
      // s17.1.1.2: a provisional answer stops Timer A and, for an INVITE, any deadline of the transaction's own.
      if (method === "INVITE" && !this.#cancelled) this.#stopTimers();
      this.#options.provisional(response);
      return;
    }
    this.#finished = true;
    this.#stopTimers();
    if (method === "INVITE") {
      this.#ack = this.#options.ack(response);
      sent(this.#ack, flow, false);
    }
    this.#settle(response);
    // Timer D and K: answers that were sent twice find somebody who knows them.
    this.#deadline = setTimeout(() => this.end(), flow.transport === "UDP" ? 64 * timers.t1Ms : 0);
  }

  /** A CANCEL went out: without a final answer the INVITE counts as over after 64*T1 (s9.1). */
  cancelled(): void {
    if (this.#finished) return;
    this.#cancelled = true;
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.end(), 64 * this.#options.timers.t1Ms);
  }

  end(): void {
    this.#stopTimers();
    this.#finished = true;
    this.#settle(undefined);
    this.#options.gone();
  }

  #retransmitAfter(intervalMs: number): void {
    const { method, text, flow, timers, sent } = this.#options;
    this.#retransmission = setTimeout(() => {
      sent(text, flow, true);
      // Timer A doubles without bound, Timer E up to T2, and at T2 once a provisional answer came.
      const next = method === "INVITE" ? 2 * intervalMs : Math.min(2 * intervalMs, timers.t2Ms);
      this.#retransmitAfter(this.#provisional ? timers.t2Ms : next);
    }, intervalMs);
  }

  #stopTimers(): void {
    clearTimeout(this.#retransmission);
    clearTimeout(this.#deadline);
  }
}
