// One dialog with the trunk, over sip.js's SessionDialog: what is asked of it and what the peer asks of us.
// What a call makes of that is outbound-call.ts's and confirmed-call.ts's business.
import {
  InviteServerTransaction,
  NonInviteClientTransaction,
  ReInviteUserAgentClient,
  ReInviteUserAgentServer,
  SessionDialog,
  SessionState,
  SignalingState,
  TransactionState,
  UserAgentClient,
  UserAgentServer,
  type IncomingResponseMessage,
  type OutgoingRequestDelegate,
  type Session as SipjsSession,
} from "sip.js/lib/core/index.js";
import { sipCallId } from "../../core/ids.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import type { SessionVerdict } from "../headers/session-expires.ts";
import type { SipRequest } from "../wire/message.ts";
import { numberHeader, warningHeader, type HeaderLine } from "../wire/header-builder.ts";
import { contactFor, type Contacts } from "../headers/contact.ts";
import type { Core, Delegate } from "./core.ts";
import { IncomingRequest } from "./messages.ts";
import { outcomeOf, peerRequest, requestOf, type Outcome, type PeerRequest } from "./peer-request.ts";
import type { DialogFields } from "./dialog-fields.ts";
import { restoredDialog } from "./restored-dialog.ts";
import { subscribe } from "./subscription.ts";
import { ALLOW_HEADER, credentialHeaders, sdpBody } from "./requests.ts";

/** A re-INVITE or UPDATE that waits for our answer. */
export interface PeerOffer {
  /** Undefined: the peer wants our offer. */
  readonly sdp: string | undefined;
  /** 200 with our description. */
  accept(sdp: string): void;
  refuse(status: number, headers: readonly HeaderLine[]): void;
}

export interface SessionEvents {
  /** BYE, already answered 200. */
  bye(request: SipRequest): void;
  offered(offer: PeerOffer): void;
  /** The peer gave its re-INVITE up (CANCEL); it has been answered 487. */
  offerWithdrawn(): void;
  /** ACK to our 200; `sdp` is the answer where the offer was ours. */
  acknowledged(sdp: string | undefined): void;
  /** No ACK to our 200 within 64*T1 (RFC 3261 s13.3.1.4). */
  unacknowledged(): void;
  /** Target or CSeq changed. */
  changed(): void;
  /** A re-INVITE or UPDATE that is about to be answered: what it says besides its offer. */
  heard(request: SipRequest): void;
  /** What it does to the session's time (RFC 4028 s9). */
  judge(request: SipRequest): SessionVerdict;
  /** That has been agreed to: the 2xx is sent. */
  agreed(verdict: SessionVerdict): void;
  /** INFO, REFER, MESSAGE, or NOTIFY of no subscription of ours. */
  asked(request: PeerRequest): void;
}

/** What the caller does in the dialog of its INVITE to us besides what SessionEvents tells. */
export interface EarlyEvents {
  /** BYE before our answer, already answered 200: the INVITE is still owed its final response. */
  bye(request: SipRequest): void;
  /** Whether that PRACK is for a provisional response of ours (RFC 3262 s3). */
  acknowledges(prack: SipRequest): boolean;
  /** UPDATE without an offer, already answered 200: what it says of the caller. */
  heard(request: SipRequest): void;
}

/** What a request inside the dialog carries besides what makes it one. */
export interface DialogRequestParts {
  readonly headers?: readonly HeaderLine[];
  readonly body?: { readonly contentType: string; readonly content: string } | undefined;
}

const NO_TIMER: SessionVerdict = { kind: "agreed", headers: [], terms: undefined };

export class Session {
  readonly #dialog: SessionDialog;
  readonly #contacts: Contacts;
  #events: SessionEvents | undefined;
  #early: EarlyEvents | undefined;
  #pending: UserAgentServer | undefined;
  /** A BYE that overtook the 200, and came before anybody listened. */
  #missedBye: SipRequest | undefined;
  /** A BYE of ours that has to wait for the ACK to our 200, or for its time to run out. */
  #byeAfterAck: (() => void) | undefined;

  constructor(dialog: SipjsSession, contacts: Contacts) {
    if (!(dialog instanceof SessionDialog)) throw new TypeError("sip.js gave a session of an unknown kind");
    this.#dialog = dialog;
    this.#contacts = contacts;
    // Without a listener yet, the peer's requests wait in their retransmissions or are refused.
    this.#dialog.delegate = this.#delegate();
    const initial: unknown = Reflect.get(dialog, "initialTransaction");
    if (!(initial instanceof InviteServerTransaction)) return;
    initial.addStateChangeListener(() => {
      if (initial.state !== TransactionState.Terminated || !this.#awaitsAck) return;
      if (this.#byeAfterAck === undefined) this.#events?.unacknowledged();
      else this.#byeAfterAck();
    });
  }

  /** A dialog whose INVITE belonged to an earlier process. `core.dialogs` finds it from now on. */
  static restore(core: Core, fields: DialogFields, contacts: Contacts): { session: Session; key: object } {
    const dialog = restoredDialog(core, fields);
    return { session: new Session(dialog, contacts), key: dialog };
  }

  /** For the dialog of an INVITE to us, from its first provisional response on. */
  whileEarly(events: EarlyEvents): void {
    this.#early = events;
  }

  listen(events: SessionEvents): void {
    this.#events = events;
    const missed = this.#missedBye;
    // After whoever listens has said that the call is answered.
    if (missed !== undefined) queueMicrotask(() => events.bye(missed));
  }

  get fields(): DialogFields {
    const dialog = this.#dialog;
    return {
      sipCallId: sipCallId(dialog.callId),
      localTag: dialog.localTag,
      remoteTag: dialog.remoteTag,
      localUri: dialog.localURI.toString(),
      remoteUri: dialog.remoteURI.toString(),
      remoteTarget: dialog.remoteTarget.toString(),
      routeSet: [...dialog.routeSet],
      localCSeq: dialog.localSequenceNumber ?? 0,
      remoteCSeq: dialog.remoteSequenceNumber,
      secure: dialog.secure,
    };
  }

  /** Whether an offer may be made now: none is under way in either direction (RFC 3261 s14.1). */
  get mayOffer(): boolean {
    const { reinviteUserAgentClient, reinviteUserAgentServer } = this.#dialog;
    return (
      reinviteUserAgentClient === undefined &&
      reinviteUserAgentServer === undefined &&
      this.#pending === undefined &&
      !this.#awaitsAck
    );
  }

  get #contact(): HeaderLine {
    return contactFor(this.#contacts, this.#dialog.remoteTarget.toString(), this.#dialog.routeSet[0]);
  }

  /** Our 200 to the INVITE that made the dialog is not acknowledged yet. */
  get #awaitsAck(): boolean {
    return this.#dialog.sessionState === SessionState.AckWait;
  }

  /**
   * Sends BYE, where the INVITE was the peer's only once its ACK is here, or can no longer come (RFC 3261 s15).
   * `done` is called once; the dialog is gone from when the BYE is sent.
   */
  bye(reason: HeaderLine | undefined, done: (outcome: Outcome) => void): void {
    // RFC 3261 s15.1.2: what is still unanswered gets 487.
    this.#refusePending(487);
    const send = (): void => {
      this.#byeAfterAck = undefined;
      const { dialogs } = this.#dialog.userAgentCore;
      // The peer's own BYE was faster.
      if (dialogs.get(this.#dialog.id) !== this.#dialog) done("gone");
      else this.#dialog.bye(delegateOf(done), { extraHeaders: reason === undefined ? [] : [reason] });
    };
    const initial: unknown = Reflect.get(this.#dialog, "initialTransaction");
    const over = !(initial instanceof InviteServerTransaction) || initial.state === TransactionState.Terminated;
    if (this.#awaitsAck && !over) this.#byeAfterAck = send;
    else send();
  }

  /** INFO, REFER, NOTIFY or UPDATE without an offer. `done` is called once. The CSeq it went out with first. */
  ask(method: string, parts: DialogRequestParts, done: (outcome: Outcome) => void): number {
    const { headers = [], body } = parts;
    const content = body === undefined ? {} : { body: { contentDisposition: "render", ...body } };
    // RFC 6086 s4.2.3: no Contact in INFO. The others are target refreshes or make a subscription's dialog.
    const extraHeaders = method === "INFO" ? [...headers] : [this.#contact, ALLOW_HEADER, ...headers];
    const message = this.#dialog.createOutgoingRequestMessage(method, { extraHeaders, ...content });
    const { cseq } = message;
    const delegate = delegateOf(done, (response) => {
      // RFC 3311 s5.1: an UPDATE is a target refresh like a re-INVITE.
      if (method !== "UPDATE") return;
      this.refreshTarget(response);
      this.#events?.changed();
    });
    void new UserAgentClient(NonInviteClientTransaction, this.#dialog.userAgentCore, message, delegate);
    return cseq;
  }

  /** From now on NOTIFYs of that event in this dialog are told, also after its BYE. Gives the function that ends it. */
  subscribe(event: string, notified: (request: PeerRequest) => void): () => void {
    return subscribe(this.#dialog, event, notified);
  }

  /** re-INVITE with an offer. Only when `mayOffer`. `done` is called once; a 2xx has been acknowledged. */
  offer(sdp: string, done: (outcome: Outcome) => void, headers: readonly HeaderLine[] = []): void {
    const request = new ReInviteUserAgentClient(
      this.#dialog,
      {
        onAccept: (acceptance) => {
          const { message } = acceptance;
          // First, because the ACK goes there already (RFC 3261 s13.2.2.4).
          this.refreshTarget(message);
          acceptance.ack({ extraHeaders: credentialHeaders(request.message) });
          done(outcomeOf(message));
        },
        onReject: ({ message }) => done(outcomeOf(message)),
        onRedirect: ({ message }) => done(outcomeOf(message)),
      },
      { extraHeaders: [this.#contact, ALLOW_HEADER, ...headers], body: sdpBody(sdp) },
    );
  }

  /** A CANCEL came for the transaction `id`: the core answers it, but ends no re-INVITE with it. */
  cancelled(server: UserAgentServer): boolean {
    if (server !== this.#pending) return false;
    this.#refusePending(487);
    this.#events?.offerWithdrawn();
    return true;
  }

  /** RFC 3261 s12.2.1.2: a 2xx to a target refresh request replaces the remote target; the core forgets to. */
  refreshTarget(message: IncomingResponseMessage): void {
    const contact: unknown = message.parseHeader("contact");
    if (typeof contact !== "object" || contact === null || !("uri" in contact)) return;
    (this.#dialog as unknown as { dialogState: { remoteTarget: unknown } }).dialogState.remoteTarget = contact.uri;
  }

  #refusePending(status: number): void {
    const server = this.#pending;
    this.#pending = undefined;
    const state = server?.transaction.state;
    if (state === TransactionState.Proceeding || state === TransactionState.Trying)
      server?.reject({ statusCode: status });
  }

  #delegate(): Delegate {
    return {
      onBye: (server) => {
        this.#refusePending(487);
        server.accept();
        const request = requestOf(server.message);
        if (this.#events !== undefined) this.#events.bye(request);
        else if (this.#early === undefined) this.#missedBye = request;
        else this.#early.bye(request);
        // The core takes the dialog away after this.
        if (this.#byeAfterAck !== undefined) queueMicrotask(this.#byeAfterAck);
      },
      onInvite: (server) => {
        if (!(server instanceof ReInviteUserAgentServer)) return;
        // RFC 3261 s14.2: our own INVITE on this dialog is still in progress; or its 200 was overtaken on the way.
        if (this.#dialog.early) {
          server.reject({ statusCode: 491 });
          return;
        }
        // The core knows of re-INVITEs alone: an UPDATE of the peer's has made an offer that is not answered yet.
        if (this.#pending !== undefined) {
          server.reject({ statusCode: 500, extraHeaders: [retryAfter()] });
          return;
        }
        // The media engine may take longer than T1.
        server.trying();
        this.#offered(server, () => {
          if (this.#dialog.reinviteUserAgentServer === server) this.#events?.unacknowledged();
        });
      },
      onUpdate: (server) => this.#updated(server),
      onPrack: (server) => {
        const request = requestOf(server.message);
        // RFC 3262 s3. No provisional of ours has a description, so that none may come here either (s5).
        if (this.#early?.acknowledges(request) !== true) server.reject({ statusCode: 481 });
        else if (sdpOf(request) !== undefined) {
          server.reject({ statusCode: 488, extraHeaders: [warningHeader(399, "No offer is taken in PRACK")] });
        } else server.accept();
      },
      // Told by the transaction's end; without this the core would send a BYE of its own.
      onAckTimeout: () => {},
      onAck: ({ message }) => {
        if (this.#byeAfterAck !== undefined) this.#byeAfterAck();
        else this.#events?.acknowledged(message instanceof IncomingRequest ? sdpOf(message.wire) : undefined);
      },
      // Whoever listens comes with the answer to the call. Before it, digits are nobody's (RFC 6086 s4.2.2).
      onInfo: (server) => this.#asked(server, 200),
      onRefer: (server) => this.#asked(server, 480),
      onMessage: (server) => this.#asked(server, 480),
      onNotify: (server) => this.#asked(server, 481),
    };
  }

  #asked(server: unknown, unheard: number): void {
    if (!(server instanceof UserAgentServer)) return;
    const { request, reply } = peerRequest(server);
    // RFC 3515 s2.2: where the subscription is to be reached, which the 2xx to a REFER makes.
    const reached = (status: number): readonly HeaderLine[] =>
      request.method === "REFER" && status < 300 ? [this.#contact] : [];
    if (this.#events === undefined) reply(unheard);
    else this.#events.asked({ request, reply: (status, own = []) => reply(status, [...reached(status), ...own]) });
  }

  /** UPDATE, with an offer or without (RFC 3311 s5.2). */
  #updated(server: UserAgentServer): void {
    const { early, signalingState, reinviteUserAgentClient, reinviteUserAgentServer } = this.#dialog;
    const request = requestOf(server.message);
    const offer = sdpOf(request);
    if (offer === undefined) {
      const verdict = this.#verdictOn(server);
      if (verdict === undefined) return;
      this.#events?.heard(request);
      server.accept({ statusCode: 200, extraHeaders: [this.#contact, ALLOW_HEADER, ...verdict.headers] });
      if (this.#events === undefined) this.#early?.heard(request);
      this.#events?.agreed(verdict);
      this.#events?.changed();
    } else if (reinviteUserAgentClient !== undefined || signalingState === SignalingState.HaveLocalOffer) {
      // An offer of ours is not answered yet.
      server.reject({ statusCode: 491 });
    } else if (
      this.#pending !== undefined ||
      reinviteUserAgentServer !== undefined ||
      signalingState === SignalingState.HaveRemoteOffer
    ) {
      // The peer's own offer is not answered yet.
      server.reject({ statusCode: 500, extraHeaders: [retryAfter()] });
    } else if (early) {
      // Nobody can be shown another offer before the call is answered.
      server.reject({ statusCode: 504 });
    } else this.#offered(server, () => {});
  }

  /** Undefined: it wants to be refreshed too often, and has been refused (RFC 4028 s6). */
  #verdictOn(server: UserAgentServer): SessionVerdict | undefined {
    const verdict = this.#events?.judge(requestOf(server.message)) ?? NO_TIMER;
    if (verdict.kind === "agreed") return verdict;
    server.reject({ statusCode: 422, extraHeaders: [...verdict.headers] });
    return undefined;
  }

  #offered(server: UserAgentServer, onEnd: () => void): void {
    if (this.#events === undefined) {
      server.reject({ statusCode: 500, extraHeaders: [retryAfter()] });
      return;
    }
    const verdict = this.#verdictOn(server);
    if (verdict === undefined) return;
    this.#pending = server;
    server.transaction.addStateChangeListener(() => {
      if (server.transaction.state === TransactionState.Terminated) onEnd();
    });
    const answer = (reply: () => void): void => {
      if (this.#pending !== server) return;
      this.#pending = undefined;
      reply();
      this.#events?.changed();
    };
    const request = requestOf(server.message);
    this.#events.heard(request);
    this.#events.offered({
      sdp: sdpOf(request),
      accept: (sdp) => {
        const extraHeaders = [this.#contact, ALLOW_HEADER, ...verdict.headers];
        answer(() => {
          server.accept({ statusCode: 200, body: sdpBody(sdp), extraHeaders });
          this.#events?.agreed(verdict);
        });
      },
      refuse: (status, headers) => answer(() => server.reject({ statusCode: status, extraHeaders: [...headers] })),
    });
  }
}

/** RFC 3261 s14.2, RFC 3311 s5.2: 0 to 10 s, at random. */
function retryAfter(): HeaderLine {
  return numberHeader("Retry-After", Math.floor(Math.random() * 11));
}

function delegateOf(
  done: (outcome: Outcome) => void,
  accepted: (message: IncomingResponseMessage) => void = () => {},
): OutgoingRequestDelegate {
  const ended = ({ message }: { message: IncomingResponseMessage }): void => done(outcomeOf(message));
  const onAccept = ({ message }: { message: IncomingResponseMessage }): void => {
    accepted(message);
    done(outcomeOf(message));
  };
  return { onAccept, onReject: ended, onRedirect: ended };
}
