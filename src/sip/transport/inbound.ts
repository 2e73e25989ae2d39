// What comes from the network, before anybody reads it: strangers dropped, bytes parsed, the top Via stamped,
// repetitions answered, broken requests refused. Nothing in here throws on anything that was received.
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { echoedHeaders, formatResponse } from "../wire/message-writer.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import type { Exchange } from "../wire/outgoing-message.ts";
import { parseSip, type ParseResult } from "../wire/parser.ts";
import { withSource } from "../wire/fields/via.ts";
import type { Admittance, Connection } from "./sockets/connection.ts";
import type { Retransmitter } from "./retransmit.ts";
import type { Endpoint } from "./sockets/target.ts";

/** Where a message came from; without a connection it was a datagram. */
export interface Source {
  readonly remote: Endpoint;
  readonly connection: Connection | undefined;
}

export interface InboundOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly retransmitter: Retransmitter;
  readonly admit: (address: string) => Admittance;
  /** A message came from somebody who may send it, repetitions included. */
  readonly said: (bytes: Buffer, source: Source) => void;
  /** Sends bytes back to where they came from. */
  readonly answer: (bytes: Buffer, to: Source) => void;
  readonly onRequest: (request: SipRequest, source: Source) => void;
  readonly onResponse: (response: SipResponse, source: Source) => void;
}

/** Of a request and all responses to it, an ACK counting as its INVITE: what stays the same on the way back. */
export function exchangeKey({ vias, sipCallId, cseq }: Exchange): string {
  const { branch = "", host, port = "" } = vias[0];
  return `${branch} ${host}:${port} ${sipCallId} ${cseq.number} ${cseq.method === "ACK" ? "INVITE" : cseq.method}`;
}

/** The connection of a request is remembered so long; the responses to a ringing call come late. */
const KEEP_SOURCE_MS = 5 * 60_000;
/** So many of them at most: without its connection, an answer goes out on a new one. */
const MAX_SOURCES = 10_000;
const RESPONSE_START = Buffer.from("SIP/2.0 ");

export class Inbound {
  readonly #options: InboundOptions;
  /** The connections that requests came in on, oldest first. */
  readonly #sources = new Map<string, { readonly connection: Connection; readonly untilMs: number }>();
  readonly #stranger: Tally;

  constructor(options: InboundOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#stranger = new Tally(log, clock, "dropped a SIP request from an address that is not a peer of the trunk");
  }

  /** The connection to answer that exchange on (RFC 3261 s18.2.2), while it is open. */
  connectionFor(key: string): Connection | undefined {
    const connection = this.#sources.get(key)?.connection;
    return connection?.open === true ? connection : undefined;
  }

  receive(bytes: Buffer, source: Source): void {
    // A response needs a branch of ours, which nobody can guess; a request needs a known sender.
    const isResponse = bytes.subarray(0, RESPONSE_START.length).equals(RESPONSE_START);
    const open = isResponse || source.connection?.ours === true;
    const admitted = open ? "all" : this.#options.admit(source.remote.address);
    if (admitted === "none") {
      this.#stranger.add({ ...source.remote, setting: "peers" });
      return;
    }
    const result = parseSip(bytes);
    switch (result.outcome) {
      case "keep-alive":
        return;
      case "unrepresentable":
        this.#options.log.debug("dropped an unreadable SIP message", { problem: result.problem, ...source.remote });
        return;
      case "invalid":
        if (admitted === "all") this.#refuse(result, source);
        return;
      case "message":
        if (result.message.kind === "response" || admitted === "all" || result.message.toTag !== undefined)
          this.#options.said(bytes, source);
        if (result.message.kind === "response") this.#response(result.message, source);
        else if (admitted === "dialogs" && result.message.toTag === undefined)
          this.#stranger.add({ ...source.remote, setting: "peers" });
        else this.#request(result.message, source);
    }
  }

  #response(response: SipResponse, source: Source): void {
    const { vias, cseq, statusCode } = response;
    if (this.#options.retransmitter.responseReceived(vias[0].branch ?? "", cseq.method, statusCode)) return;
    this.#options.onResponse(response, source);
  }

  #request(received: SipRequest, source: Source): void {
    const [top, ...others] = received.vias;
    const stamped = withSource(top, source.remote.address, source.remote.port);
    const request: SipRequest = { ...received, vias: [stamped, ...others] };
    const key = exchangeKey(request);
    if (source.connection === undefined) {
      if (this.#options.retransmitter.requestReceived(key, request.method)) return;
    } else this.#remember(key, source.connection);
    this.#options.onRequest(request, source);
  }

  #refuse(result: Extract<ParseResult, { outcome: "invalid" }>, source: Source): void {
    this.#options.log.debug("refused a broken SIP request", { problem: result.problem, ...source.remote });
    const { answer, status, reason } = result;
    const [top, ...others] = answer.vias;
    const vias = [withSource(top, source.remote.address, source.remote.port), ...others] as const;
    const headers = echoedHeaders({ ...answer, vias: [...vias] }, this.#options.clock.newId());
    this.#options.answer(formatResponse(status, reason, headers), source);
  }

  #remember(key: string, connection: Connection): void {
    const nowMs = this.#options.clock.nowMs();
    for (const [old, { untilMs }] of this.#sources) {
      if (untilMs > nowMs && this.#sources.size < MAX_SOURCES) break;
      this.#sources.delete(old);
    }
    this.#sources.delete(key);
    this.#sources.set(key, { connection, untilMs: nowMs + KEEP_SOURCE_MS });
  }
}
