// The gateway's SIP core (RFC 3261 s8.2, s12, s17): messages to transactions, requests to calls, and the refusals
// that are nobody's call. Not the bridge's stack on purpose: two independent readings of the RFC meet in the tests.
import { randomBytes } from "node:crypto";
import { header, headerTokens, type SipRequest, type SipResponse } from "../../../src/sip/wire/message.ts";
import { parseSip, type ParseResult } from "../../../src/sip/wire/parser.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import { responseTarget, withSource, type Via } from "../../../src/sip/wire/fields/via.ts";
import type { DigestGate } from "./digest.ts";
import { ALLOW, responseText, type Echoed } from "../wire/message-text.ts";
import type { GatewayLog } from "../observation.ts";
import type { Registrar } from "../registrar.ts";
import { Requests } from "./requests.ts";
import { ServerTransaction, type TransactionTimers } from "./server-transaction.ts";
import type { Flow, SipSockets, SipTransport } from "../wire/sockets.ts";
import { Switchboard, type SwitchboardOptions } from "../switchboard.ts";

const METHODS = new Set(ALLOW.split(", "));
/** Those that ask who is there. */
const GATED = new Set(["INVITE", "MESSAGE", "REGISTER"]);
/** The bodies that can be read, by method; SDP in all others. */
const BODIES: Readonly<Record<string, readonly string[]>> = {
  INFO: ["application/dtmf-relay", "application/dtmf"],
  NOTIFY: ["message/sipfrag"],
  MESSAGE: ["text/plain"],
};
/** Of no use outside of a dialog here. */
const DIALOGS_ONLY = new Set(["BYE", "UPDATE", "INFO", "REFER", "NOTIFY"]);
const EXTENSIONS = new Set(["replaces"]);

export interface UserAgentOptions extends Omit<SwitchboardOptions, "host"> {
  readonly gate: DigestGate | undefined;
  readonly registrar: Registrar;
  readonly timers: TransactionTimers;
  readonly log: GatewayLog;
  readonly changed: () => void;
}

const newTag = (): string => randomBytes(8).toString("hex");

export class UserAgent {
  readonly switchboard: Switchboard;
  readonly #options: UserAgentOptions;
  readonly #sockets: SipSockets;
  readonly #requests: Requests;
  readonly #serverTransactions = new Map<string, ServerTransaction>();
  /** Requests outside of a dialog that are being answered, to find those that came by two ways (s8.2.2.2). */
  readonly #unmerged = new Set<string>();

  constructor(options: UserAgentOptions, sockets: SipSockets) {
    this.#options = options;
    this.#sockets = sockets;
    const sentBy = (transport: SipTransport): string => this.#sentBy(transport);
    this.#requests = new Requests({
      timers: options.timers,
      sentBy,
      sent: (text, flow, again) => this.#send(text, flow, again),
    });
    this.switchboard = new Switchboard(
      { ...options, host: sockets.host },
      {
        sentBy,
        flowTo: (transport, host, port) => sockets.flowTo(transport, host, port),
        self: sockets.flowTo("UDP", sockets.host, sockets.udpPort),
        send: (order) => this.#requests.send(order),
      },
    );
  }

  arrived(bytes: Buffer, flow: Flow): void {
    const result = parseSip(bytes);
    if (result.outcome === "message") {
      const { message } = result;
      if (message.kind === "response") this.#receiveResponse(message, flow);
      else this.#receiveRequest(message, flow);
    } else if (result.outcome === "invalid") this.#refuseBroken(result, flow);
    else if (result.outcome === "unrepresentable") {
      this.#options.log({ kind: "fault", what: `dropped: ${result.problem}`, error: undefined });
    }
  }

  /** Forgets every transaction, and with it every timer. */
  end(): void {
    for (const transaction of this.#serverTransactions.values()) transaction.end();
    this.#requests.end();
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    this.#logIn(response, `${response.statusCode} ${response.reasonPhrase}`, flow, false);
    this.#requests.receive(response);
    this.#options.changed();
  }

  #receiveRequest(request: SipRequest, from: Flow): void {
    const via = withSource(request.vias[0], from.address, from.port);
    const key = transactionKey(request, via);
    const known = this.#serverTransactions.get(`${key}|${request.method}`);
    this.#logIn(request, `${request.method} ${request.uriText}`, from, known !== undefined);
    if (request.method === "ACK") {
      const refused = this.#serverTransactions.get(`${key}|INVITE`);
      if (refused !== undefined) refused.acknowledged();
      else this.switchboard.dialogOf(request)?.acknowledge(request);
      return;
    }
    if (known !== undefined) {
      known.repeated();
      return;
    }
    const transaction = this.#openTransaction(request, via, `${key}|${request.method}`, from);
    if (request.method === "CANCEL") {
      const invite = this.#serverTransactions.get(`${key}|INVITE`);
      if (invite === undefined) transaction.respond(481, "Call/Transaction Does Not Exist");
      else {
        transaction.respond(200, "OK");
        invite.cancelled();
      }
    } else if (request.toTag !== undefined) this.#receiveInDialog(request, transaction);
    else this.#receiveOutside(request, transaction);
  }

  #receiveInDialog(request: SipRequest, transaction: ServerTransaction): void {
    const call = this.switchboard.dialogOf(request);
    // A transfer is still told of when the call that asked for it is over (RFC 3515 s2.4.4).
    const isOver = call?.state === "ended" && request.method !== "NOTIFY";
    if (call === undefined || isOver) transaction.respond(481, "Call/Transaction Does Not Exist");
    else if (!METHODS.has(request.method)) transaction.respond(405, "Method Not Allowed", [["Allow", ALLOW]]);
    else if (call.dialog?.inOrder(request) !== true) transaction.respond(500, "Server Internal Error");
    else if (!this.#acceptable(request, transaction)) return;
    else if (request.method === "MESSAGE") this.switchboard.receiveMessage(request, transaction);
    else call.receive(request, transaction);
  }

  #receiveOutside(request: SipRequest, transaction: ServerTransaction): void {
    const merged = [request.fromTag, request.sipCallId, request.cseq.number, request.method].join("\n");
    if (this.#unmerged.has(merged)) {
      transaction.respond(482, "Loop Detected");
      return;
    }
    this.#unmerged.add(merged);
    transaction.ended = () => this.#unmerged.delete(merged);
    if (!METHODS.has(request.method)) transaction.respond(405, "Method Not Allowed", [["Allow", ALLOW]]);
    else if (DIALOGS_ONLY.has(request.method)) transaction.respond(481, "Call/Transaction Does Not Exist");
    else if (request.uri.kind === "other") transaction.respond(416, "Unsupported URI Scheme");
    else if (!this.#acceptable(request, transaction)) return;
    else if (request.method === "OPTIONS") {
      transaction.respond(200, "OK", [
        ["Allow", ALLOW],
        ["Accept", "application/sdp"],
      ]);
    } else if (GATED.has(request.method)) this.#receiveGated(request, transaction);
  }

  #receiveGated(request: SipRequest, transaction: ServerTransaction): void {
    const verdict = this.#options.gate?.check(request);
    if (verdict?.kind === "challenged") {
      const reason = verdict.status === 407 ? "Proxy Authentication Required" : "Unauthorized";
      transaction.respond(verdict.status, reason, [[verdict.header, verdict.value]]);
    } else if (request.method === "INVITE") this.switchboard.receiveCall(request, transaction, verdict?.user);
    else if (request.method === "MESSAGE") this.switchboard.receiveMessage(request, transaction);
    else {
      transaction.respond(...this.#options.registrar.register(request, verdict?.user, transaction.flow));
      this.#options.changed();
    }
  }

  /** s8.2.2.3 and s8.2.3: extensions that we do not have and bodies that we cannot read. */
  #acceptable(request: SipRequest, transaction: ServerTransaction): boolean {
    const required = headerTokens(request, "Require").filter((token) => !EXTENSIONS.has(token.toLowerCase()));
    if (required.length > 0) {
      transaction.respond(420, "Bad Extension", [["Unsupported", required.join(", ")]]);
      return false;
    }
    const readable = BODIES[request.method] ?? ["application/sdp"];
    if (request.body !== "" && !readable.includes(request.contentType?.type ?? "")) {
      transaction.respond(415, "Unsupported Media Type", [["Accept", readable.join(", ")]]);
      return false;
    }
    return true;
  }

  #openTransaction(request: SipRequest, via: Via, key: string, from: Flow): ServerTransaction {
    const transaction = new ServerTransaction({
      method: request.method,
      echoed: echoOf(request, via),
      toTag: request.toTag === undefined ? newTag() : undefined,
      flow: this.#wayBack(via, from),
      timers: this.#options.timers,
      sent: (text, flow, again) => this.#send(text, flow, again),
      gone: () => this.#serverTransactions.delete(key),
    });
    this.#serverTransactions.set(key, transaction);
    return transaction;
  }

  #refuseBroken(broken: Extract<ParseResult, { outcome: "invalid" }>, from: Flow): void {
    const { answer, status, reason } = broken;
    const via = withSource(answer.vias[0], from.address, from.port);
    const echoed: Echoed = {
      vias: [via, ...answer.vias.slice(1)],
      from: answer.from ?? "",
      to: answer.to ?? "",
      sipCallId: answer.sipCallId ?? "",
      cseq: answer.cseq ?? "",
    };
    this.#options.log({ kind: "fault", what: `refused: ${broken.problem}`, error: undefined });
    this.#send(responseText(echoed, status, reason, newTag()), this.#wayBack(via, from), false);
  }

  /** s18.2.2: over TCP the same connection, over UDP where Via says. */
  #wayBack(via: Via, from: Flow): Flow {
    if (from.transport === "TCP") return from;
    const target = responseTarget(via);
    return this.#sockets.flowTo("UDP", target.host, target.port ?? 5060);
  }

  #sentBy(transport: SipTransport): string {
    const { host, udpPort, tcpPort } = this.#sockets;
    return `${host.includes(":") ? `[${host}]` : host}:${transport === "UDP" ? udpPort : tcpPort}`;
  }

  #send(text: string, flow: Flow, again: boolean): void {
    flow.send(text);
    const [startLine = ""] = text.split("\r\n", 1);
    const what = startLine.replace(/^SIP\/2\.0 /, "").replace(/ SIP\/2\.0$/, "");
    const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
    const { transport, peer } = flow;
    this.#options.log({
      kind: "sip",
      way: "out",
      transport,
      peer,
      own: this.#isOwn(flow),
      what,
      cseq: field("CSeq"),
      sipCallId: field("Call-ID"),
      again,
    });
  }

  #isOwn({ transport, address, port }: Flow): boolean {
    const { host, udpPort } = this.#sockets;
    return transport === "UDP" && address === host && port === udpPort;
  }

  #logIn(message: SipRequest | SipResponse, what: string, flow: Flow, again: boolean): void {
    const { transport, peer } = flow;
    const cseq = `${message.cseq.number} ${message.cseq.method}`;
    const own = this.#isOwn(flow);
    this.#options.log({
      kind: "sip",
      way: "in",
      transport,
      peer,
      own,
      what,
      cseq,
      sipCallId: message.sipCallId,
      again,
    });
    this.#options.changed();
  }
}

/** s17.2.3; the fields instead of the branch where the branch is from before RFC 3261. ACK and CANCEL match theirs. */
function transactionKey(request: SipRequest, via: Via): string {
  const sentBy = `${via.host}:${via.port ?? ""}`;
  if (via.branch?.startsWith("z9hG4bK")) return `${via.branch}|${sentBy}`;
  return [request.sipCallId, request.fromTag, request.cseq.number, formatUri(request.uri), sentBy].join("|");
}

function echoOf(request: SipRequest, via: Via): Echoed {
  return {
    vias: [via, ...request.vias.slice(1)],
    from: header(request, "From") ?? "",
    to: header(request, "To") ?? "",
    sipCallId: request.sipCallId,
    cseq: `${request.cseq.number} ${request.cseq.method}`,
  };
}
