// One dialog with the trunk: what is asked of it and what the peer asks of us (RFC 3261 s12 to s15, RFC 3311).
// What a call makes of that is outbound-call.ts's and confirmed-call.ts's business.
import { contactFor } from "../headers/contact.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { warningHeader, type HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { dialogRequest, isOutOfOrder, refreshed, type DialogFields, type DialogRequest } from "./dialog.ts";
import { peerRequest, type Outcome, type PeerRequest } from "./peer-request.ts";
import { Offers, type DescriptionExchange } from "./offers.ts";
import { ALLOW_HEADER, Client, sdpBody } from "./requests.ts";
import { replyStateless, ServerTransaction } from "./server-transaction.ts";
import type { DialogRequestParts, EarlyEvents, SessionEvents } from "./session-events.ts";
import { dialogKey, subscriptionKey, type Stack } from "./stack.ts";

/**
 * ```
 * INVITE of ours   early --2xx--> confirmed
 * INVITE of theirs early --our 2xx--> unacknowledged --ACK--> confirmed
 * any --BYE, refusal of the INVITE--> over
 * ```
 */
type State =
  /** `ours`: the INVITE was. `reliable`: RSeq of its last reliable provisional response (RFC 3262 s4). */
  | { readonly phase: "early"; readonly ours: true; readonly reliable: number | undefined }
  | { readonly phase: "early"; readonly ours: false }
  /** `bye`: ours, which waits for the ACK to our 200, or for its time to run out. */
  | {
      readonly phase: "unacknowledged";
      readonly server: ServerTransaction;
      readonly stopRepeating: () => void;
      readonly bye: (() => void) | undefined;
    }
  | { readonly phase: "confirmed" }
  | { readonly phase: "over" };

type Listener =
  /** `missedBye`: it overtook the 200. */
  | { readonly kind: "nobody"; readonly missedBye: SipRequest | undefined }
  | { readonly kind: "early"; readonly early: EarlyEvents }
  /** The PRACK to a provisional response may still come. */
  | { readonly kind: "call"; readonly events: SessionEvents; readonly early: EarlyEvents | undefined };

const nothing = (): void => {};

export class Session {
  readonly #stack: Stack<ServerTransaction, Session>;
  #fields: DialogFields;
  #state: State;
  readonly #offers: Offers;
  #listener: Listener = { kind: "nobody", missedBye: undefined };

  /** Found by requests of the peer from now on. A dialog of an earlier process is `confirmed` and `agreed`. */
  constructor(
    stack: Stack<ServerTransaction, Session>,
    fields: DialogFields,
    state: Extract<State, { phase: "early" | "confirmed" }>,
    exchange: DescriptionExchange,
  ) {
    this.#stack = stack;
    this.#fields = fields;
    this.#state = state;
    this.#offers = new Offers(
      {
        stack,
        contact: () => this.#contact,
        routeSet: () => this.#fields.routeSet,
        events: () => this.#events,
        heardEarly: (request) => this.#early?.heard(request),
      },
      exchange,
    );
    stack.dialogs.set(this.#key, this);
  }

  /** For the dialog of an INVITE to us, from its first provisional response on. */
  whileEarly(early: EarlyEvents): void {
    this.#listener = { kind: "early", early };
  }

  listen(events: SessionEvents): void {
    const missedBye = this.#listener.kind === "nobody" ? this.#listener.missedBye : undefined;
    this.#listener = { kind: "call", events, early: this.#early };
    // After whoever listens has said that the call is answered.
    if (missedBye !== undefined) queueMicrotask(() => events.bye(missedBye));
  }

  get fields(): DialogFields {
    return this.#fields;
  }

  /** Whether an offer may be made now: none is under way in either direction (RFC 3261 s14.1). */
  get mayOffer(): boolean {
    return this.#offers.free && this.#state.phase !== "unacknowledged";
  }

  /** Whether a reliable provisional response is the next one; one that comes again has had its PRACK. */
  isNextReliable(sequence: number): boolean {
    const state = this.#state;
    if (state.phase !== "early" || !state.ours) return false;
    if (state.reliable !== undefined && state.reliable + 1 !== sequence) return false;
    this.#state = { ...state, reliable: sequence };
    return true;
  }

  /** A provisional response to the INVITE that made the dialog. */
  heardEarly(response: SipResponse): void {
    this.#offers.heard(response);
  }

  /** The 2xx to our INVITE, which has the route and the target to go by from now on (RFC 3261 s13.2.2.4). */
  answered(response: SipResponse, routeSet: readonly string[]): void {
    this.#state = { phase: "confirmed" };
    this.#fields = refreshed({ ...this.#fields, routeSet: [...routeSet] }, response);
    this.#offers.answered();
  }

  /** Our 2xx to the peer's INVITE is sent. */
  accepted(server: ServerTransaction): void {
    this.#offers.accepted();
    this.#state = { phase: "unacknowledged", server, stopRepeating: server.repeatAccepted(), bye: undefined };
    server.onEnd(() => {
      const state = this.#state;
      if (state.phase !== "unacknowledged") return;
      state.stopRepeating();
      if (state.bye === undefined) this.#events?.unacknowledged();
      else state.bye();
    });
  }

  /** ACK to a 2xx of the peer, for the INVITE that it answers. */
  ackOf({ cseq, credentials }: OutgoingRequest): OutgoingRequest {
    return dialogRequest(this.#stack, this.#fields, { method: "ACK", cseq, credentials, headers: [] });
  }

  prack(rack: string): void {
    const request = this.#next({ method: "PRACK", headers: [`RAck: ${rack}`] });
    void new Client(this.#stack, { request, sequence: this.#sequence, response: nothing, failed: nothing });
  }

  /** The dialog is no more. Says nothing to the peer. */
  end(): void {
    if (this.#state.phase === "unacknowledged") this.#state.stopRepeating();
    this.#offers.end();
    this.#state = { phase: "over" };
    if (this.#stack.dialogs.get(this.#key) === this) this.#stack.dialogs.delete(this.#key);
  }

  /** The INVITE that would have made it was refused, or nobody answers it any more. */
  endEarly(): void {
    if (this.#state.phase === "early") this.end();
  }

  /**
   * Sends BYE, where the INVITE was the peer's only once its ACK is here, or can no longer come (RFC 3261 s15).
   * `done` is called once; the dialog is gone from when the BYE is sent.
   */
  bye(reason: HeaderLine | undefined, done: (outcome: Outcome) => void): void {
    this.#offers.refusePending();
    const send = (): void => {
      // The peer's own BYE was faster.
      if (this.#state.phase === "over") {
        done("gone");
        return;
      }
      const request = this.#next({ method: "BYE", headers: reason === undefined ? [] : [reason] });
      this.end();
      this.#request(request, done);
    };
    const state = this.#state;
    if (state.phase === "unacknowledged" && state.server.phase !== "terminated") this.#state = { ...state, bye: send };
    else send();
  }

  /** INFO, REFER, NOTIFY or UPDATE without an offer. `done` is called once. The CSeq it went out with first. */
  ask(method: string, { headers = [], body }: DialogRequestParts, done: (outcome: Outcome) => void): number {
    // RFC 6086 s4.2.3: no Contact in INFO. The others are target refreshes or make a subscription's dialog.
    const lines = method === "INFO" ? headers : [this.#contact, ALLOW_HEADER, ...headers];
    const request = this.#next({ method, headers: lines, body });
    this.#request(request, (outcome) => {
      // RFC 3311 s5.1: an UPDATE is a target refresh like a re-INVITE.
      if (method === "UPDATE" && typeof outcome === "object" && outcome.statusCode < 300) {
        this.#fields = refreshed(this.#fields, outcome);
        this.#events?.changed();
      }
      done(outcome);
    });
    return request.cseq;
  }

  /** From now on NOTIFYs of that event in this dialog are told, also after its BYE. Gives the function that ends it. */
  subscribe(event: string, tell: (request: PeerRequest) => void): () => void {
    const { subscriptions } = this.#stack;
    const key = subscriptionKey(this.#fields.sipCallId, this.#fields.localTag, event);
    const notified = (server: ServerTransaction): void => {
      const { request } = server;
      if ((request.fromTag ?? "") !== this.#fields.remoteTag) server.reply(481);
      // It outlives the call that it was made in (RFC 5057 s4.1).
      else if (this.#state.phase !== "over" && isOutOfOrder(this.#fields, request)) server.reply(500);
      else {
        this.#fields = { ...this.#fields, remoteCSeq: request.cseq.number };
        tell(peerRequest(server));
      }
    };
    const subscriber = { notified };
    subscriptions.set(key, subscriber);
    return () => {
      if (subscriptions.get(key) === subscriber) subscriptions.delete(key);
    };
  }

  /** re-INVITE with an offer. Only when `mayOffer`. `done` is called once; a 2xx has been acknowledged. */
  offer(sdp: string, done: (outcome: Outcome) => void, headers: readonly HeaderLine[] = []): void {
    const lines = [this.#contact, ALLOW_HEADER, ...headers];
    const request = this.#next({ method: "INVITE", headers: lines, body: sdpBody(sdp) });
    const over = this.#offers.offer();
    const client: Client = new Client(this.#stack, {
      request,
      sequence: this.#sequence,
      response: (response) => {
        if (response.statusCode < 200 || !over(response)) return;
        if (response.statusCode < 300) {
          // First, because the ACK goes there already (RFC 3261 s13.2.2.4).
          this.#fields = refreshed(this.#fields, response);
          client.transaction.acknowledge(this.ackOf(client.request));
        }
        done(response);
      },
      failed: (fault) => {
        if (over(undefined)) done(fault);
      },
    });
  }

  /** A CANCEL came for that request, and has been answered. */
  cancelled(server: ServerTransaction): void {
    this.#offers.withdrawn(server);
  }

  /** A request of the peer in this dialog, and new to us. */
  receive(request: SipRequest): void {
    if (request.method === "ACK") {
      this.#acknowledged(request);
      return;
    }
    if (isOutOfOrder(this.#fields, request)) {
      replyStateless(this.#stack, request, 500);
      return;
    }
    this.#fields = { ...this.#fields, remoteCSeq: request.cseq.number };
    switch (request.method) {
      case "INVITE":
        this.#reinvited(request);
        return;
      case "BYE":
        this.#hungUp(new ServerTransaction(this.#stack, request));
        return;
      case "UPDATE":
        this.#fields = refreshed(this.#fields, request);
        this.#offers.updated(new ServerTransaction(this.#stack, request), this.#state.phase === "early");
        return;
      case "PRACK":
        this.#pracked(new ServerTransaction(this.#stack, request));
        return;
      // Whoever listens comes with the answer to the call. Before it, digits are nobody's (RFC 6086 s4.2.2).
      case "INFO":
        this.#asked(new ServerTransaction(this.#stack, request), 200);
        return;
      case "REFER":
      case "MESSAGE":
        this.#asked(new ServerTransaction(this.#stack, request), 480);
        return;
      case "NOTIFY":
        this.#asked(new ServerTransaction(this.#stack, request), 481);
        return;
      default:
        replyStateless(this.#stack, request, 501);
    }
  }

  get #events(): SessionEvents | undefined {
    return this.#listener.kind === "call" ? this.#listener.events : undefined;
  }

  get #early(): EarlyEvents | undefined {
    return this.#listener.kind === "nobody" ? undefined : this.#listener.early;
  }

  get #key(): string {
    const { sipCallId, localTag, remoteTag } = this.#fields;
    return dialogKey(sipCallId, localTag, remoteTag);
  }

  get #contact(): HeaderLine {
    return contactFor(this.#stack.options.contacts, this.#fields.remoteTarget, this.#fields.routeSet[0]);
  }

  readonly #sequence = {
    next: (): number | undefined => (this.#state.phase === "over" ? undefined : this.#count()),
  };

  #count(): number {
    const localCSeq = this.#fields.localCSeq + 1;
    this.#fields = { ...this.#fields, localCSeq };
    return localCSeq;
  }

  #next(request: Omit<DialogRequest, "cseq">): OutgoingRequest {
    return dialogRequest(this.#stack, this.#fields, { ...request, cseq: this.#count() });
  }

  #request(request: OutgoingRequest, done: (outcome: Outcome) => void): void {
    void new Client(this.#stack, {
      request,
      sequence: this.#sequence,
      response: (response) => {
        if (response.statusCode >= 200) done(response);
      },
      failed: done,
    });
  }

  #acknowledged(ack: SipRequest): void {
    const state = this.#state;
    if (state.phase === "unacknowledged") {
      if (state.server.request.cseq.number !== ack.cseq.number) return;
      state.stopRepeating();
      this.#state = { phase: "confirmed" };
      this.#offers.acknowledgedFirst(ack);
      if (state.bye !== undefined) {
        state.bye();
        return;
      }
    } else if (!this.#offers.acknowledged(ack)) return;
    this.#events?.acknowledged(sdpOf(ack));
  }

  #hungUp(server: ServerTransaction): void {
    this.#offers.refusePending();
    server.reply(200);
    const { request } = server;
    const listener = this.#listener;
    if (listener.kind === "call") listener.events.bye(request);
    else if (listener.kind === "early") listener.early.bye(request);
    else this.#listener = { kind: "nobody", missedBye: request };
    const state = this.#state;
    this.end();
    if (state.phase === "unacknowledged") state.bye?.();
  }

  #pracked(server: ServerTransaction): void {
    // RFC 3262 s3. No provisional of ours has a description, so that none may come here either (s5).
    if (this.#early?.acknowledges(server.request) !== true) server.reply(481);
    else if (sdpOf(server.request) === undefined) server.reply(200);
    else server.reply(488, { headers: [warningHeader(399, "No offer is taken in PRACK")] });
  }

  #asked(server: ServerTransaction, unheard: number): void {
    const { request, reply } = peerRequest(server);
    // RFC 3515 s2.2: where the subscription is to be reached, which the 2xx to a REFER makes.
    const reached = (status: number): readonly HeaderLine[] =>
      request.method === "REFER" && status < 300 ? [this.#contact] : [];
    if (this.#events === undefined) reply(unheard);
    else this.#events.asked({ request, reply: (status, own = []) => reply(status, [...reached(status), ...own]) });
  }

  #reinvited(request: SipRequest): void {
    const { phase } = this.#state;
    // The peer's INVITE that made the dialog is unanswered like one whose ACK is not here.
    const unanswered = phase === "early" && !this.#state.ours ? "unacknowledged" : phase;
    this.#offers.reinvited(request, unanswered === "over" ? "confirmed" : unanswered, () => {
      this.#fields = refreshed(this.#fields, request);
    });
  }
}
