// Requests of the peer on their way to sip.js's core: who may, what we understand, what the core gets wrong. Behind
// it a new INVITE becomes a ServerInvitation; all else goes to its dialog, or to whom the user agent names.
import {
  InviteUserAgentServer,
  SessionDialog,
  TransactionState,
  type Session as SipjsSession,
} from "sip.js/lib/core/index.js";
import type { Clock } from "../../ports/clock.ts";
import type { InboundSettings } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import type { SipRequest } from "../wire/message.ts";
import { bodyIsOptional, screenRequest, unreadableBody, type Refusal } from "../wire/screening.ts";
import { formatUri } from "../wire/fields/uri.ts";
import { contactFor, type Contacts } from "../headers/contact.ts";
import type { Core } from "./core.ts";
import type { Dismissals } from "./dismissals.ts";
import { IncomingRequest } from "./messages.ts";
import { requestOf } from "./peer-request.ts";
import { ALLOWED_METHODS } from "./requests.ts";
import { ServerInvitation } from "./server-invitation.ts";
import type { Session } from "./session.ts";

export interface IncomingOptions {
  readonly core: Core;
  readonly dismissals: Dismissals;
  readonly contacts: Contacts;
  /** The same wrapper for the same dialog of sip.js. */
  readonly sessionOf: (session: SipjsSession) => Session;
  /** The rest as in UserAgentOptions. */
  readonly transactionMs: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly reliableProvisionals: InboundSettings["reliableProvisionals"];
  readonly admission: (request: SipRequest) => Refusal | undefined;
  readonly invited: (invitation: ServerInvitation) => void;
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

  constructor(options: IncomingOptions) {
    this.#options = options;
    this.#supported = [...(options.reliableProvisionals === "off" ? [] : ["100rel"]), "replaces", "timer"];
  }

  /** A request from the trunk, its top Via stamped with the source. Never throws. */
  receive(request: SipRequest): void {
    try {
      const incoming = new IncomingRequest(request);
      try {
        this.#receive(request, incoming);
      } catch (error) {
        if (request.method !== "ACK") this.#options.core.replyStateless(incoming, { statusCode: 500 });
        throw error;
      }
    } catch (error) {
      this.#options.log.error("could not handle a SIP request", { method: request.method, error });
    }
  }

  /** The core's word for a new INVITE. */
  invited(server: unknown): void {
    if (!(server instanceof InviteUserAgentServer)) return;
    const { core, contacts, sessionOf, clock, transactionMs, reliableProvisionals, invited, log } = this.#options;
    const { message } = server;
    const back = message.getHeader("Record-Route") ?? message.getHeader("Contact");
    const invitation = new ServerInvitation({
      core,
      server,
      request: requestOf(message),
      contact: contactFor(contacts, message.ruri?.toString(), back),
      localTag: clock.newId(),
      supported: this.#supported,
      reliableProvisionals,
      sessionOf,
      clock,
      transactionMs,
    });
    try {
      invited(invitation);
    } catch (error) {
      log.error("could not take an INVITE", { error });
      invitation.refuse(500);
    }
  }

  #receive(request: SipRequest, incoming: IncomingRequest): void {
    const { core } = this.#options;
    const reply = (statusCode: number, reasonPhrase?: string, extraHeaders: readonly string[] = []): void => {
      const phrase = reasonPhrase === undefined ? {} : { reasonPhrase };
      core.replyStateless(incoming, { statusCode, extraHeaders: [...extraHeaders], ...phrase });
    };
    const { method } = request;
    if (method === "ACK" && this.#acknowledged(request, incoming)) return undefined;
    if (method === "CANCEL") return this.#cancelled(incoming);
    if (method !== "ACK" && !core.userAgentServers.has(incoming.viaBranch)) {
      const { contentType } = request;
      const mediaTypes = contentType && OWN_BODIES.has(method) ? [contentType.type] : SDP_ONLY;
      const capabilities = { ...SCREENING, mediaTypes, optionTags: this.#supported };
      const barred = incoming.toTag === "" ? this.#options.admission(request) : undefined;
      const refusal = barred ?? screenRequest(request, capabilities);
      if (refusal !== undefined) return reply(refusal.statusCode, refusal.reasonPhrase, refusal.headers);
      if (incoming.toTag === "" && INSIDE_DIALOGS_ONLY.has(method)) return reply(481);
      if (method === "INVITE" && hidesOffer(request)) {
        const { statusCode, reasonPhrase, headers } = unreadableBody(SDP_ONLY);
        return reply(statusCode, reasonPhrase, headers);
      }
      if (method === "INVITE" && !incoming.hasHeader("Contact")) {
        // RFC 2543 s6.13: clients of its time, which have no From tag, are reached at the URI of From.
        if (request.fromTag !== undefined) return reply(400, "Missing Contact");
        incoming.headers["Contact"] = [{ raw: formatUri(request.from.uri), parsed: incoming.from }];
      }
      // Of a text that comes twice both are told what became of it (messaging.ts).
      if (method !== "MESSAGE" && core.isMerged(incoming)) return reply(482);
      if (method === "INVITE" && incoming.toTag === "" && core.userAgentServers.size >= MAX_SERVED) {
        return reply(503, undefined, ["Retry-After: 30"]);
      }
    }
    // The core answers 404 unless the Request-URI's user is ours: a trunk may call us by any name or number.
    if (incoming.ruri !== undefined) core.configuration.aor = incoming.ruri;
    core.receiveIncomingRequestFromTransport(incoming);
    return undefined;
  }

  /** True: nobody else waits for that ACK. */
  #acknowledged(request: SipRequest, ack: IncomingRequest): boolean {
    if (this.#options.dismissals.acknowledged(request)) return true;
    // Clients of RFC 2543, and careless ones since, give the ACK to a 2xx the branch of its INVITE; the core then
    // takes it for one to a refusal, and the call would end after 64*T1.
    const { transaction } = this.#options.core.userAgentServers.get(ack.viaBranch) ?? {};
    if (transaction?.state === TransactionState.Accepted) ack.viaBranch += " ACK";
    return false;
  }

  /** In place of the core, which answers without the INVITE's tag (RFC 3261 s9.2) and ends no re-INVITE. */
  #cancelled(cancel: IncomingRequest): void {
    const { core, sessionOf } = this.#options;
    const server = core.userAgentServers.get(cancel.viaBranch);
    if (server === undefined) {
      core.replyStateless(cancel, { statusCode: 481 });
      return;
    }
    const toTag: unknown = Reflect.get(server, "toTag");
    core.replyStateless(cancel, { statusCode: 200, ...(typeof toTag === "string" ? { toTag } : {}) });
    const dialog = core.dialogs.get(`${cancel.callId}${cancel.toTag}${cancel.fromTag}`);
    if (dialog instanceof SessionDialog) sessionOf(dialog).cancelled(server);
    else if (server instanceof InviteUserAgentServer && server.transaction.state === TransactionState.Proceeding) {
      server.receiveCancel(cancel);
    }
  }
}

/** Several parts, or something without a type, and no description among it that we could answer. */
function hidesOffer(request: SipRequest): boolean {
  return request.body.trim() !== "" && sdpOf(request) === undefined && !bodyIsOptional(request);
}
