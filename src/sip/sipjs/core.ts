// sip.js's user agent core, corrected. Importing this file corrects the classes that the core makes by itself;
// each correction says what is wrong with the original. test/sip/sipjs/internals.test.ts notices when they move.
import { randomBytes } from "node:crypto";
import {
  ClientTransaction,
  Dialog,
  InviteClientTransaction,
  NonInviteServerTransaction,
  SessionDialog,
  Timers,
  UserAgentClient,
  UserAgentCore,
  UserAgentServer,
  type IncomingRequestMessage,
  type IncomingResponseMessage,
  type OutgoingRequestMessage,
  type OutgoingResponse,
  type SessionDelegate,
  type UserAgentCoreConfiguration,
} from "sip.js/lib/core/index.js";
import { AllowedMethods } from "sip.js/lib/core/user-agent-core/allowed-methods.js";
import { transactionMs, type SipTimers } from "../transport/retransmit.ts";
import { MAGIC_COOKIE } from "../wire/fields/via.ts";
import type { Authorization } from "../wire/digest/digest.ts";
import { textHeader, valueOf, type HeaderLine } from "../wire/header-builder.ts";
import { header, type SipResponse } from "../wire/message.ts";
import { IncomingRequest, IncomingResponse, wireOf } from "./messages.ts";
import { ALLOWED_METHODS, OutgoingRequest } from "./requests.ts";

/** What a session's delegate is asked besides what sip.js knows. */
export interface Delegate extends SessionDelegate {
  onUpdate(server: UserAgentServer): void;
}

/** Answers the challenges of one request; undefined when that cannot help. */
export interface DigestClientSession {
  answer(response: SipResponse, request: { method: string; uri: string }): readonly Authorization[] | undefined;
}

/** RFC 3261 s8.1.1.7: unguessable, so that nobody off the path can answer for the peer. */
export function newBranch(): string {
  return `${MAGIC_COOKIE}${randomBytes(12).toString("hex")}`;
}

/** The core keeps its timers in one place for the whole process. */
export function setTimers(timers: SipTimers): void {
  const lifeMs = transactionMs(timers);
  Object.assign(Timers, { T1: timers.t1Ms, T2: timers.t2Ms });
  for (const name of ["TIMER_B", "TIMER_F", "TIMER_H", "TIMER_L", "TIMER_M", "TIMER_N"] as const) {
    Timers[name] = lifeMs;
  }
}

export class Core extends UserAgentCore {
  readonly #newDigestSession: () => DigestClientSession | undefined;
  /** Of out-of-dialog requests now being served: by From tag, Call-ID and CSeq, the transaction. */
  readonly #serving = new Map<string, string>();
  readonly #userAgent: string;

  constructor(
    configuration: UserAgentCoreConfiguration,
    userAgent: string,
    newDigestSession: () => DigestClientSession | undefined,
  ) {
    super(configuration);
    this.#userAgent = userAgent;
    this.#newDigestSession = newDigestSession;
    this.userAgentServers = new UnscannedMap();
    // An empty list would become an empty Supported header in every response.
    Reflect.deleteProperty(this.configuration, "supportedOptionTagsResponse");
  }

  /** The core puts one and the same Contact into all responses that make a dialog; those that `respond` makes get this one. */
  withContact<T>(contact: HeaderLine, respond: () => T): T {
    const usual = this.configuration.contact;
    this.configuration.contact = { ...usual, toString: () => valueOf(contact) };
    try {
      return respond();
    } finally {
      this.configuration.contact = usual;
    }
  }

  newDigestSession(): DigestClientSession | undefined {
    return this.#newDigestSession();
  }

  override makeOutgoingRequestMessage(
    ...[method, ruri, from, to, options, extraHeaders, body]: Parameters<UserAgentCore["makeOutgoingRequestMessage"]>
  ): OutgoingRequest {
    const { viaHost, viaForceRport } = this.configuration;
    const all = { viaHost, forceRport: viaForceRport, ...options };
    return new OutgoingRequest(this.#userAgent, method, ruri, from, to, all, extraHeaders, body);
  }

  /**
   * RFC 3261 s8.2.2.2: the same request over two paths. The core looks through all server transactions for it,
   * which costs most of its time under load; this is the index. True: it is the second copy.
   */
  isMerged(request: IncomingRequestMessage): boolean {
    if (request.toTag !== "" || request.method === "ACK" || request.method === "CANCEL") return false;
    const key = `${request.fromTag}\n${request.callId}\n${request.cseq}\n${request.method}`;
    const other = this.#serving.get(key);
    if (other !== undefined && other !== request.viaBranch && this.userAgentServers.has(other)) return true;
    // Entries of transactions that are over go when they are met, or all of them when there are many.
    if (this.#serving.size > 2 * this.userAgentServers.size + 1_000) {
      for (const [old, id] of this.#serving) if (!this.userAgentServers.has(id)) this.#serving.delete(old);
    }
    this.#serving.set(key, request.viaBranch);
    return false;
  }
}

/** The core walks `values()` for merged requests only; `Core.isMerged` has done that already. */
class UnscannedMap extends Map<string, UserAgentServer> {
  override values(): MapIterator<UserAgentServer> {
    return new Map<string, UserAgentServer>().values();
  }
}

// The original draws branches from 10^7 numbers: of 30,000 calls some fifty get another's answers.
ClientTransaction["makeId"] = (request: OutgoingRequestMessage): string => {
  return request.method === "CANCEL" && request.branch !== undefined ? request.branch : newBranch();
};

/** The private side of the INVITE client transaction, as far as it is corrected. */
interface InviteInternals {
  request: OutgoingRequestMessage;
  transport: { readonly protocol: string };
  ackRetransmissionCache: Map<string, OutgoingRequestMessage | undefined>;
  send(message: string): Promise<void>;
  logTransportError(error: Error, message: string): void;
}

const inviteTransaction = InviteClientTransaction.prototype as unknown as {
  ackResponse(this: InviteInternals, ack: OutgoingRequestMessage): void;
  ack(this: InviteInternals, response: IncomingResponseMessage): void;
};

// Same branches here.
inviteTransaction.ackResponse = function (ack) {
  if (ack.toTag === undefined) throw new Error("ACK without a To tag");
  ack.setViaHeader(newBranch(), this.transport.protocol);
  this.ackRetransmissionCache.set(ack.toTag, ack);
  this.send(ack.toString()).catch((error: Error) => this.logTransportError(error, "ACK to 2xx not sent"));
};

// RFC 3261 s17.1.1.3: all Route values of the INVITE; the original copies the first.
inviteTransaction.ack = function (response) {
  const { ruri, callId, cseq, headers } = this.request;
  const lines = [`ACK ${ruri.toRaw()} SIP/2.0`];
  for (const name of ["Via", "Route", "From"]) {
    for (const value of headers[name] ?? []) lines.push(`${name}: ${value}`);
  }
  lines.push(`To: ${response.getHeader("to") ?? ""}`, `Call-ID: ${callId}`, `CSeq: ${cseq} ACK`);
  lines.push("Max-Forwards: 70", "Content-Length: 0", "", "");
  this.send(lines.join("\r\n")).catch((error: Error) => this.logTransportError(error, "ACK to non-2xx not sent"));
};

interface ClientInternals {
  core: UserAgentCore;
  message: OutgoingRequestMessage;
  digestSession?: DigestClientSession | undefined;
  /** Set by whoever gives the request up: a challenge ends it then. */
  abandoned?: boolean;
  /** Told when the request has been sent again with credentials. */
  sentAgain?(): void;
  init(): void;
}

const client = UserAgentClient.prototype as unknown as {
  authenticationGuard(this: ClientInternals, response: IncomingResponseMessage, dialog?: Dialog): boolean;
};

// The original knows MD5 alone, reads one challenge of several, and lets a dialog's CSeq fall behind.
// True: the response is for the user. False: the request has been sent again.
client.authenticationGuard = function (response, knownDialog) {
  const wire = wireOf(response);
  if (wire === undefined || (wire.statusCode !== 401 && wire.statusCode !== 407)) return true;
  const { core, message } = this;
  const { method, ruri } = message;
  // Whoever a Contact led to is not to have a digest of the trunk's password.
  if (!(response instanceof IncomingResponse) || !response.isTrunks) return true;
  // RFC 3261 s22.1: a CANCEL cannot be sent again, its CSeq is that of the INVITE.
  if (!(core instanceof Core) || this.abandoned === true || method === "CANCEL") return true;
  this.digestSession ??= core.newDigestSession();
  const answers = this.digestSession?.answer(wire, { method, uri: ruri.toRaw() });
  if (answers === undefined) return true;
  for (const name of ["Authorization", "Proxy-Authorization"] as const) {
    const values = answers.filter((answer) => answer.name === name).map((answer) => answer.value);
    if (values.length > 0) message.setHeader(name, values);
  }
  const dialog = knownDialog ?? core.dialogs.get(`${message.callId}${message.fromTag}${message.toTag ?? ""}`);
  if (dialog?.localSequenceNumber !== undefined) {
    dialog.incrementLocalSequenceNumber();
    message.cseq = dialog.localSequenceNumber;
  } else message.cseq += 1;
  message.setHeader("cseq", `${message.cseq} ${method}`);
  this.init();
  this.sentAgain?.();
  return false;
};

const server = UserAgentServer.prototype as unknown as {
  readonly message: IncomingRequestMessage;
  reply(options: { statusCode: number; extraHeaders: string[] }): OutgoingResponse;
  trying(): OutgoingResponse;
};

// RFC 3261 s8.2.6.1: a Timestamp goes back with the 100.
server.trying = function () {
  const { message } = this;
  const sent = message instanceof IncomingRequest ? header(message.wire, "Timestamp") : undefined;
  return this.reply({ statusCode: 100, extraHeaders: sent === undefined ? [] : [textHeader("Timestamp", sent)] });
};

AllowedMethods.splice(0, AllowedMethods.length, ...ALLOWED_METHODS);

interface SessionInternals {
  core: UserAgentCore;
  delegate: Delegate | undefined;
  dialogState: { remoteTarget: unknown };
  sequenceGuard(message: IncomingRequestMessage): boolean;
}

const receiveRequest: (this: SessionDialog, message: IncomingRequestMessage) => void = Reflect.get(
  SessionDialog.prototype,
  "receiveRequest",
);

// UPDATE (RFC 3311), which the original answers 501.
SessionDialog.prototype.receiveRequest = function (this: SessionDialog, message: IncomingRequestMessage): void {
  if (message.method !== "UPDATE") {
    receiveRequest.call(this, message);
    return;
  }
  const internals = this as unknown as SessionInternals;
  if (!internals.sequenceGuard(message)) return;
  Dialog.prototype.receiveRequest.call(this, message);
  const contact: unknown = message.parseHeader("contact");
  if (typeof contact === "object" && contact !== null && "uri" in contact) {
    internals.dialogState.remoteTarget = contact.uri;
  }
  const server = new UserAgentServer(NonInviteServerTransaction, internals.core, message);
  if (internals.delegate === undefined) server.reject({ statusCode: 488 });
  else internals.delegate.onUpdate(server);
};
