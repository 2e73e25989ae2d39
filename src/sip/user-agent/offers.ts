// Offers in one dialog, ours and the peer's, by re-INVITE and UPDATE: one at a time, and who waits when two meet
// (RFC 3261 s14, RFC 3264, RFC 3311). What is offered is the call's business.
import { sdpOf } from "../headers/sdp-body.ts";
import type { SessionVerdict } from "../headers/session-expires.ts";
import { numberHeader, type HeaderLine } from "../wire/header-builder.ts";
import type { SipMessage, SipRequest, SipResponse } from "../wire/message.ts";
import { ALLOW_HEADER, sdpBody } from "./requests.ts";
import { replyStateless, ServerTransaction } from "./server-transaction.ts";
import type { SessionEvents } from "./session-events.ts";
import type { Stack } from "./stack.ts";

/**
 * Whose session description waits for the other's.
 *
 * ```
 * none --ours--> offered --theirs--> agreed
 *  '--theirs--> asked --ours--> agreed
 * agreed --ours--> offered, --theirs--> asked; refused: agreed again
 * ```
 */
export type DescriptionExchange = "none" | "offered" | "asked" | "agreed";

function withOurs(exchange: DescriptionExchange): DescriptionExchange {
  return exchange === "asked" ? "agreed" : "offered";
}

/** `message`: of the peer; one without a description changes nothing. */
function withTheirs(exchange: DescriptionExchange, message: SipMessage): DescriptionExchange {
  if (sdpOf(message) === undefined) return exchange;
  return exchange === "offered" ? "agreed" : "asked";
}

export interface OffersOptions {
  readonly stack: Stack<ServerTransaction>;
  /** Contact of our responses. */
  readonly contact: () => HeaderLine;
  readonly routeSet: () => readonly string[];
  /** Undefined: nobody listens yet. */
  readonly events: () => SessionEvents | undefined;
  /** An UPDATE without an offer, already answered, while nobody listens. */
  readonly heardEarly: (request: SipRequest) => void;
}

/** A re-INVITE that is under way; the peer's until its ACK. */
type Reinvite =
  | { readonly side: "ours" }
  | { readonly side: "theirs"; readonly server: ServerTransaction; readonly stopRepeating: () => void };

const NO_TIMER: SessionVerdict = { kind: "agreed", headers: [], terms: undefined };

export class Offers {
  readonly #options: OffersOptions;
  #exchange: DescriptionExchange;
  #reinvite: Reinvite | undefined;
  /** A re-INVITE or UPDATE of the peer that waits for our answer. */
  #pending: ServerTransaction | undefined;

  constructor(options: OffersOptions, exchange: DescriptionExchange) {
    this.#options = options;
    this.#exchange = exchange;
  }

  /** None is under way in either direction. */
  get free(): boolean {
    return this.#reinvite === undefined && this.#pending === undefined;
  }

  /** A provisional response to our INVITE may have the answer already. */
  heard(response: SipResponse): void {
    if (this.#exchange !== "agreed") this.#exchange = withTheirs(this.#exchange, response);
  }

  /** The 2xx to our INVITE is here. */
  answered(): void {
    this.#exchange = "agreed";
  }

  /** Our 2xx to the peer's INVITE is sent. */
  accepted(): void {
    this.#exchange = withOurs(this.#exchange);
  }

  /** Our re-INVITE goes out. Gives what is to be told of its final response, or of none: false where it is over already. */
  offer(): (response: SipResponse | undefined) => boolean {
    const reinvite: Reinvite = { side: "ours" };
    this.#exchange = withOurs(this.#exchange);
    this.#reinvite = reinvite;
    return (response) => {
      if (this.#reinvite !== reinvite) return false;
      this.#reinvite = undefined;
      const accepted = response !== undefined && response.statusCode < 300;
      this.#exchange = accepted ? withTheirs(this.#exchange, response) : "agreed";
      return true;
    };
  }

  /** The ACK to the 2xx that made the dialog, with the answer where the offer was ours. */
  acknowledgedFirst(ack: SipRequest): void {
    this.#exchange = withTheirs(this.#exchange, ack);
  }

  /** Whether that is the ACK to our 2xx to a re-INVITE. */
  acknowledged(ack: SipRequest): boolean {
    const reinvite = this.#reinvite;
    if (reinvite?.side !== "theirs" || reinvite.server.request.cseq.number !== ack.cseq.number) return false;
    reinvite.stopRepeating();
    this.#reinvite = undefined;
    this.#exchange = withTheirs(this.#exchange, ack);
    return true;
  }

  /** `state`: of the dialog. Calls `taken` where the request is taken, and so refreshes the target. */
  reinvited(request: SipRequest, state: "early" | "unacknowledged" | "confirmed", taken: () => void): void {
    const { stack, events } = this.#options;
    // RFC 3261 s14.2: the peer's own offer is not answered yet.
    if ((state === "unacknowledged" && this.#exchange !== "agreed") || this.#reinvite?.side === "theirs") {
      replyStateless(stack, request, 500, { headers: [retryAfter()] });
      return;
    }
    // Our own is not; or the 200 to our INVITE was overtaken on the way.
    if (this.#reinvite !== undefined || state === "early") {
      replyStateless(stack, request, 491);
      return;
    }
    taken();
    const server = new ServerTransaction(stack, request);
    // An UPDATE of the peer's has made an offer that is not answered yet.
    if (this.#pending !== undefined) {
      server.reply(500, { headers: [retryAfter()] });
      return;
    }
    this.#reinvite = { side: "theirs", server, stopRepeating: () => {} };
    this.#exchange = withTheirs(this.#exchange, request);
    // The media engine may take longer than T1.
    server.trying();
    server.onEnd(() => {
      if (!this.#isReinvite(server)) return;
      this.end();
      events()?.unacknowledged();
    });
    this.#offered(server);
  }

  /** UPDATE, with an offer or without (RFC 3311 s5.2). */
  updated(server: ServerTransaction, early: boolean): void {
    const { contact, events, heardEarly } = this.#options;
    const { request } = server;
    if (sdpOf(request) === undefined) {
      const verdict = this.#verdictOn(server);
      if (verdict === undefined) return;
      const listener = events();
      listener?.heard(request);
      server.reply(200, { headers: [contact(), ALLOW_HEADER, ...verdict.headers] });
      if (listener === undefined) heardEarly(request);
      listener?.agreed(verdict);
      listener?.changed();
    } else if (this.#reinvite?.side === "ours" || this.#exchange === "offered") {
      // An offer of ours is not answered yet.
      server.reply(491);
    } else if (!this.free || this.#exchange === "asked") {
      // The peer's own offer is not answered yet.
      server.reply(500, { headers: [retryAfter()] });
    } else if (early) {
      // Nobody can be shown another offer before the call is answered.
      server.reply(504);
    } else this.#offered(server);
  }

  /** A CANCEL came for that request. */
  withdrawn(server: ServerTransaction): void {
    if (server !== this.#pending) return;
    this.refusePending();
    this.#options.events()?.offerWithdrawn();
  }

  /** What is still unanswered gets 487 (RFC 3261 s15.1.2). */
  refusePending(): void {
    const server = this.#pending;
    this.#pending = undefined;
    if (server !== undefined) this.#refuse(server, 487);
  }

  end(): void {
    if (this.#reinvite?.side === "theirs") this.#reinvite.stopRepeating();
  }

  #isReinvite(server: ServerTransaction): boolean {
    return this.#reinvite?.side === "theirs" && this.#reinvite.server === server;
  }

  /** Undefined: it wants to be refreshed too often, and has been refused (RFC 4028 s6). */
  #verdictOn(server: ServerTransaction): Extract<SessionVerdict, { kind: "agreed" }> | undefined {
    const verdict = this.#options.events()?.judge(server.request) ?? NO_TIMER;
    if (verdict.kind === "agreed") return verdict;
    this.#refuse(server, 422, verdict.headers);
    return undefined;
  }

  #offered(server: ServerTransaction): void {
    const listener = this.#options.events();
    if (listener === undefined) {
      this.#refuse(server, 500, [retryAfter()]);
      return;
    }
    const verdict = this.#verdictOn(server);
    if (verdict === undefined) return;
    this.#pending = server;
    const answer = (reply: () => void): void => {
      if (this.#pending !== server) return;
      this.#pending = undefined;
      reply();
      listener.changed();
    };
    listener.heard(server.request);
    listener.offered({
      sdp: sdpOf(server.request),
      accept: (sdp) =>
        answer(() => {
          this.#accept(server, sdp, verdict.headers);
          listener.agreed(verdict);
        }),
      refuse: (status, headers) => answer(() => this.#refuse(server, status, headers)),
    });
  }

  #accept(server: ServerTransaction, sdp: string, timing: readonly HeaderLine[]): void {
    const { contact, routeSet } = this.#options;
    const reinvite = this.#isReinvite(server);
    const routes = reinvite ? routeSet().map((route) => `Record-Route: ${route}`) : [];
    server.reply(200, { headers: [contact(), ALLOW_HEADER, ...timing, ...routes], body: sdpBody(sdp) });
    if (!reinvite) return;
    this.#exchange = withOurs(this.#exchange);
    this.#reinvite = { side: "theirs", server, stopRepeating: server.repeatAccepted() };
  }

  #refuse(server: ServerTransaction, status: number, headers: readonly string[] = []): void {
    if (this.#isReinvite(server)) {
      this.#reinvite = undefined;
      this.#exchange = "agreed";
    }
    if (server.open) server.reply(status, { headers });
  }
}

/** RFC 3261 s14.2, RFC 3311 s5.2: 0 to 10 s, at random. */
function retryAfter(): HeaderLine {
  return numberHeader("Retry-After", Math.floor(Math.random() * 11));
}
