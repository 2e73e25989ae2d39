// The user agent of one trunk: our messages in, sip.js's core behind, calls and dialogs out. Everything above
// sees our own types only; sip.js is known to this folder alone.
import {
  Levels,
  LoggerFactory,
  NonInviteClientTransaction,
  TransactionState,
  UserAgentServer,
  type IncomingResponseMessage,
  type OutgoingRequestMessage,
  type Session as SipjsSession,
} from "sip.js/lib/core/index.js";
import type { SipIncomingState, SipInviteState } from "../../core/call/model/dialog-state.ts";
import { sipCallId, type TrunkName } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import type { InboundSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { lineText } from "../wire/fields/escaping.ts";
import { valueOf, type HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { Refusal } from "../wire/screening.ts";
import { contactFor, type Contacts } from "../headers/contact.ts";
import { Core, type DigestClientSession } from "./core.ts";
import { Dismissals } from "./dismissals.ts";
import { Incoming } from "./incoming.ts";
import { Client, Invitation, type InviteEvent } from "./invitation.ts";
import { LateResponses, cancelOf } from "./late-responses.ts";
import { ExactUri, IncomingResponse } from "./messages.ts";
import { peerRequest, type PeerRequest } from "./peer-request.ts";
import { OutOfDialogRequest, type FinalResponse } from "./out-of-dialog-request.ts";
import { ALLOW_HEADER, sdpBody, type OutgoingRequest } from "./requests.ts";
import type { ServerInvitation } from "./server-invitation.ts";
import type { DialogFields } from "./dialog-fields.ts";
import { Session } from "./session.ts";

export interface UserAgentOptions {
  readonly trunk: TrunkName;
  /** As Via names it: `UDP`, `TCP`, `TLS`, `WS`, `WSS`. */
  readonly protocol: string;
  /** Sent-by: host, or host and port. */
  readonly viaHost: string;
  readonly contacts: Contacts;
  readonly userAgent: string;
  readonly localAddress: { readonly host: string; readonly port: number };
  /** 64*T1 in ms. */
  readonly transactionMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** Hands a whole message to the transport. */
  readonly send: (text: string) => Promise<void>;
  /** Takes an INVITE back that has not left yet, by its branch; false: it has left. */
  readonly recall: (branch: string) => boolean;
  /** The INVITE of that branch is not sent again. */
  readonly stopAsking: (branch: string) => void;
  readonly newDigestSession: () => DigestClientSession | undefined;
  readonly reliableProvisionals: InboundSettings["reliableProvisionals"];
  /** Asked first of whatever begins outside of dialogs: why it may not. */
  readonly admission: (request: SipRequest) => Refusal | undefined;
  /** A new INVITE, to which 100 has been sent. */
  readonly invited: (invitation: ServerInvitation) => void;
  /** MESSAGE, NOTIFY or REFER outside of dialogs. */
  readonly asked: (request: PeerRequest) => void;
}

/** What an INVITE is made of besides what the trunk gives. */
export interface InviteParts {
  readonly uri: string;
  /** The Request-URI where undefined. */
  readonly to?: string;
  /** From value with its display name, without the tag; and its URI alone. */
  readonly from: string;
  readonly fromUri: string;
  readonly sipCallId: string;
  /** Of an INVITE that is sent once more; a new tag and 1 otherwise. */
  readonly fromTag?: string;
  readonly cseq?: number;
  readonly headers: readonly HeaderLine[];
  /** Route values, first hop first. */
  readonly routes?: readonly string[];
  readonly sdp: string;
}

/** What a request outside of dialogs is made of besides what the trunk gives. */
export interface OutOfDialogParts {
  readonly method: string;
  readonly uri: string;
  /** The Request-URI where undefined. */
  readonly to?: string;
  readonly from: string;
  /** From as a whole, without the tag, where it is more than that URI. */
  readonly fromAddress?: string;
  readonly fromTag?: string;
  readonly sipCallId: string;
  /** 1 unless the request is one of a row. */
  readonly cseq?: number;
  readonly headers?: readonly (HeaderLine | string)[];
  /** Route values, first hop first. */
  readonly routes?: readonly string[];
  readonly body?: { readonly contentDisposition: string; readonly contentType: string; readonly content: string };
}

export class UserAgent {
  readonly #options: UserAgentOptions;
  readonly #core: Core;
  readonly #late: LateResponses;
  readonly #dismissals: Dismissals;
  readonly #incoming: Incoming;
  /** By sip.js's own dialog. */
  readonly #sessions = new WeakMap<object, Session>();
  readonly #timers = new Set<() => void>();

  constructor(options: UserAgentOptions) {
    this.#options = options;
    const { contacts, viaHost, protocol, send, log } = options;
    const nobody = new ExactUri("sip:localhost", undefined);
    const loggerFactory = new LoggerFactory();
    loggerFactory.builtinEnabled = false;
    loggerFactory.level = Levels.warn;
    loggerFactory.connector = (severity, category, _label, content) => {
      // The factory's level holds for its own console alone; a line for every state of every transaction is too much.
      if (severity === "warn" || severity === "error") {
        log.trace("sip.js", { severity, category, content: String(content) });
      }
    };
    const transport = { protocol, send };
    this.#core = new Core(
      {
        aor: nobody,
        contact: { pubGruu: undefined, tempGruu: undefined, uri: nobody, toString: () => valueOf(contacts.usual) },
        displayName: "",
        loggerFactory,
        hackViaTcp: false,
        routeSet: [],
        sipjsId: "",
        supportedOptionTags: [],
        supportedOptionTagsResponse: [],
        userAgentHeaderFieldValue: lineText(options.userAgent),
        viaForceRport: true,
        viaHost,
        authenticationFactory: () => undefined,
        transportAccessor: () => transport,
      },
      options.userAgent,
      options.newDigestSession,
    );
    const asked = (server: unknown): void => {
      if (server instanceof UserAgentServer) options.asked(peerRequest(server));
    };
    const onInvite = (server: unknown): void => this.#incoming.invited(server);
    this.#core.delegate = { onInvite, onMessage: asked, onNotify: asked, onRefer: asked };
    this.#dismissals = new Dismissals({ clock: options.clock, keepMs: options.transactionMs, send });
    this.#incoming = new Incoming({
      ...options,
      core: this.#core,
      dismissals: this.#dismissals,
      sessionOf: (session) => this.#sessionOf(session),
    });
    this.#late = new LateResponses({
      clock: options.clock,
      keepMs: options.transactionMs,
      send,
      hangUp: (dialog, done) => this.restore(dialog).bye(undefined, () => done()),
    });
  }

  /** A request from the trunk, its top Via stamped with the source. Never throws. */
  receiveRequest(request: SipRequest): void {
    this.#incoming.receive(request);
  }

  /** A response, whether it is waited for or not; `isTrunks` as in HubOptions. Never throws. */
  receiveResponse(response: SipResponse, isTrunks: boolean): void {
    try {
      this.#receiveResponse(response, isTrunks);
    } catch (error) {
      this.#options.log.error("could not handle a SIP response", { status: response.statusCode, error });
    }
  }

  invite(parts: InviteParts, tell: (event: InviteEvent) => void): Invitation {
    const core = this.#core;
    const uri = new ExactUri(parts.uri, undefined);
    const to = new ExactUri(parts.to ?? parts.uri, undefined);
    const routeSet = [...(parts.routes ?? [])];
    const { fromTag = this.#options.clock.newId(), cseq = 1 } = parts;
    const options = { callId: parts.sipCallId, fromTag, cseq, routeSet };
    const contact = contactFor(this.#options.contacts, parts.uri, routeSet[0]);
    const headers = [contact, ALLOW_HEADER, ...parts.headers];
    const from = new ExactUri(parts.fromUri, undefined);
    const request = core.makeOutgoingRequestMessage("INVITE", uri, from, to, options, headers, sdpBody(parts.sdp));
    request.setFrom(parts.from);
    return new Invitation({
      core,
      request,
      tell,
      sessionOf: (session) => this.#sessionOf(session),
      stateOf: (sent) => this.#inviteState(sent),
      over: (invite, refused) => this.#late.remember(invite, { ringing: refused ? "ignored" : "cancelled" }),
      recall: this.#options.recall,
      stopAsking: this.#options.stopAsking,
      afterTransaction: (then) => this.#afterTransaction(then),
    });
  }

  /** OPTIONS, REGISTER or another request that makes no dialog; `done` is called once. */
  ask(parts: OutOfDialogParts, done: (answer: FinalResponse, cseq: number) => void): void {
    const { method, uri, from, sipCallId: callId, routes = [] } = parts;
    const { fromTag = this.#options.clock.newId(), cseq = 1, headers = [], body } = parts;
    const contact = contactFor(this.#options.contacts, uri, routes[0]);
    const request = this.#core.makeOutgoingRequestMessage(
      method,
      new ExactUri(uri, undefined),
      new ExactUri(from, undefined),
      new ExactUri(parts.to ?? uri, undefined),
      { callId, fromTag, cseq, routeSet: [...routes] },
      // RFC 3428 s4: no Contact in a MESSAGE.
      method === "MESSAGE" ? [ALLOW_HEADER, ...headers] : [contact, ALLOW_HEADER, ...headers],
      body,
    );
    if (parts.fromAddress !== undefined) request.setFrom(parts.fromAddress);
    // Credentials raise it.
    const finish = ({ message }: { message: IncomingResponseMessage }): void =>
      done(client.answerOf(message), request.cseq);
    const client: OutOfDialogRequest = new OutOfDialogRequest(NonInviteClientTransaction, this.#core, request, {
      onAccept: finish,
      onRedirect: finish,
      onReject: finish,
    });
  }

  /** A confirmed dialog of an earlier process. */
  restore(dialog: DialogFields): Session {
    const { session, key } = Session.restore(this.#core, dialog, this.#options.contacts);
    this.#sessions.set(key, session);
    return session;
  }

  /** Cancels an INVITE of an earlier process; `settled` once nothing more can come of it. */
  abandon(invite: SipInviteState, settled: () => void): void {
    // A CANCEL goes out now; ringing that is heard after it is for that CANCEL to end.
    this.#late.remember(invite, { ringing: "ignored", settled });
    this.#options.send(cancelOf(invite)).catch((error: unknown) => {
      this.#options.log.warn("could not cancel an INVITE from before the restart", { error });
    });
  }

  /** Refuses an INVITE to an earlier process; `settled` once it is acknowledged, or nobody waits for that any more. */
  dismiss(incoming: SipIncomingState, status: number, settled: () => void): void {
    this.#dismissals.dismiss(incoming, status, settled);
  }

  /** Ends all transactions and dialogs here, without a word to the peer. */
  close(): void {
    for (const cancel of this.#timers) cancel();
    this.#late.close();
    this.#dismissals.close();
    this.#core.dispose();
  }

  #receiveResponse(response: SipResponse, isTrunks: boolean): void {
    const { statusCode, cseq } = response;
    const client = this.#core.userAgentClients.get(`${response.vias[0].branch}${cseq.method}`);
    if (cseq.method === "CANCEL" && client === undefined) this.#late.cancelAnswered(response);
    const incoming = new IncomingResponse(response, isTrunks);
    if (cseq.method === "INVITE") {
      const state = client?.transaction.state;
      const live = state !== undefined && state !== TransactionState.Completed && state !== TransactionState.Terminated;
      if (!live && this.#late.receive(response)) return;
      if (statusCode >= 200 && statusCode < 300 && incoming.toTag === "") {
        // The core would drop it and the call would hang. An ACK without the tag could reach nobody.
        if (client instanceof Client) client.unusable("2xx without a tag in To");
        return;
      }
      if (client !== undefined && statusCode > 100 && statusCode < 300) mendDialogHeaders(incoming, client.message);
      if (client instanceof Client && client.forksTooOften(incoming)) return;
    }
    this.#core.receiveIncomingResponseFromTransport(incoming);
  }

  #afterTransaction(then: () => void): () => void {
    const { clock, transactionMs } = this.#options;
    const cancel = clock.at(clock.nowMs() + transactionMs, () => {
      this.#timers.delete(stop);
      then();
    });
    const stop = (): void => {
      this.#timers.delete(stop);
      cancel();
    };
    this.#timers.add(stop);
    return stop;
  }

  #sessionOf(sipjsSession: SipjsSession): Session {
    const known = this.#sessions.get(sipjsSession);
    if (known !== undefined) return known;
    const session = new Session(sipjsSession, this.#options.contacts);
    this.#sessions.set(sipjsSession, session);
    return session;
  }

  #inviteState(request: OutgoingRequest): SipInviteState {
    const tag = `;tag=${request.fromTag}`;
    return {
      trunk: this.#options.trunk,
      sipCallId: sipCallId(request.callId),
      localTag: request.fromTag,
      from: (request.getHeader("from") ?? "").replace(tag, ""),
      to: request.getHeader("to") ?? "",
      via: request.getHeader("via") ?? "",
      branch: request.branch ?? "",
      requestUri: request.ruri.toRaw(),
      routes: [...(request.headers["Route"] ?? [])],
      cseq: request.cseq,
      localAddress: this.#options.localAddress,
    };
  }
}

/**
 * Gateways leave Contact out of 1xx and 2xx, and the tag out of 1xx. The core drops such responses without a
 * word and the call would hang; the Request-URI is where their requests went before.
 */
function mendDialogHeaders(response: IncomingResponse, request: OutgoingRequestMessage): void {
  if (response.toTag === "" && (response.statusCode ?? 0) < 200) response.toTag = "none";
  if (response.hasHeader("Contact")) return;
  const contact = response.from.clone();
  contact.uri = request.ruri;
  response.headers["Contact"] = [{ raw: request.ruri.toRaw(), parsed: contact }];
}
