// A request of ours until its last response can have come (RFC 3261 s17.1, RFC 6026). Repetitions over UDP are the
// transport's business (transport/retransmit.ts): timers A, E, K and the D of UDP.
import type { Target } from "../transport/sockets/target.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { header, type SipResponse } from "../wire/message.ts";
import type { ResponseReader, Stack } from "./stack.ts";

export interface TransactionUser {
  /** Provisional or final; of a 2xx to INVITE the first with each To tag. */
  response(response: SipResponse, isTrunks: boolean): void;
  /** No final response came, or the request could not be sent. The last word. */
  failed(fault: "timeout" | "transport", message: string): void;
  /** Nothing more will come. */
  terminated?(): void;
}

/**
 * ```
 * INVITE                                     others
 * calling --1xx--> proceeding                trying --1xx--> proceeding
 *    |                 |                        |                |
 *    |--2xx------------+--> accepted            '--final---------'--> terminated
 *    |                 |       '--timer M--> terminated
 *    '--300 to 699-----'--> terminated, ACK sent
 *
 * calling, trying, proceeding of others --timers B and F, transport error--> terminated
 * ```
 */
type State =
  | { readonly phase: "calling" | "trying"; readonly stopTimer: () => void }
  | { readonly phase: "proceeding"; readonly stopTimer: () => void }
  /** ACKs sent to each 2xx, by its To tag. */
  | { readonly phase: "accepted"; readonly acks: Map<string, OutgoingRequest | undefined> }
  | { readonly phase: "terminated" };

export class ClientTransaction implements ResponseReader {
  readonly request: OutgoingRequest;
  readonly #stack: Stack;
  readonly #user: TransactionUser;
  #state: State;

  /** Sends the request. `target`: as StackOptions.send has it. */
  constructor(stack: Stack, request: OutgoingRequest, user: TransactionUser, target?: Target) {
    this.#stack = stack;
    this.request = request;
    this.#user = user;
    const stopTimer = stack.after(stack.transactionMs, () => this.#fail("timeout", "no response"));
    this.#state = { phase: request.method === "INVITE" ? "calling" : "trying", stopTimer };
    stack.clients.set(this.#key, this);
    stack.options.send(request, target).catch((error: unknown) => {
      this.#fail("transport", error instanceof Error ? error.message : String(error));
    });
  }

  get phase(): State["phase"] {
    return this.#state.phase;
  }

  receive(response: SipResponse, isTrunks: boolean): void {
    const { statusCode, toTag = "" } = response;
    const state = this.#state;
    switch (state.phase) {
      case "calling":
      case "trying":
      case "proceeding":
        if (statusCode < 200) {
          // Timer B is for the time before any response; timer F runs on.
          if (state.phase === "calling") state.stopTimer();
          this.#state = { phase: "proceeding", stopTimer: state.stopTimer };
        } else if (this.request.method === "INVITE" && statusCode < 300) {
          state.stopTimer();
          this.#state = { phase: "accepted", acks: new Map([[toTag, undefined]]) };
          this.#stack.after(this.#stack.transactionMs, () => this.end());
        } else {
          state.stopTimer();
          if (this.request.method === "INVITE") this.#send(refusalAck(this.request, response));
          this.#terminate();
          // RFC 4320 s4: whoever sends 408 has waited for as long as we have.
          if (this.request.method !== "INVITE" && statusCode === 408) {
            this.#user.failed("timeout", "no response");
            return;
          }
        }
        this.#user.response(response, isTrunks);
        return;
      case "accepted":
        if (statusCode < 200 || statusCode >= 300) return;
        if (state.acks.has(toTag)) {
          const ack = state.acks.get(toTag);
          if (ack !== undefined) this.#send(ack);
          return;
        }
        state.acks.set(toTag, undefined);
        this.#user.response(response, isTrunks);
        return;
      case "terminated":
    }
  }

  /** The ACK to a 2xx, which goes again whenever that does (RFC 3261 s13.2.2.4). */
  acknowledge(ack: OutgoingRequest): void {
    if (this.#state.phase === "accepted") this.#state.acks.set(ack.toTag ?? "", ack);
    this.#send(ack);
  }

  /** Nobody listens any more. */
  end(): void {
    const state = this.#state;
    if (state.phase === "terminated") return;
    if (state.phase !== "accepted") state.stopTimer();
    this.#terminate();
  }

  get #key(): string {
    return `${this.request.branch} ${this.request.method}`;
  }

  #fail(fault: "timeout" | "transport", message: string): void {
    const { phase } = this.#state;
    // An INVITE that was answered has left: what cannot be sent is its ACK.
    if (phase === "terminated" || phase === "accepted") return;
    if (phase === "proceeding" && this.request.method === "INVITE") return;
    this.end();
    this.#user.failed(fault, message);
  }

  #terminate(): void {
    this.#state = { phase: "terminated" };
    if (this.#stack.clients.get(this.#key) === this) this.#stack.clients.delete(this.#key);
    this.#user.terminated?.();
  }

  #send(ack: OutgoingRequest): void {
    // The peer repeats its response until an ACK arrives, so a failure here is mended by the next one.
    this.#stack.options.send(ack).catch(() => {});
  }
}

/** RFC 3261 s17.1.1.3: all of the INVITE's but the method, and To as in the response. */
export function refusalAck(invite: OutgoingRequest, response: SipResponse): OutgoingRequest {
  const to = header(response, "To") ?? invite.to;
  return { ...invite, method: "ACK", to, toTag: response.toTag, credentials: [], headers: [], body: undefined };
}
