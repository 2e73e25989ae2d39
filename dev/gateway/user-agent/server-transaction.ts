// A request that came in and the answers it got (RFC 3261 s17.2, RFC 6026): answers sent again when the request
// is, and the final answer to an INVITE until somebody acknowledges it.
// What the answer says is for user-agent.ts and call.ts.
import type { Headers } from "../wire/message-text.ts";
import { responseText, type Echoed } from "../wire/message-text.ts";
import type { Flow } from "../wire/sockets.ts";

export interface TransactionTimers {
  /** RFC 3261 s17.1.1.1: the estimate of a round trip, 500 ms. */
  readonly t1Ms: number;
  readonly t2Ms: number;
  readonly t4Ms: number;
}

/**
 *   proceeding --final--> completed --ACK--> acknowledged --T4 or 64*T1--> (gone)
 *                             +------64*T1 without ACK--> (gone), `unacknowledged` told
 */
type State = "proceeding" | "completed" | "acknowledged" | "gone";

export interface ServerTransactionOptions {
  readonly method: string;
  readonly echoed: Echoed;
  readonly toTag: string | undefined;
  readonly flow: Flow;
  readonly timers: TransactionTimers;
  readonly sent: (text: string, flow: Flow, again: boolean) => void;
  readonly gone: () => void;
}

export class ServerTransaction {
  readonly method: string;
  readonly toTag: string | undefined;
  readonly flow: Flow;
  /** Called where a final answer to an INVITE was never acknowledged. */
  unacknowledged: () => void = () => undefined;
  /** Called when the caller takes its INVITE back in time. */
  cancelled: () => void = () => undefined;
  /** Called once it is forgotten. */
  ended: () => void = () => undefined;
  /** All that was answered, in order. */
  readonly statuses: number[] = [];
  #state: State = "proceeding";
  #finalStatus: number | undefined;
  #last: string | undefined;
  #timers = new Set<NodeJS.Timeout>();
  readonly #options: ServerTransactionOptions;

  constructor(options: ServerTransactionOptions) {
    this.#options = options;
    this.method = options.method;
    this.toTag = options.toTag;
    this.flow = options.flow;
  }

  get finalStatus(): number | undefined {
    return this.#finalStatus;
  }

  /** Sends an answer; after a final one nothing more is sent. */
  respond(status: number, reason: string, headers: Headers = [], body = ""): void {
    if (this.#state !== "proceeding") return;
    const { echoed, toTag } = this.#options;
    this.#last = responseText(echoed, status, reason, status === 100 ? undefined : toTag, headers, body);
    this.statuses.push(status);
    this.#send(false);
    if (status < 200) return;
    this.#finalStatus = status;
    this.#state = "completed";
    if (this.method === "INVITE") this.#awaitAck(status);
    else this.#after(this.flow.transport === "UDP" ? 64 * this.#options.timers.t1Ms : 0, () => this.end());
  }

  /** The same request came once more. */
  repeated(): void {
    // RFC 6026 s7.1: a repeated INVITE is not answered with another 2xx; those have a timer of their own.
    const accepted = this.method === "INVITE" && (this.#finalStatus ?? 0) >= 200 && (this.#finalStatus ?? 0) < 300;
    if (this.#last !== undefined && this.#state !== "acknowledged" && !accepted) this.#send(true);
  }

  /** The ACK to this INVITE's final answer came. */
  acknowledged(): void {
    if (this.#state !== "completed") return;
    this.#state = "acknowledged";
    this.#stopTimers();
    const { t1Ms, t4Ms } = this.#options.timers;
    const accepted = (this.#finalStatus ?? 0) < 300;
    this.#after(accepted ? 64 * t1Ms : this.flow.transport === "UDP" ? t4Ms : 0, () => this.end());
  }

  end(): void {
    if (this.#state === "gone") return;
    this.#state = "gone";
    this.#stopTimers();
    this.#options.gone();
    this.ended();
  }

  get gone(): boolean {
    return this.#state === "gone";
  }

  #awaitAck(status: number): void {
    const { t1Ms, t2Ms } = this.#options.timers;
    this.#after(64 * t1Ms, () => {
      this.unacknowledged();
      this.end();
    });
    // A 2xx is repeated on every transport, because only the last hop may be reliable (s13.3.1.4).
    if (status >= 300 && this.flow.transport === "TCP") return;
    const again = (intervalMs: number): void =>
      this.#after(intervalMs, () => {
        this.#send(true);
        again(Math.min(2 * intervalMs, t2Ms));
      });
    again(t1Ms);
  }

  #send(again: boolean): void {
    if (this.#last !== undefined) this.#options.sent(this.#last, this.flow, again);
  }

  #after(delayMs: number, then: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, delayMs);
    this.#timers.add(timer);
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }
}
