// Requests of the peer: repetitions go to their transaction, all else to its dialog, or, outside of dialogs, to whom
// the user agent names. Who may ask and what we understand is judged first (RFC 3261 s8.2).
import type { InboundSettings } from "../../ports/sip.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { header, headerValues, type SipRequest } from "../wire/message.ts";
import { bodyIsOptional, screenRequest, unreadableBody, type Refusal } from "../wire/screening.ts";
import { mediaTypesHeader, numberHeader } from "../wire/header-builder.ts";
import { cancelledTransactionKey, serverTransactionKey } from "../wire/transaction-key.ts";
import { contactFor } from "../headers/contact.ts";
import type { Dismissals } from "./dismissals.ts";
import { peerRequest, type PeerRequest } from "./peer-request.ts";
import { ALLOW_HEADER, ALLOWED_METHODS } from "./requests.ts";
import { ServerInvitation } from "./server-invitation.ts";
import { replyStateless, ServerTransaction } from "./server-transaction.ts";
import type { Session } from "./session.ts";
import { dialogKeyOf, subscriptionKey, type Stack } from "./stack.ts";

export interface IncomingOptions {
  readonly stack: Stack<ServerTransaction, Session>;
  readonly dismissals: Dismissals;
  readonly reliableProvisionals: InboundSettings["reliableProvisionals"];
  /** Asked first of whatever begins outside of dialogs: why it may not. */
  readonly admission: (request: SipRequest) => Refusal | undefined;
  /** A new INVITE, to which 100 has been sent. */
  readonly invited: (invitation: ServerInvitation) => void;
  /** MESSAGE, NOTIFY or REFER outside of dialogs. */
  readonly asked: (request: PeerRequest) => void;
}

const SCREENING = { methods: ALLOWED_METHODS, uriSchemes: ["sip", "sips", "tel"] };
const SDP_ONLY = ["application/sdp"];
/** New calls that are being refused at once: each waits for its ACK for 64*T1. */
const MAX_SERVED = 1_000;
/**
 * Which bodies these may have is judged where they are read. Of a BYE none is: whoever sends it has left however it is
 * answered (RFC 3261 s15.1.1), and one refused for the ISUP or the charges in it would leave us in the call alone.
 */
const OWN_BODIES: ReadonlySet<string> = new Set(["INFO", "REFER", "NOTIFY", "MESSAGE", "BYE"]);
const INSIDE_DIALOGS_ONLY: ReadonlySet<string> = new Set(["BYE", "INFO", "PRACK", "UPDATE"]);

export class Incoming {
  readonly #options: IncomingOptions;
  /** What Supported says of us. */
  readonly #supported: readonly string[];
  /** New INVITEs, by their transaction. */
  readonly #invitations = new Map<ServerTransaction, ServerInvitation>();
  /** Of requests outside of dialogs that are being served: by what both copies of one have in common, the transaction. */
  readonly #serving = new Map<string, string>();

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#supported = [...(options.reliableProvisionals === "off" ? [] : ["100rel"]), "replaces", "timer"];
  }

  /** A request from the trunk, its top Via stamped with the source. Never throws. */
  receive(request: SipRequest): void {
    const { stack } = this.#options;
    try {
      try {
        this.#receive(request);
      } catch (error) {
        if (request.method !== "ACK") replyStateless(stack, request, 500);
        throw error;
      }
    } catch (error) {
      stack.options.log.error("could not handle a SIP request", { method: request.method, error });
    }
  }

  #receive(request: SipRequest): void {
    const { stack, dismissals } = this.#options;
    if (request.method === "CANCEL") {
      this.#cancelled(request);
      return;
    }
    if (request.method === "ACK" && dismissals.acknowledged(request)) return;
    const server = stack.servers.get(serverTransactionKey(request));
    // Clients of RFC 2543, and careless ones since, give the ACK to a 2xx the branch of its INVITE (RFC 6026 s7.1).
    if (server !== undefined && !(request.method === "ACK" && server.phase === "accepted")) {
      server.receive(request);
      return;
    }
    if (request.method === "ACK") {
      stack.dialogs.get(dialogKeyOf(request))?.receive(request);
      return;
    }
    const refusal = this.#refusal(request);
    if (refusal === undefined) this.#take(request);
    else {
      const { statusCode, reasonPhrase: phrase, headers = [] } = refusal;
      replyStateless(stack, request, statusCode, { headers, phrase });
    }
  }

  #refusal(request: SipRequest): (Pick<Refusal, "statusCode"> & Partial<Refusal>) | undefined {
    const { stack, admission } = this.#options;
    const { method, contentType, fromTag, contacts } = request;
    const outside = !isInDialog(request);
    const mediaTypes = contentType && OWN_BODIES.has(method) ? [contentType.type] : SDP_ONLY;
    const capabilities = { ...SCREENING, mediaTypes, optionTags: this.#supported };
    const refusal = (outside ? admission(request) : undefined) ?? screenRequest(request, capabilities);
    if (refusal !== undefined) return refusal;
    if (outside && INSIDE_DIALOGS_ONLY.has(method)) return { statusCode: 481 };
    if (method === "INVITE" && hidesOffer(request)) return unreadableBody(SDP_ONLY);
    if (method === "INVITE" && (contacts === "*" || contacts.length === 0) && fromTag !== undefined) {
      return { statusCode: 400, reasonPhrase: "Missing Contact" };
    }
    // Of a text that comes twice both are told what became of it (messaging.ts).
    if (outside && method !== "MESSAGE" && this.#isMerged(request)) return { statusCode: 482 };
    if (method === "INVITE" && outside && stack.servers.size >= MAX_SERVED) {
      return { statusCode: 503, headers: [numberHeader("Retry-After", 30)] };
    }
    return undefined;
  }

  #take(request: SipRequest): void {
    const { stack, asked } = this.#options;
    const { method } = request;
    if (isInDialog(request)) this.#inDialog(request);
    else if (method === "INVITE") this.#invited(new ServerTransaction(stack, request));
    else if (method === "OPTIONS") this.#options200(request);
    else asked(peerRequest(new ServerTransaction(stack, request)));
  }

  #inDialog(request: SipRequest): void {
    const { stack } = this.#options;
    if (request.method === "NOTIFY") {
      const type = header(request, "Event")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
      if (type === "") {
        replyStateless(stack, request, 489);
        return;
      }
      const subscriber = stack.subscriptions.get(subscriptionKey(request.sipCallId, request.toTag ?? "", type));
      if (subscriber !== undefined) {
        subscriber.notified(new ServerTransaction(stack, request));
        return;
      }
    }
    const dialog = stack.dialogs.get(dialogKeyOf(request));
    if (dialog === undefined) replyStateless(stack, request, 481);
    else if (request.method === "OPTIONS") this.#options200(request);
    else dialog.receive(request);
  }

  /** RFC 3261 s11.2. */
  #options200(request: SipRequest): void {
    const accept = mediaTypesHeader("Accept", ["application/sdp", "application/dtmf-relay"]);
    replyStateless(this.#options.stack, request, 200, { headers: [ALLOW_HEADER, accept] });
  }

  #invited(server: ServerTransaction): void {
    const { stack, reliableProvisionals, invited } = this.#options;
    const { request } = server;
    const contact = request.contacts === "*" ? undefined : header(request, "Contact");
    const back = headerValues(request, "Record-Route")[0] ?? contact;
    const invitation = new ServerInvitation({
      stack,
      server,
      contact: contactFor(stack.options.contacts, request.uriText, back),
      supported: this.#supported,
      reliableProvisionals,
    });
    this.#invitations.set(server, invitation);
    server.onEnd(() => this.#invitations.delete(server));
    try {
      invited(invitation);
    } catch (error) {
      stack.options.log.error("could not take an INVITE", { error });
      invitation.refuse(500);
    }
  }

  /** RFC 3261 s9.2. */
  #cancelled(cancel: SipRequest): void {
    const { stack } = this.#options;
    const server = stack.servers.get(cancelledTransactionKey(cancel));
    if (server === undefined) {
      replyStateless(stack, cancel, 481);
      return;
    }
    replyStateless(stack, cancel, 200, {}, server.toTag);
    const invitation = this.#invitations.get(server);
    if (invitation === undefined) stack.dialogs.get(dialogKeyOf(cancel))?.cancelled(server);
    else invitation.cancelled(cancel);
  }

  /** RFC 3261 s8.2.2.2: the same request over two paths. True: it is the second copy. */
  #isMerged(request: SipRequest): boolean {
    const { servers } = this.#options.stack;
    const { fromTag = "", sipCallId, cseq, method } = request;
    const key = `${fromTag}\n${sipCallId}\n${cseq.number}\n${method}`;
    const transaction = serverTransactionKey(request);
    const other = this.#serving.get(key);
    if (other !== undefined && other !== transaction && servers.has(other)) return true;
    // Entries of transactions that are over go when they are met, or all of them when there are many.
    if (this.#serving.size > 2 * servers.size + 1_000) {
      for (const [old, id] of this.#serving) if (!servers.has(id)) this.#serving.delete(old);
    }
    this.#serving.set(key, transaction);
    return false;
  }
}

function isInDialog({ toTag = "" }: SipRequest): boolean {
  return toTag !== "";
}

/** Several parts, or something without a type, and no description among it that we could answer. */
function hidesOffer(request: SipRequest): boolean {
  return request.body.trim() !== "" && sdpOf(request) === undefined && !bodyIsOptional(request);
}
