// One INVITE of ours and all that may answer it: provisionals, refusals, challenges, several 2xx, and the CANCEL
// that races with them (RFC 3261 s9.1, s13). Which fact a call hears of it is decided in outbound-state.ts.
import type { SipInviteState } from "../../core/call/model/dialog-state.ts";
import type { Target } from "../transport/sockets/target.ts";
import { parseDigits } from "../wire/fields/grammar.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import { header, headerTokens, type SipResponse } from "../wire/message.ts";
import type { OutgoingRequest } from "../wire/outgoing-message.ts";
import { clientDialog, rawRecordRoutes, type DialogFields } from "./dialog.ts";
import { Client, userAgentLines } from "./requests.ts";
import type { ServerTransaction } from "./server-transaction.ts";
import { Session } from "./session.ts";
import type { Stack } from "./stack.ts";

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
  readonly stack: Stack<ServerTransaction, Session>;
  readonly request: OutgoingRequest;
  /** As the dialogs will have them. */
  readonly uris: Pick<DialogFields, "localUri" | "remoteUri">;
  readonly target: Target | undefined;
  readonly tell: (event: InviteEvent) => void;
  readonly stateOf: (request: OutgoingRequest) => SipInviteState;
  /** Late answers are to be looked after elsewhere from now on. `refused`: the peer has ended it. */
  readonly over: (invite: SipInviteState, refused: boolean) => void;
  /** As in UserAgentOptions. */
  readonly recall: (branch: string) => boolean;
  readonly stopAsking: (branch: string) => void;
}

/** More telephones than these do not ring for one call. */
const MAX_EARLY = 50;

/**
 * ```
 * open --cancel--> wanted --1xx--> sent --64*T1--> over
 *   '--300 to 699, failure, giving up--------------> over
 * ```
 */
type Cancelling =
  | { readonly phase: "open" }
  | { readonly phase: "wanted"; readonly reason: HeaderLine | undefined }
  | { readonly phase: "sent"; readonly stopWaiting: () => void }
  | { readonly phase: "over" };

export class Invitation {
  readonly #options: InvitationOptions;
  readonly #client: Client;
  /** By To tag. */
  readonly #early = new Map<string, Session>();
  #state: Cancelling = { phase: "open" };

  constructor(options: InvitationOptions) {
    this.#options = options;
    const { stack, request, target, tell, stateOf } = options;
    const sent = (): void => tell({ kind: "sent", invite: stateOf(this.request) });
    this.#client = new Client(stack, {
      request,
      target,
      sentAgain: sent,
      response: (response) => this.#response(response),
      failed: (fault, message) => {
        if (this.#state.phase === "over") return;
        this.#finish(false);
        tell({ kind: "failed", fault, message: fault === "timeout" ? "no response to INVITE" : message });
      },
      terminated: () => this.#endEarly(),
    });
    // Whoever stores it is never behind the wire: a message leaves in a later turn.
    sent();
  }

  /** As last sent. */
  get request(): OutgoingRequest {
    return this.#client.request;
  }

  /** Gives the call up: CANCEL as soon as a provisional response allows it (RFC 3261 s9.1). */
  cancel(reason: HeaderLine | undefined): void {
    if (this.#state.phase !== "open") return;
    this.#state = { phase: "wanted", reason };
    this.#client.abandon();
    const { phase } = this.#client.transaction;
    if (phase === "proceeding") this.#sendCancel();
    // A connection that is still being opened: what has not left needs no CANCEL.
    else if (phase === "calling" && this.#options.recall(this.request.branch)) {
      this.giveUp("timeout", "cancelled before it left");
    }
  }

  /** Ends it here, as `failed`: whatever is still answered is ended, too. */
  giveUp(fault: "timeout" | "transport" | "internal", message: string): void {
    if (this.#state.phase === "over") return;
    // It rings somewhere: whoever cannot be heard may still hear.
    if (this.#client.transaction.phase === "proceeding") this.#sendCancel();
    this.#options.stopAsking(this.request.branch);
    this.#finish(false);
    this.#client.transaction.end();
    this.#options.tell({ kind: "failed", fault, message });
  }

  #response(response: SipResponse): void {
    const { statusCode, toTag = "" } = response;
    if (statusCode <= 100) this.#provisional(response);
    else if (statusCode < 200) this.#progress(response);
    else if (statusCode >= 300) {
      this.#endEarly();
      if (this.#state.phase === "over") return;
      this.#finish(true);
      this.#options.tell({ kind: "refused", response });
    } else if (toTag === "") {
      // An ACK without the tag could reach nobody.
      this.giveUp("internal", "2xx without a tag in To");
    } else this.#accepted(response);
  }

  #provisional(response: SipResponse): void {
    if (this.#state.phase === "over") return;
    this.#options.tell({ kind: "provisional", response });
    if (this.#state.phase === "wanted") this.#sendCancel();
  }

  /** Its early dialog, from which requests may come (RFC 3261 s13.2.2.1). */
  #progress(response: SipResponse): void {
    const { stack, uris } = this.#options;
    const { toTag = "" } = response;
    const known = this.#early.get(toTag);
    if (known === undefined && this.#early.size >= MAX_EARLY) return;
    const session =
      known ??
      new Session(
        stack,
        clientDialog(this.request, uris, response),
        { phase: "early", ours: true, reliable: undefined },
        "offered",
      );
    this.#early.set(toTag, session);
    const sequence = reliableSequence(response);
    if (sequence !== undefined && !session.isNextReliable(sequence)) return;
    session.heardEarly(response);
    if (sequence !== undefined) session.prack(`${sequence} ${this.request.cseq} INVITE`);
    this.#provisional(response);
  }

  #accepted(response: SipResponse): void {
    const { stack, uris, tell } = this.#options;
    const { toTag = "" } = response;
    const session =
      this.#early.get(toTag) ??
      new Session(stack, clientDialog(this.request, uris, response), { phase: "confirmed" }, "offered");
    this.#early.delete(toTag);
    session.answered(response, rawRecordRoutes(response).toReversed());
    this.#client.transaction.acknowledge(session.ackOf(this.request));
    if (this.#state.phase === "sent") this.#state.stopWaiting();
    tell({ kind: "accepted", response, session });
  }

  #sendCancel(): void {
    const state = this.#state;
    if (state.phase === "sent" || state.phase === "over") return;
    const { stack } = this.#options;
    // RFC 3261 s9.1: without a final response by then the INVITE counts as cancelled.
    const stopWaiting = stack.after(stack.transactionMs, () => {
      this.giveUp("timeout", "no final response after CANCEL");
    });
    this.#state = { phase: "sent", stopWaiting };
    const reason = state.phase === "wanted" && state.reason !== undefined ? [state.reason] : [];
    const headers = [...reason, ...userAgentLines(stack)];
    // RFC 3261 s9.1: all of the INVITE's, the branch included.
    const request: OutgoingRequest = { ...this.request, method: "CANCEL", headers, body: undefined };
    void new Client(stack, { request, response: () => {}, failed: () => {} });
  }

  #finish(refused: boolean): void {
    if (this.#state.phase === "sent") this.#state.stopWaiting();
    this.#state = { phase: "over" };
    this.#options.over(this.#options.stateOf(this.request), refused);
  }

  #endEarly(): void {
    for (const session of this.#early.values()) session.endEarly();
    this.#early.clear();
  }
}

/** RSeq of a provisional response that wants PRACK (RFC 3262 s4, s7.1). */
function reliableSequence(response: SipResponse): number | undefined {
  if (!headerTokens(response, "Require").includes("100rel")) return undefined;
  return parseDigits(header(response, "RSeq") ?? "", 0xffff_ffff) || undefined;
}
