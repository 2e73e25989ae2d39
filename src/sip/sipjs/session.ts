// One dialog with the trunk, over sip.js's SessionDialog: what is asked of it and what the peer asks of us.
// What a call makes of that is outbound-call.ts's and confirmed-call.ts's business.
import {
  ReInviteUserAgentClient,
  ReInviteUserAgentServer,
  SessionDialog,
  SignalingState,
  TransactionState,
  type UserAgentServer,
  type IncomingResponseMessage,
  type Session as SipjsSession,
} from "sip.js/lib/core/index.js";
import type { SipDialogState } from "../../core/call/dialog-state.ts";
import { sipCallId } from "../../core/ids.ts";
import { sdpOf } from "../body.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { Core, Delegate } from "./core.ts";
import { ExactUri, IncomingRequest, wireOf } from "./messages.ts";
import { ALLOW_HEADER, credentialHeaders, sdpBody } from "./requests.ts";

/** RFC 3261 s12: what makes a dialog. Which trunk and which address of ours it runs over is known above. */
export type DialogFields = Omit<SipDialogState, "trunk" | "localAddress">;

/** A re-INVITE or UPDATE that waits for our answer. */
export interface PeerOffer {
  /** Undefined: the peer wants our offer. */
  readonly sdp: string | undefined;
  /** 200 with our description. */
  accept(sdp: string): void;
  refuse(status: number): void;
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
}

/** How a request inside the dialog ended: a final response, or what stands in for one (RFC 3261 s8.1.3.1). */
export type Outcome = SipResponse | "timeout" | "transport";

/** The stand-in for a transaction of another process. Its state tells SessionDialog that nothing is pending. */
const PAST_TRANSACTION = {
  request: {},
  state: "Terminated",
  addStateChangeListener(): void {},
  removeStateChangeListener(): void {},
};

export class Session {
  readonly #dialog: SessionDialog;
  readonly #contact: HeaderLine;
  #events: SessionEvents | undefined;
  #pending: UserAgentServer | undefined;
  /** A BYE that overtook the 200, and came before anybody listened. */
  #missedBye: SipRequest | undefined;

  constructor(dialog: SipjsSession, contact: HeaderLine) {
    if (!(dialog instanceof SessionDialog)) throw new TypeError("sip.js gave a session of an unknown kind");
    this.#dialog = dialog;
    this.#contact = contact;
    // Without a listener yet, the peer's requests wait in their retransmissions or are refused.
    this.#dialog.delegate = this.#delegate();
  }

  /** A dialog whose INVITE belonged to an earlier process. `core.dialogs` finds it from now on. */
  static restore(core: Core, fields: DialogFields, contact: HeaderLine): { session: Session; key: object } {
    const state = {
      id: `${fields.sipCallId}${fields.localTag}${fields.remoteTag}`,
      early: false,
      callId: fields.sipCallId,
      localTag: fields.localTag,
      remoteTag: fields.remoteTag,
      localSequenceNumber: fields.localCSeq,
      remoteSequenceNumber: fields.remoteCSeq,
      localURI: new ExactUri(fields.localUri, undefined),
      remoteURI: new ExactUri(fields.remoteUri, undefined),
      remoteTarget: new ExactUri(fields.remoteTarget, undefined),
      routeSet: [...fields.routeSet],
      secure: fields.secure,
    };
    const past = PAST_TRANSACTION as unknown as ConstructorParameters<typeof SessionDialog>[0];
    const dialog = new SessionDialog(past, core, state);
    // The offer and answer of the earlier process are over; offers may be made.
    Reflect.set(dialog, "_signalingState", SignalingState.Stable);
    return { session: new Session(dialog, contact), key: dialog };
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
      reinviteUserAgentClient === undefined && reinviteUserAgentServer === undefined && this.#pending === undefined
    );
  }

  /** Sends BYE. The dialog is gone at once; `done` is called once. */
  bye(reason: HeaderLine | undefined, done: (outcome: Outcome) => void): void {
    // RFC 3261 s15.1.2: what is still unanswered gets 487.
    this.#refusePending(487);
    this.#dialog.bye(
      {
        onAccept: ({ message }) => done(outcomeOf(message)),
        onReject: ({ message }) => done(outcomeOf(message)),
        onRedirect: ({ message }) => done(outcomeOf(message)),
      },
      { extraHeaders: reason === undefined ? [] : [reason] },
    );
  }

  /** re-INVITE with an offer. Only when `mayOffer`. `done` is called once; a 2xx has been acknowledged. */
  offer(sdp: string, done: (outcome: Outcome) => void): void {
    const request = new ReInviteUserAgentClient(
      this.#dialog,
      {
        onAccept: (acceptance) => {
          const { message } = acceptance;
          acceptance.ack({ extraHeaders: credentialHeaders(request.message) });
          this.refreshTarget(message);
          done(outcomeOf(message));
        },
        onReject: ({ message }) => done(outcomeOf(message)),
        onRedirect: ({ message }) => done(outcomeOf(message)),
      },
      { extraHeaders: [this.#contact, ALLOW_HEADER], body: sdpBody(sdp) },
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
        if (this.#events === undefined) this.#missedBye = request;
        else this.#events.bye(request);
      },
      onInvite: (server) => {
        if (!(server instanceof ReInviteUserAgentServer)) return;
        // RFC 3261 s14.2: our own INVITE on this dialog is still in progress; or its 200 was overtaken on the way.
        if (this.#dialog.early) {
          server.reject({ statusCode: 491 });
          return;
        }
        // The media engine may take longer than T1.
        server.trying();
        this.#offered(server, () => {
          if (this.#dialog.reinviteUserAgentServer === server) this.#events?.unacknowledged();
        });
      },
      onUpdate: (server) => {
        if (sdpOf(requestOf(server.message)) === undefined) {
          server.accept({ statusCode: 200, extraHeaders: [this.#contact, ALLOW_HEADER] });
          this.#events?.changed();
        } else if (this.#dialog.early || this.#events === undefined) {
          // RFC 3311 s5.2: our offer is not answered yet, or the call is not, and nobody can be shown another.
          const awaited = this.#dialog.signalingState === SignalingState.HaveLocalOffer;
          const statusCode = awaited ? 491 : this.#dialog.early ? 504 : 500;
          server.reject({ statusCode, extraHeaders: ["Retry-After: 2"] });
        } else if (this.#dialog.reinviteUserAgentClient !== undefined) {
          server.reject({ statusCode: 491 });
        } else if (this.#pending !== undefined || this.#dialog.reinviteUserAgentServer !== undefined) {
          server.reject({ statusCode: 500, extraHeaders: ["Retry-After: 2"] });
        } else this.#offered(server, () => {});
      },
      onAck: ({ message }) => {
        this.#events?.acknowledged(message instanceof IncomingRequest ? sdpOf(message.wire) : undefined);
      },
      // RFC 6086: digits and their like inside INFO are taken note of by nobody; the dialog goes on.
      onInfo: (server) => server.accept(),
    };
  }

  #offered(server: UserAgentServer, onEnd: () => void): void {
    if (this.#events === undefined) {
      server.reject({ statusCode: 500, extraHeaders: ["Retry-After: 2"] });
      return;
    }
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
    this.#events.offered({
      sdp: sdpOf(requestOf(server.message)),
      accept: (sdp) => {
        const options = { statusCode: 200, body: sdpBody(sdp), extraHeaders: [this.#contact, ALLOW_HEADER] };
        answer(() => server.accept(options));
      },
      refuse: (status) => answer(() => server.reject({ statusCode: status })),
    });
  }
}

/** The core makes up a 408 or a 503 where nothing came. */
function outcomeOf(message: IncomingResponseMessage): Outcome {
  return wireOf(message) ?? (message.statusCode === 503 ? "transport" : "timeout");
}

function requestOf(message: unknown): SipRequest {
  if (!(message instanceof IncomingRequest)) throw new TypeError("a request that did not come through the parser");
  return message.wire;
}
