// One INVITE of ours and all that may answer it: provisionals, refusals, challenges, several 2xx, and the CANCEL
// that races with them (RFC 3261 s9.1, s13). Which fact a call hears of it is decided in outbound-call.ts.
import {
  InviteUserAgentClient,
  NonInviteClientTransaction,
  TransactionState,
  UserAgentClient,
  type IncomingResponseMessage,
  type OutgoingInviteRequestDelegate,
  type Session as SipjsSession,
  type TransportError,
} from "sip.js/lib/core/index.js";
import type { SipInviteState } from "../../core/call/model/dialog-state.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipResponse } from "../wire/message.ts";
import type { Core } from "./core.ts";
import { reliableSequence, wireOf } from "./messages.ts";
import { credentialHeaders, type OutgoingRequest } from "./requests.ts";
import type { Session } from "./session.ts";

/** What comes of an INVITE. `refused` and `failed` are the last. */
export type InviteEvent =
  /** It goes out, for the first time or with credentials. */
  | { readonly kind: "sent"; readonly invite: SipInviteState }
  /** 100 to 199; a reliable one has been acknowledged with PRACK. */
  | { readonly kind: "provisional"; readonly response: SipResponse }
  /** Every dialog that a 2xx makes, once each; the 2xx has been acknowledged. */
  | { readonly kind: "accepted"; readonly response: SipResponse; readonly session: Session }
  /** 300 to 699, acknowledged. */
  | { readonly kind: "refused"; readonly response: SipResponse }
  | { readonly kind: "failed"; readonly fault: "timeout" | "transport" | "internal"; readonly message: string };

export interface InvitationOptions {
  readonly core: Core;
  readonly request: OutgoingRequest;
  readonly tell: (event: InviteEvent) => void;
  /** The same wrapper for the same dialog of sip.js, early and confirmed. */
  readonly sessionOf: (session: SipjsSession) => Session;
  readonly stateOf: (request: OutgoingRequest) => SipInviteState;
  /** Late answers are to be looked after elsewhere from now on. `refused`: the peer has ended it. */
  readonly over: (invite: SipInviteState, refused: boolean) => void;
  /** As in UserAgentOptions. */
  readonly recall: (branch: string) => boolean;
  readonly stopAsking: (branch: string) => void;
  /** Calls back after 64*T1; gives a function that takes it back. */
  readonly afterTransaction: (then: () => void) => () => void;
}

/** More telephones than these do not ring for one call. */
const MAX_EARLY = 50;

export class Invitation {
  readonly #options: InvitationOptions;
  readonly #client: Client;
  #cancelReason: HeaderLine | undefined;
  #cancelWanted = false;
  #cancelSent = false;
  #stopWaiting: () => void = () => {};
  #over = false;

  constructor(options: InvitationOptions) {
    this.#options = options;
    const { core, request } = options;
    // Told before the transport is asked, so that whoever stores it is never behind the wire.
    this.#client = new Client(core, request, this.#delegate());
    const sent = (): void => options.tell({ kind: "sent", invite: options.stateOf(request) });
    this.#client.sentAgain = sent;
    this.#client.unusable = (message) => {
      if (this.#over) return;
      this.abort();
      options.tell({ kind: "failed", fault: "internal", message });
    };
    sent();
  }

  get request(): OutgoingRequest {
    return this.#options.request;
  }

  /** Whether a response may still become an event. */
  get open(): boolean {
    return !this.#over;
  }

  /** Gives the call up: CANCEL as soon as a provisional response allows it (RFC 3261 s9.1). */
  cancel(reason: HeaderLine | undefined): void {
    if (this.#over || this.#cancelWanted) return;
    this.#cancelWanted = true;
    this.#cancelReason = reason;
    this.#client.abandoned = true;
    const { state } = this.#client.transaction;
    if (state === TransactionState.Proceeding) this.#sendCancel();
    // A connection that is still being opened: what has not left needs no CANCEL.
    else if (state === TransactionState.Calling && this.#options.recall(this.#branch)) {
      this.giveUp("timeout", "cancelled before it left");
    }
  }

  /** Ends it here, as `failed`: whatever is still answered is ended, too. */
  giveUp(fault: "timeout" | "transport", message: string): void {
    if (this.#over) return;
    // It rings somewhere: whoever cannot be heard may still hear.
    if (this.#client.transaction.state === TransactionState.Proceeding) this.#sendCancel();
    this.#options.stopAsking(this.#branch);
    this.abort();
    this.#options.tell({ kind: "failed", fault, message });
  }

  get #branch(): string {
    return this.request.branch ?? "";
  }

  /** Stops listening; what is still answered is ended by `over`. */
  abort(): void {
    this.#finish(false);
    this.#client.discard();
  }

  #sendCancel(): void {
    if (this.#cancelSent) return;
    this.#cancelSent = true;
    const { core, request } = this.#options;
    const { ruri, from, to, fromTag, callId, cseq, branch, headers } = request;
    const extra = [...credentialHeaders(request), ...(this.#cancelReason === undefined ? [] : [this.#cancelReason])];
    const options = { callId, cseq, fromTag, routeSet: headers["Route"] ?? [] };
    const cancel = core.makeOutgoingRequestMessage("CANCEL", ruri, from.uri, to.uri, options, extra);
    // RFC 3261 s9.1: From identical, its display name included; same branch.
    cancel.setHeader("from", headers["From"] ?? []);
    cancel.branch = branch;
    void new UserAgentClient(NonInviteClientTransaction, core, cancel);
    // RFC 3261 s9.1: without a final response by then the INVITE counts as cancelled.
    this.#stopWaiting = this.#options.afterTransaction(() => {
      this.giveUp("timeout", "no final response after CANCEL");
    });
  }

  #finish(refused: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.#stopWaiting();
    this.#options.over(this.#options.stateOf(this.request), refused);
  }

  #delegate(): OutgoingInviteRequestDelegate {
    const { tell, sessionOf } = this.#options;
    const provisional = (message: IncomingResponseMessage): void => {
      const response = wireOf(message);
      if (this.#over || response === undefined) return;
      tell({ kind: "provisional", response });
      if (this.#cancelWanted) this.#sendCancel();
    };
    const refused = ({ message }: { message: IncomingResponseMessage }): void => {
      if (this.#over) return;
      const response = wireOf(message);
      this.#finish(response !== undefined);
      if (response !== undefined) tell({ kind: "refused", response });
      else {
        const { transportFault } = this.#client;
        const fault = transportFault === undefined ? "timeout" : "transport";
        tell({ kind: "failed", fault, message: transportFault ?? "no response to INVITE" });
      }
    };
    return {
      onTrying: ({ message }) => provisional(message),
      onProgress: (progress) => {
        const { message, session } = progress;
        // Listens for what the peer asks inside the early dialog.
        sessionOf(session);
        const response = wireOf(message);
        const rack = response && reliableSequence(response);
        if (rack !== undefined) progress.prack({ extraHeaders: [`RAck: ${rack} ${this.request.cseq} INVITE`] });
        provisional(message);
      },
      onAccept: (acceptance) => {
        const { message, session } = acceptance;
        const response = wireOf(message);
        if (response === undefined) return;
        // The early dialog may have had another Contact; the core keeps that.
        const ours = sessionOf(session);
        if (response.contacts !== "*" && response.contacts.length > 0) ours.refreshTarget(message);
        acceptance.ack({ extraHeaders: credentialHeaders(this.request) });
        this.#stopWaiting();
        tell({ kind: "accepted", response, session: ours });
      },
      onReject: refused,
      onRedirect: refused,
    };
  }
}

/** sip.js's client, which tells what it hides: the transport's own words, and that it sent again. */
export class Client extends InviteUserAgentClient {
  /** Read by the challenge's answer in core.ts. */
  abandoned = false;
  sentAgain: () => void = () => {};
  transportFault: string | undefined;
  /** A 2xx came that can make no dialog. */
  unusable: (message: string) => void = () => {};

  /** Whether a provisional response is of one early dialog more than is kept: a peer that forks without end. */
  forksTooOften({ statusCode = 0, callId, toTag }: IncomingResponseMessage): boolean {
    if (statusCode <= 100 || statusCode >= 200) return false;
    const { earlyDialogs } = this as unknown as { earlyDialogs: ReadonlyMap<string, unknown> };
    return earlyDialogs.size >= MAX_EARLY && !earlyDialogs.has(`${callId}${this.message.fromTag}${toTag}`);
  }

  discard(): void {
    this.core.userAgentClients.delete(`${this.transaction.id}INVITE`);
    this.dispose();
  }

  protected override onTransportError(error: TransportError): void {
    this.transportFault = error.message;
    super.onTransportError(error);
  }
}
