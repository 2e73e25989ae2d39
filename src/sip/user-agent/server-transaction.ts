// A request of the peer until its answer has arrived (RFC 3261 s17.2, RFC 6026). Repetitions over UDP are the
// transport's business (transport/retransmit.ts): timers G, I and J.
import { textHeader } from "../wire/header-builder.ts";
import { header, type SipRequest } from "../wire/message.ts";
import { responseTo, type OutgoingBody, type OutgoingResponse } from "../wire/outgoing-message.ts";
import { serverTransactionKey } from "../wire/transaction-key.ts";
import type { Stack } from "./stack.ts";

/** RFC 3261 s13.3.1.1: proxies end what says nothing for three minutes. */
const EXTENSION_MS = 60_000;

export interface ReplyParts {
  readonly headers?: readonly string[];
  readonly body?: OutgoingBody | undefined;
  /** The usual one where undefined. */
  readonly phrase?: string | undefined;
}

/**
 * ```
 * INVITE                                                    others
 * proceeding --2xx--> accepted --timer L--> terminated      trying --final--> terminated
 *     '--300 to 699--> completed --ACK, timer H--> terminated
 * ```
 */
type State =
  | { readonly phase: "trying" }
  | { readonly phase: "proceeding"; readonly last: OutgoingResponse | undefined; readonly stopExtending: () => void }
  | { readonly phase: "accepted"; readonly last: OutgoingResponse }
  | { readonly phase: "completed"; readonly last: OutgoingResponse; readonly stopTimer: () => void }
  | { readonly phase: "terminated" };

export class ServerTransaction {
  readonly request: SipRequest;
  /** Of every response. */
  readonly toTag: string;
  readonly #stack: Stack<ServerTransaction>;
  readonly #key: string;
  #state: State;
  #ended: readonly (() => void)[] = [];

  /** Matches repetitions from now on. `toTag`: ours, where the request has none. */
  constructor(stack: Stack<ServerTransaction>, request: SipRequest, toTag = stack.newTag()) {
    this.#stack = stack;
    this.request = request;
    this.toTag = request.toTag ?? toTag;
    this.#key = serverTransactionKey(request);
    this.#state =
      request.method === "INVITE"
        ? { phase: "proceeding", last: undefined, stopExtending: () => {} }
        : { phase: "trying" };
    stack.servers.set(this.#key, this);
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  /** Neither answered nor refused. */
  get open(): boolean {
    return this.#state.phase === "trying" || this.#state.phase === "proceeding";
  }

  /** Told when nothing more can come: acknowledged, or nobody waits for that any more. */
  onEnd(ended: () => void): void {
    this.#ended = [...this.#ended, ended];
  }

  /** RFC 3261 s8.2.6.1: a Timestamp goes back with the 100. */
  trying(): void {
    const sent = header(this.request, "Timestamp");
    this.reply(100, { headers: sent === undefined ? [] : [textHeader("Timestamp", sent)] });
  }

  /** One response; a final one only while `open`. Gives it, so that it can be repeated. */
  reply(statusCode: number, { headers = [], body, phrase }: ReplyParts = {}): OutgoingResponse {
    const { userAgent } = this.#stack.options;
    const response = responseTo(this.request, { statusCode, phrase, toTag: this.toTag, userAgent, headers, body });
    const state = this.#state;
    if (state.phase === "proceeding") {
      state.stopExtending();
      if (statusCode < 200) {
        const stopExtending = statusCode > 100 ? this.#extend(response) : (): void => {};
        this.#state = { phase: "proceeding", last: response, stopExtending };
      } else if (statusCode < 300) {
        this.#state = { phase: "accepted", last: response };
        this.#stack.after(this.#stack.transactionMs, () => this.#terminate());
      } else {
        const stopTimer = this.#stack.after(this.#stack.transactionMs, () => this.#terminate());
        this.#state = { phase: "completed", last: response, stopTimer };
      }
    } else if (state.phase === "trying") {
      if (statusCode >= 200) this.#terminate();
    } else throw new Error(`${this.request.method} has been answered already`);
    this.send(response);
    return response;
  }

  /** The provisional response goes out once a minute no more: whoever asks does that in its own way. */
  stopExtending(): void {
    if (this.#state.phase === "proceeding") this.#state.stopExtending();
  }

  /** The 2xx goes out again until its ACK is here (RFC 3261 s13.3.1.4). Gives the function that ends that. */
  repeatAccepted(): () => void {
    const { t1Ms, t2Ms } = this.#stack.options.timers;
    let stop = (): void => {};
    const next = (afterMs: number): void => {
      stop = this.#stack.after(afterMs, () => {
        if (this.#state.phase !== "accepted") return;
        this.send(this.#state.last);
        next(Math.min(afterMs * 2, t2Ms));
      });
    };
    next(t1Ms);
    return () => stop();
  }

  /** The same request once more, or the ACK to a refusal. */
  receive({ method }: SipRequest): void {
    const state = this.#state;
    if (state.phase === "proceeding" && state.last !== undefined) this.send(state.last);
    if (state.phase !== "completed") return;
    if (method === "ACK") {
      state.stopTimer();
      this.#terminate();
    } else this.send(state.last);
  }

  send(response: OutgoingResponse): void {
    // The hub has said so in the log; whoever asked asks again.
    this.#stack.options.send(response).catch(() => {});
  }

  #extend(response: OutgoingResponse): () => void {
    let stop = (): void => {};
    const next = (): void => {
      stop = this.#stack.after(EXTENSION_MS, () => {
        this.send(response);
        next();
      });
    };
    next();
    return () => stop();
  }

  #terminate(): void {
    if (this.#state.phase === "terminated") return;
    this.#state = { phase: "terminated" };
    if (this.#stack.servers.get(this.#key) === this) this.#stack.servers.delete(this.#key);
    const ended = this.#ended;
    this.#ended = [];
    for (const tell of ended) tell();
  }
}

/** An answer that no transaction stands behind (RFC 3261 s8.2.7). */
export function replyStateless(
  stack: Stack<ServerTransaction>,
  request: SipRequest,
  statusCode: number,
  { headers = [], phrase }: Omit<ReplyParts, "body"> = {},
  toTag = stack.newTag(),
): void {
  const { send, userAgent } = stack.options;
  send(responseTo(request, { statusCode, phrase, toTag, userAgent, headers })).catch(() => {});
}
