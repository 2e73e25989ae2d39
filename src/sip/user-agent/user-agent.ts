// The user agent of one trunk (RFC 3261 s8, s12 to s17): messages in and out, calls and dialogs above. Which parts it
// is made of is said in docs/decisions/012.
import type { SipIncomingState, SipInviteState } from "../../core/call/model/dialog-state.ts";
import { sipCallId, type TrunkName } from "../../core/ids.ts";
import type { Clock } from "../../ports/clock.ts";
import { formatUri, type Uri } from "../../core/address/uri.ts";
import { contactFor } from "../headers/contact.ts";
import type { Target } from "../transport/sockets/target.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { OutgoingBody, OutgoingRequest } from "../wire/outgoing-message.ts";
import { clientTransactionKey } from "../wire/transaction-key.ts";
import type { DialogFields } from "./dialog.ts";
import { Dismissals } from "./dismissals.ts";
import { Incoming, type IncomingOptions } from "./incoming.ts";
import { Invitation, type InviteEvent } from "./invitation.ts";
import { cancelOf, LateResponses } from "./late-responses.ts";
import type { FinalResponse } from "./peer-request.ts";
import { ALLOW_HEADER, Client, requestOf, sdpBody } from "./requests.ts";
import { scopedClock, type ScopedClock } from "../transport/scoped-clock.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { Session } from "./session.ts";
import { Stack, type StackOptions } from "./stack.ts";

export interface UserAgentOptions extends Omit<StackOptions, "clock">, Omit<IncomingOptions, "stack" | "dismissals"> {
  readonly trunk: TrunkName;
  readonly localAddress: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  /** Takes an INVITE back that has not left yet, by its branch; false: it has left. */
  readonly recall: (branch: string) => boolean;
  /** The INVITE of that branch is not sent again. */
  readonly stopAsking: (branch: string) => void;
}

/** What a request outside of dialogs is made of besides what the trunk gives. */
export interface OutOfDialogParts {
  readonly method: string;
  readonly uri: Uri;
  /** The Request-URI where undefined. */
  readonly to?: Uri;
  /** From value with its display name, without the tag. */
  readonly from: string;
  /** A new one unless the request is one of a row. */
  readonly fromTag?: string;
  readonly sipCallId: string;
  /** 1 unless the request is one of a row. */
  readonly cseq?: number;
  readonly headers?: readonly (HeaderLine | string)[];
  /** Route values, first hop first. */
  readonly routes?: readonly string[];
  readonly body?: OutgoingBody;
}

export interface InviteParts extends Omit<OutOfDialogParts, "method" | "body"> {
  /** The URI of From alone. */
  readonly fromUri: string;
  readonly sdp: string;
}

export class UserAgent {
  readonly #options: UserAgentOptions;
  readonly #clock: ScopedClock;
  readonly #stack: Stack<ServerTransaction, Session>;
  readonly #late: LateResponses;
  readonly #dismissals: Dismissals;
  readonly #incoming: Incoming;

  constructor(options: UserAgentOptions) {
    this.#options = options;
    const clock = scopedClock(options.clock);
    this.#clock = clock;
    this.#stack = new Stack({ ...options, clock });
    const { send } = options;
    const keepMs = this.#stack.transactionMs;
    this.#dismissals = new Dismissals({ clock, keepMs, send });
    this.#incoming = new Incoming({ ...options, stack: this.#stack, dismissals: this.#dismissals });
    this.#late = new LateResponses({
      clock,
      keepMs,
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

  invite(target: Target, parts: InviteParts, tell: (event: InviteEvent) => void): Invitation {
    const { recall, stopAsking } = this.#options;
    const { sdp, fromUri, ...rest } = parts;
    const { request, remoteUri } = this.#request({ ...rest, method: "INVITE", body: sdpBody(sdp) });
    return new Invitation({
      stack: this.#stack,
      request,
      uris: { localUri: fromUri, remoteUri },
      target,
      tell,
      stateOf: (sent) => this.#inviteState(sent),
      over: (invite, refused) => this.#late.remember(invite, { ringing: refused ? "ignored" : "cancelled" }),
      recall,
      stopAsking,
    });
  }

  /** OPTIONS, REGISTER or another request that makes no dialog; `done` is called once. */
  ask(target: Target, parts: OutOfDialogParts, done: (response: FinalResponse, cseq: number) => void): void {
    const { request } = this.#request(parts);
    // Credentials raise the CSeq.
    const client: Client = new Client(this.#stack, {
      request,
      target,
      response: (response) => {
        if (response.statusCode >= 200) done(response, client.request.cseq);
      },
      failed: (fault, message) => {
        done({ kind: "none", fault, message: fault === "timeout" ? "no answer" : message }, client.request.cseq);
      },
    });
  }

  /** A confirmed dialog of an earlier process. */
  restore(dialog: DialogFields): Session {
    return new Session(this.#stack, dialog, { phase: "confirmed" }, "agreed");
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
    this.#late.close();
    this.#dismissals.close();
    this.#clock.close();
  }

  #receiveResponse(response: SipResponse, isTrunks: boolean): void {
    const { cseq, vias } = response;
    const client = this.#stack.clients.get(clientTransactionKey(response));
    if (cseq.method === "CANCEL" && client === undefined) this.#late.cancelAnswered(response);
    if (cseq.method === "INVITE" && client === undefined && this.#late.receive(response)) return;
    // RFC 3261 s8.1.3.3: it is not for us.
    if (vias.length === 1) client?.receive(response, isTrunks);
  }

  #request(parts: OutOfDialogParts): { readonly request: OutgoingRequest; readonly remoteUri: string } {
    const { method, from, sipCallId: callId, routes = [], headers = [], body } = parts;
    const { fromTag = this.#stack.newTag(), cseq = 1 } = parts;
    const uri = formatUri(parts.uri);
    const remoteUri = parts.to === undefined || parts.to === parts.uri ? uri : formatUri(parts.to);
    // RFC 3428 s4: no Contact in a MESSAGE.
    const contact = method === "MESSAGE" ? [] : [contactFor(this.#options.contacts, uri, routes[0])];
    const request = requestOf(this.#stack, {
      method,
      uri,
      from,
      to: `<${remoteUri}>`,
      fromTag,
      callId,
      cseq,
      routes,
      headers: [...contact, ALLOW_HEADER, ...headers],
      body,
    });
    return { request, remoteUri };
  }

  #inviteState({ fromTag, callId, from, to, via, branch, uri, routes, cseq }: OutgoingRequest): SipInviteState {
    return {
      trunk: this.#options.trunk,
      sipCallId: sipCallId(callId),
      localTag: fromTag,
      from: from.replace(`;tag=${fromTag}`, ""),
      to,
      via,
      branch,
      requestUri: uri,
      routes: [...routes],
      cseq,
      localAddress: this.#options.localAddress,
    };
  }
}
