// The gateway's SIP core (RFC 3261 s8.2, s12, s17): messages to transactions, requests to calls, and the refusals
// that are nobody's call. Not the bridge's stack on purpose: two independent readings of the RFC meet in the tests.
import { randomBytes } from "node:crypto";
import { header, headerTokens, type SipRequest, type SipResponse } from "../../src/sip/wire/message.ts";
import { parseSip, type ParseResult } from "../../src/sip/wire/parser.ts";
import { formatUri, userText } from "../../src/sip/wire/uri.ts";
import { responseTarget, withSource, type Via } from "../../src/sip/wire/via.ts";
import { Call, type CallSurroundings } from "./call.ts";
import { ClientTransaction } from "./client-transaction.ts";
import { dialogKey, type Dialog } from "./dialog.ts";
import type { DigestGate } from "./digest.ts";
import { ALLOW, requestText, responseText, type Echoed, type Headers } from "./message-text.ts";
import { findNumber, type GatewayNumber } from "./numbers.ts";
import type { GatewayLog } from "./observation.ts";
import { ServerTransaction, type TransactionTimers } from "./server-transaction.ts";
import type { CodecName } from "./session-description.ts";
import type { Flow, SipSockets, SipTransport } from "./sockets.ts";

const METHODS = new Set(ALLOW.split(", "));

export interface UserAgentOptions {
  readonly numbers: readonly GatewayNumber[];
  readonly codecs: readonly CodecName[];
  readonly gate: DigestGate | undefined;
  readonly timers: TransactionTimers;
  readonly log: GatewayLog;
  readonly changed: () => void;
}

/** For whoever asks afterwards. */
const CALLS_KEPT = 1_000;

const newTag = (): string => randomBytes(8).toString("hex");
const newBranch = (): string => `z9hG4bK${randomBytes(12).toString("hex")}`;

export class UserAgent {
  readonly calls: Call[] = [];
  readonly #options: UserAgentOptions;
  readonly #sockets: SipSockets;
  readonly #serverTransactions = new Map<string, ServerTransaction>();
  readonly #clientTransactions = new Map<string, ClientTransaction>();
  /** Requests outside of a dialog that are being answered, to find those that came by two ways (s8.2.2.2). */
  readonly #unmerged = new Set<string>();
  readonly #dialogs = new Map<string, Call>();

  constructor(options: UserAgentOptions, sockets: SipSockets) {
    this.#options = options;
    this.#sockets = sockets;
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

  /** Resolves when every peer has answered its BYE. */
  async hangUpAll(): Promise<void> {
    await Promise.all(this.calls.map((call) => call.hangUp("stopped")));
  }

  /** Forgets every transaction, and with it every timer. */
  end(): void {
    for (const transaction of this.#serverTransactions.values()) transaction.end();
    for (const transaction of this.#clientTransactions.values()) transaction.end();
  }

  #receiveResponse(response: SipResponse, flow: Flow): void {
    const key = `${response.vias[0].branch}|${response.cseq.method}`;
    const transaction = this.#clientTransactions.get(key);
    this.#logIn(response, `${response.statusCode} ${response.reasonPhrase}`, flow, false);
    transaction?.receive(response);
  }

  #receiveRequest(request: SipRequest, from: Flow): void {
    const via = withSource(request.vias[0], from.address, from.port);
    const key = transactionKey(request, via);
    const known = this.#serverTransactions.get(`${key}|${request.method}`);
    this.#logIn(request, `${request.method} ${request.uriText}`, from, known !== undefined);
    if (request.method === "ACK") {
      const refused = this.#serverTransactions.get(`${key}|INVITE`);
      if (refused !== undefined) refused.acknowledged();
      else this.#dialogs.get(dialogKey(request.sipCallId, request.toTag ?? "", request.fromTag))?.acknowledge(request);
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
    } else if (request.toTag !== undefined) this.#receiveInDialog(request, request.toTag, transaction);
    else this.#receiveOutside(request, transaction);
  }

  #receiveInDialog(request: SipRequest, toTag: string, transaction: ServerTransaction): void {
    const call = this.#dialogs.get(dialogKey(request.sipCallId, toTag, request.fromTag));
    if (call === undefined || call.state === "ended") transaction.respond(481, "Call/Transaction Does Not Exist");
    else if (!METHODS.has(request.method)) transaction.respond(405, "Method Not Allowed", [["Allow", ALLOW]]);
    else if (!call.dialog.inOrder(request)) transaction.respond(500, "Server Internal Error");
    else if (this.#acceptable(request, transaction)) call.receive(request, transaction);
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
    else if (request.method === "BYE") transaction.respond(481, "Call/Transaction Does Not Exist");
    else if (request.uri.kind === "other") transaction.respond(416, "Unsupported URI Scheme");
    else if (!this.#acceptable(request, transaction)) return;
    else if (request.method === "OPTIONS") {
      transaction.respond(200, "OK", [
        ["Allow", ALLOW],
        ["Accept", "application/sdp"],
      ]);
    } else this.#receiveCall(request, transaction);
  }

  /** s8.2.2.3 and s8.2.3: extensions that we do not have and bodies that we cannot read. */
  #acceptable(request: SipRequest, transaction: ServerTransaction): boolean {
    const required = headerTokens(request, "Require");
    if (required.length > 0) {
      transaction.respond(420, "Bad Extension", [["Unsupported", required.join(", ")]]);
      return false;
    }
    if (request.body !== "" && request.contentType?.type !== "application/sdp") {
      transaction.respond(415, "Unsupported Media Type", [["Accept", "application/sdp"]]);
      return false;
    }
    return true;
  }

  #receiveCall(invite: SipRequest, transaction: ServerTransaction): void {
    const verdict = this.#options.gate?.check(invite);
    if (verdict?.kind === "challenged") {
      const reason = verdict.status === 407 ? "Proxy Authentication Required" : "Unauthorized";
      transaction.respond(verdict.status, reason, [[verdict.header, verdict.value]]);
      return;
    }
    const number = findNumber(userText(invite.uri) ?? "", this.#options.numbers);
    if (number === undefined) {
      transaction.respond(404, "Not Found");
      return;
    }
    transaction.respond(100, "Trying");
    const call = new Call(invite, transaction, verdict?.user, this.#surroundings(transaction.flow));
    this.calls.push(call);
    if (this.calls.length > CALLS_KEPT) this.calls.shift();
    this.#dialogs.set(call.dialog.key, call);
    const merged = transaction.ended;
    transaction.ended = () => {
      merged();
      this.#forget(call, transaction);
    };
    call.over = () => this.#forget(call, transaction);
    this.#options.changed();
    void call.run(number);
  }

  /** A dialog is known until its call is over and nobody can repeat its INVITE or be late with an ACK. */
  #forget(call: Call, transaction: ServerTransaction): void {
    if (call.state === "ended" && transaction.gone) this.#dialogs.delete(call.dialog.key);
  }

  #surroundings(flow: Flow): CallSurroundings {
    const { codecs, log, changed } = this.#options;
    return {
      host: this.#sockets.host,
      codecs,
      log,
      changed,
      contact: `<sip:gateway@${this.#sentBy(flow.transport)}${flow.transport === "TCP" ? ";transport=tcp" : ""}>`,
      request: (dialog, method, headers, body) => this.#request(dialog, flow, method, headers, body),
    };
  }

  #request(
    dialog: Dialog,
    flow: Flow,
    method: string,
    headers: Headers,
    body: string,
  ): Promise<SipResponse | undefined> {
    const via = (): string => `SIP/2.0/${flow.transport} ${this.#sentBy(flow.transport)};branch=${newBranch()};rport`;
    const draft = dialog.request(method, via(), headers, body);
    const hop = dialog.nextHop;
    if (hop === undefined) return Promise.resolve(undefined);
    // A caller behind TCP is reached over the connection that it made, as long as that lives.
    const way = flow.transport === "TCP" && flow.open ? flow : this.#sockets.flowTo(flow.transport, hop.host, hop.port);
    const key = `${/branch=([^;]+)/.exec(draft.via)?.[1]}|${method}`;
    const transaction = new ClientTransaction({
      method,
      text: requestText(draft),
      flow: way,
      timers: this.#options.timers,
      sent: (text, to, again) => this.#send(text, to, again),
      ack: (response) => {
        const accepted = response.statusCode < 300;
        if (accepted) dialog.refreshTarget(response.contacts);
        return requestText({
          ...draft,
          method: "ACK",
          uri: accepted ? dialog.remoteTarget : draft.uri,
          via: accepted ? via() : draft.via,
          to: header(response, "To") ?? draft.to,
          headers: [],
          body: "",
        });
      },
      gone: () => this.#clientTransactions.delete(key),
    });
    this.#clientTransactions.set(key, transaction);
    return transaction.final;
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
      what,
      cseq: field("CSeq"),
      sipCallId: field("Call-ID"),
      again,
    });
  }

  #logIn(message: SipRequest | SipResponse, what: string, flow: Flow, again: boolean): void {
    const { transport, peer } = flow;
    const cseq = `${message.cseq.number} ${message.cseq.method}`;
    this.#options.log({ kind: "sip", way: "in", transport, peer, what, cseq, sipCallId: message.sipCallId, again });
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
