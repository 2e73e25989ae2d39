// Which calls and texts there are: those that come, those that the gateway makes by itself or when it is asked to.
// Messages on the wire are for user-agent.ts, one call for call.ts.
import { randomBytes } from "node:crypto";
import { isIP } from "node:net";
import { header, headerValues, type SipRequest } from "../../src/sip/wire/message.ts";
import { parseParams } from "../../src/sip/wire/fields/grammar.ts";
import { escapeUser, formatUri, parseUri, userText, type Uri } from "../../src/core/address/uri.ts";
import type { Call, CallSurroundings } from "./call/call.ts";
import { CalledCall } from "./call/called-call.ts";
import { CallingCall, type CallPlan } from "./call/calling-call.ts";
import type { Credentials } from "./user-agent/client-digest.ts";
import { dialogKey, hopOf, type Dialog } from "./user-agent/dialog.ts";
import { addressText, type Headers } from "./wire/message-text.ts";
import { findNumber, textStatus, type GatewayNumber } from "./numbers.ts";
import type { GatewayCall, GatewayLog, GatewayMessage } from "./observation.ts";
import type { ReferralTarget } from "./call/referral.ts";
import type { Exchange, RequestOrder } from "./user-agent/requests.ts";
import type { ServerTransaction } from "./user-agent/server-transaction.ts";
import type { CodecName } from "./media/session-description.ts";
import type { Flow, SipTransport } from "./wire/sockets.ts";

export interface SwitchboardOptions {
  readonly host: string;
  readonly numbers: readonly GatewayNumber[];
  readonly codecs: readonly CodecName[];
  readonly rtpEvents: boolean;
  readonly referStatus: number;
  readonly referFailure: number | undefined;
  readonly log: GatewayLog;
  readonly changed: () => void;
}

/** The user agent, as far as calls have to do with it. */
export interface Wire {
  /** `host:port` of the gateway's own. */
  readonly sentBy: (transport: SipTransport) => string;
  readonly flowTo: (transport: SipTransport, host: string, port: number) => Flow;
  /** Where the gateway itself is reached. */
  readonly self: Flow;
  readonly send: (order: RequestOrder) => Exchange;
}

/** Where a call or text of the gateway's goes, settled by gateway.ts. */
export interface Destination {
  readonly uri: Uri;
  readonly to: Uri;
  readonly flow: Flow;
  readonly routes: readonly string[];
  readonly credentials: Credentials | undefined;
}

/** For whoever asks afterwards. */
const KEPT = 1_000;
/** Those who were brought together by a transfer talk for so long. */
const FOLLOWED_MS = 60_000;

export class Switchboard {
  readonly calls: Call[] = [];
  readonly messages: GatewayMessage[] = [];
  readonly #options: SwitchboardOptions;
  readonly #wire: Wire;
  readonly #dialogs = new Map<string, Call>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(options: SwitchboardOptions, wire: Wire) {
    this.#options = options;
    this.#wire = wire;
  }

  dialogOf(request: SipRequest): Call | undefined {
    return this.#dialogs.get(dialogKey(request.sipCallId, request.toTag ?? "", request.fromTag));
  }

  /** Resolves when every peer has answered its BYE. */
  async hangUpAll(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    await Promise.all(this.calls.map((call) => call.hangUp("stopped")));
  }

  receiveCall(invite: SipRequest, transaction: ServerTransaction, user: string | undefined): void {
    const replaces = header(invite, "Replaces");
    const replaced = replaces === undefined ? undefined : this.#replacedBy(replaces);
    const number = findNumber(userText(invite.uri) ?? "", this.#options.numbers);
    if (replaces !== undefined && replaced?.state !== "answered") {
      // RFC 3891 s3.
      transaction.respond(
        replaced === undefined ? 481 : 603,
        replaced === undefined ? "Call Does Not Exist" : "Decline",
      );
      return;
    }
    if (number === undefined && replaced === undefined) {
      transaction.respond(404, "Not Found");
      return;
    }
    transaction.respond(100, "Trying");
    const flow = transaction.flow;
    const text = (from: CalledCall, body: string): void => this.#textBack(from.caller, from.number, flow, body);
    const call = new CalledCall(invite, transaction, user, { ...this.#surroundings(flow, undefined), text });
    const forget = (): void => {
      // A dialog is known until its call is over and nobody can repeat its INVITE or be late with an ACK.
      if (call.state === "ended" && transaction.gone) this.#dialogs.delete(call.dialog.key);
    };
    const merged = transaction.ended;
    transaction.ended = () => {
      merged();
      forget();
    };
    call.over = () => {
      forget();
      const wasTalk = call.requests.includes("ACK") && call.end?.how !== "stopped";
      if (number?.callsBack !== undefined && wasTalk) this.#callBack(call, flow, number.callsBack);
    };
    this.#add(call, call.dialog);
    if (replaced === undefined) void call.run(number?.script ?? []);
    else {
      void call.run([{ do: "answer", sound: replaced.sound }]).then(() => replaced.hangUp("replaced"));
    }
  }

  receiveMessage(request: SipRequest, transaction: ServerTransaction): void {
    const written = userText(request.uri) ?? "";
    const number = findNumber(written, this.#options.numbers);
    const [status, reason] = number === undefined ? ([404, "Not Found"] as const) : textStatus(number);
    transaction.respond(status, reason);
    this.messages.push({
      number: written,
      from: { displayName: request.from.displayName, uri: formatUri(request.from.uri) },
      contentType: request.contentType?.type ?? "",
      text: request.body,
      sipCallId: request.sipCallId,
      status,
      headers: (name) => headerValues(request, name),
    });
    if (this.messages.length > KEPT) this.messages.shift();
    this.#options.changed();
    if (status < 300 && number?.textsBack !== undefined) {
      const text = number.textsBack.replace("{text}", () => request.body);
      this.#textBack(request.from.uri, written, transaction.flow, text);
    }
  }

  /** The INVITE is out when it resolves. */
  async call(plan: Omit<CallPlan, "uri" | "to" | "flow" | "routes">, destination: Destination): Promise<CallingCall> {
    const { credentials, ...where } = destination;
    const call = this.#make({ ...plan, ...where }, credentials);
    await call.invite();
    return call;
  }

  /** The final status; undefined where none came. */
  async message(
    from: CallPlan["from"],
    text: string,
    headers: Headers,
    where: Destination,
  ): Promise<number | undefined> {
    const sipCallId = `${randomBytes(12).toString("hex")}@gateway`;
    const tag = randomBytes(8).toString("hex");
    const typed = headers.some(([each]) => each === "Content-Type");
    const type: Headers = typed ? [] : [["Content-Type", "text/plain;charset=UTF-8"]];
    let cseq = 0;
    const { final } = this.#wire.send({
      flow: where.flow,
      credentials: where.credentials,
      draft: (via, more) => {
        cseq += 1;
        return {
          method: "MESSAGE",
          uri: where.uri,
          via,
          routes: where.routes,
          from: `${addressText(from.uri, from.displayName)};tag=${tag}`,
          to: addressText(where.to),
          sipCallId,
          cseq,
          headers: [...headers, ...type, ...more],
          body: text,
        };
      },
    });
    return (await final)?.statusCode;
  }

  /** What stands behind the @ of the gateway's own URIs. */
  place(transport: SipTransport): string {
    return `${this.#wire.sentBy(transport)}${transport === "TCP" ? ";transport=tcp" : ""}`;
  }

  /** A URI of the gateway's own. */
  uriOf(number: string, transport: SipTransport): string {
    return `sip:${escapeUser(number)}@${this.place(transport)}`;
  }

  #make(plan: CallPlan, credentials: Credentials | undefined): CallingCall {
    const call: CallingCall = new CallingCall(plan, {
      ...this.#surroundings(plan.flow, credentials),
      send: (order) => this.#wire.send({ ...order, credentials }),
      stands: (standing, dialog) => this.#dialogs.set(dialog.key, standing),
    });
    call.over = () => {
      if (call.dialog !== undefined) this.#dialogs.delete(call.dialog.key);
    };
    this.#add(call, undefined);
    return call;
  }

  #add(call: Call, dialog: Dialog | undefined): void {
    this.calls.push(call);
    if (this.calls.length > KEPT) this.calls.shift();
    if (dialog !== undefined) this.#dialogs.set(dialog.key, call);
    this.#options.changed();
  }

  #replacedBy(value: string): Call | undefined {
    const semicolon = value.indexOf(";");
    const params = semicolon < 0 ? undefined : parseParams(value.slice(semicolon));
    const sipCallId = value.slice(0, Math.max(0, semicolon)).trim();
    return this.#dialogs.get(dialogKey(sipCallId, params?.get("to-tag") ?? "", params?.get("from-tag") ?? undefined));
  }

  /** Where Refer-To points if that is an address, else among our own numbers; Replaces says which call it takes over. */
  #follow(from: Call, target: ReferralTarget, happened: (status: number) => void): GatewayCall | undefined {
    const hop = hopOf(target.uri);
    const elsewhere = hop !== undefined && isIP(hop.host) !== 0;
    const transport = target.uri.params.get("transport")?.toLowerCase() === "tcp" ? "TCP" : "UDP";
    const flow = elsewhere ? this.#wire.flowTo(transport, hop.host, hop.port) : this.#wire.self;
    const own = parseUri(this.uriOf(from.number, flow.transport));
    if (own === undefined) return undefined;
    const headers: [string, string][] = [];
    if (target.replaces !== undefined) headers.push(["Replaces", target.replaces]);
    if (target.referredBy !== undefined) headers.push(["Referred-By", target.referredBy]);
    const call = this.#make(
      {
        uri: target.uri,
        to: target.uri,
        from: { displayName: "", uri: own },
        routes: [],
        flow,
        headers,
        sound: from.sound,
        lateOffer: false,
        answerTimeoutMs: undefined,
        happened,
      },
      undefined,
    );
    // Both ends of it are the gateway's own: there is nobody who would hang up.
    if (flow.peer === this.#wire.self.peer) this.#later(FOLLOWED_MS, () => void call.hangUp());
    void call.invite();
    return call;
  }

  #later(ms: number, act: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      act();
    }, ms);
    this.#timers.add(timer);
  }

  #callBack(call: CalledCall, flow: Flow, { afterMs, sound }: NonNullable<GatewayNumber["callsBack"]>): void {
    this.#later(afterMs, () => {
      const back = this.#backTo(call.caller, call.dialog.remoteTarget, call.number, flow);
      if (back === undefined) return;
      const plan = { from: back.from, headers: [], sound, lateOffer: false, answerTimeoutMs: undefined };
      void this.call({ ...plan, happened: () => undefined }, back);
    });
  }

  #textBack(to: Uri, from: string, flow: Flow, text: string): void {
    const back = this.#backTo(to, undefined, from, flow);
    if (back !== undefined) void this.message(back.from, text, [], back);
  }

  /** To a number, at the address that it calls from. */
  #backTo(
    caller: Uri,
    contact: Uri | undefined,
    own: string,
    flow: Flow,
  ): (Destination & Pick<CallPlan, "from">) | undefined {
    const hop = hopOf(contact) ?? { host: flow.address, port: flow.port };
    const host = hop.host.includes(":") ? `[${hop.host}]` : hop.host;
    const uri = parseUri(`sip:${escapeUser(userText(caller) ?? "")}@${host}:${hop.port}`);
    const from = parseUri(this.uriOf(own, flow.transport));
    if (uri === undefined || from === undefined) return undefined;
    const way = flow.transport === "TCP" && flow.open ? flow : this.#wire.flowTo(flow.transport, hop.host, hop.port);
    return { uri, to: uri, from: { displayName: "", uri: from }, flow: way, routes: [], credentials: undefined };
  }

  #surroundings(flow: Flow, credentials: Credentials | undefined): CallSurroundings {
    const { host, codecs, rtpEvents, referStatus, referFailure, log, changed } = this.#options;
    return {
      host,
      codecs,
      rtpEvents,
      referStatus,
      referFailure,
      log,
      changed,
      contact: `<${this.uriOf("gateway", flow.transport)}>`,
      uriOf: (number) => this.uriOf(number, flow.transport),
      request: (dialog, method, headers, body) => {
        const hop = dialog.nextHop;
        if (hop === undefined) return Promise.resolve(undefined);
        // A caller behind TCP is reached over the connection that it made, as long as that lives.
        const open = flow.transport === "TCP" && flow.open;
        return this.#wire.send({
          flow: open ? flow : this.#wire.flowTo(flow.transport, hop.host, hop.port),
          credentials,
          draft: (via, more) => dialog.request(method, via, [...headers, ...more], body),
          accepted: (response, draft) => {
            dialog.refreshTarget(response.contacts);
            return { uri: dialog.remoteTarget, routes: draft.routes, body: "" };
          },
        }).final;
      },
      follow: (from, target, happened) => this.#follow(from, target, happened),
    };
  }
}
