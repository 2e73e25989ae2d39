// The transport layer of one trunk (RFC 3261 s18): its sockets, the next hop of each message that leaves, the
// switch from UDP to TCP by size, retransmission. What arrives passes inbound.ts first.
import type { SipTransportName, TrunkSettings } from "../../ports/sip.ts";
import type { Clock } from "../../ports/clock.ts";
import type { LadderTap } from "../../ports/ladders/tap.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";
import {
  writeRequest,
  type OutgoingMessage,
  type OutgoingRequest,
  type OutgoingResponse,
} from "../wire/outgoing-message.ts";
import { clientTransactionKey } from "../wire/transaction-key.ts";
import { responseTarget } from "../wire/fields/via.ts";
import { ResponseSources, type OtherWays } from "./response-sources.ts";
import type { Admittance, Connection } from "./sockets/connection.ts";
import { CredentialGuard } from "./credential-guard.ts";
import { exchangeKey, Inbound, type Source } from "./inbound.ts";
import { transportOf } from "./request-transport.ts";
import type { Resolver } from "./resolver.ts";
import { Retransmitter, transactionMs, type SipTimers } from "./retransmit.ts";
import { Streams } from "./sockets/streams.ts";
import { nextHopOf, towardsStrictRouter } from "./strict-route.ts";
import { defaultPort, isNumeric, targetKey, unbracketed, type Endpoint, type Target } from "./sockets/target.ts";
import { TransportError } from "./sockets/transport-error.ts";
import { openUdpBeside, type UdpSocket } from "./sockets/udp.ts";
import { tallyTurnedAway } from "./turned-away.ts";
import { Unanswered } from "./unanswered.ts";
import { WireTap } from "./wire-tap.ts";
import { WebSockets } from "./sockets/websocket.ts";

export interface HubOptions {
  readonly settings: TrunkSettings;
  /** Certificates and authorities of the moment. */
  readonly tls: () => TrunkSettings["tls"];
  readonly resolver: Resolver;
  readonly clock: Clock;
  readonly timers: SipTimers;
  /** Between pings on connections. */
  readonly keepAliveMs: number;
  readonly log: Log;
  readonly admit: (address: string) => Admittance;
  /** A request inside a dialog goes there, so that the other side of that dialog may be there. */
  readonly ledTo: (address: string) => void;
  /** Where requests go that are not told where; rejects with TransportError when there is nowhere. */
  readonly nextTarget: () => Promise<Target>;
  readonly onRequest: (request: SipRequest) => void;
  /** `isTrunks`: to a request that went to a server of the trunk, and not where a peer's Contact led. */
  readonly onResponse: (response: SipResponse, isTrunks: boolean) => void;
  /** Whether the trunk's servers are there. */
  readonly isServer: (address: string) => boolean;
  /** A connection ended; `ours` ones may have to be opened again. */
  readonly onClosed: (connection: Connection, reason: Error | undefined) => void;
  readonly tap: Pick<LadderTap, "sip">;
}

/** RFC 3261 s18.1.1: past this a request goes over TCP, so that no datagram is cut up on the way. */
const MAX_DATAGRAM_REQUEST_BYTES = 1_300;
/** How long TCP gets before the datagram is sent after all. */
const SWITCH_TIMEOUT_MS = 1_500;
/** A peer that refused TCP is not asked again for so long. */
const REFUSED_MS = 10 * 60_000;
/** An INVITE may ring for so long before its CANCEL or ACK follows it. */
const KEEP_HOP_MS = 15 * 60_000;
const SWEEP_MS = 30_000;

interface Hop {
  /** Undefined until it is known. */
  target: Target | undefined;
  untilMs: number;
  state: "waiting" | "left" | "recalled";
}

export class Hub {
  readonly #options: HubOptions;
  readonly #retransmitter: Retransmitter;
  readonly #inbound: Inbound;
  readonly #streams: Streams;
  readonly #webSockets: WebSockets;
  readonly #unanswered: Unanswered;
  readonly #guard: CredentialGuard;
  readonly #sources: ResponseSources;
  readonly #tap: WireTap;
  #udp: UdpSocket | undefined;
  /**
   * Where each INVITE went, by branch: its ACK and CANCEL go there too (RFC 3261 s9.1, s17.1.1.3). A CANCEL is
   * kept as well, because the INVITE may have been an earlier process's.
   */
  readonly #hops = new Map<string, Hop>();
  readonly #tcpRefusedUntilMs = new Map<string, number>();
  #sweptAtMs = 0;

  constructor(options: HubOptions) {
    this.#options = options;
    const { clock, timers, log, admit, settings } = options;
    this.#retransmitter = new Retransmitter(clock, timers);
    this.#guard = new CredentialGuard(options);
    this.#sources = new ResponseSources(settings, log);
    this.#tap = new WireTap(options.tap, settings.name);
    this.#unanswered = new Unanswered(clock, transactionMs(timers));
    this.#inbound = new Inbound({
      clock,
      log,
      retransmitter: this.#retransmitter,
      admit,
      said: (bytes, { remote, connection }) => this.#tap.said("in", bytes, remote, connection),
      answer: (bytes, to) => this.#answer(bytes, to),
      onRequest: (request, source) => {
        this.#sources.invited(request, source);
        options.onRequest(request);
      },
      onResponse: (response, source) => this.#onResponse(response, source),
    });
    const events = {
      message: (bytes: Buffer, connection: Connection): void => {
        this.#receive(bytes, { remote: connection.remote, connection });
      },
      sent: (bytes: Buffer, connection: Connection): void =>
        this.#tap.said("out", bytes, connection.remote, connection),
      closed: (connection: Connection, reason: Error | undefined): void => {
        this.#unanswered.closed(connection, reason);
        options.onClosed(connection, reason);
      },
    };
    const { keepAliveMs } = options;
    const serverNames = [settings.server, ...settings.moreServers].map(({ host }) => unbracketed(host));
    const common = { ...events, tls: options.tls, localHost: unbracketed(settings.local.host), keepAliveMs };
    this.#streams = new Streams({ ...common, serverNames, admit, turnedAway: tallyTurnedAway(log, clock) });
    this.#webSockets = new WebSockets(common);
  }

  /** Binds the trunk's local sockets; gives the endpoint that peers reach us at. Throws TransportError. */
  async listen(): Promise<Endpoint> {
    const { transport, local, tls } = this.#options.settings;
    const host = unbracketed(local.host);
    switch (transport) {
      case "udp": {
        const options = {
          host,
          port: local.port,
          onDatagram: (bytes: Buffer, remote: Endpoint) => this.#receive(bytes, { remote, connection: undefined }),
          onError: (error: Error) => this.#options.log.error("UDP socket failed", { error }),
        };
        // RFC 3261 s18.2.1: whoever listens on UDP listens on TCP too. A port taken there costs only that.
        const { udp, error } = await openUdpBeside(options, (port) => this.#streams.listen("tcp", host, port));
        if (error !== undefined) this.#options.log.warn("cannot listen on TCP beside UDP", { error });
        this.#udp = udp;
        this.#tap.udp = udp.local;
        return udp.local;
      }
      case "tcp":
        return this.#streams.listen("tcp", host, local.port);
      case "tls":
        // Without a certificate of ours nobody can call us: requests come on the connections that we open.
        if (tls.certificate === undefined || tls.key === undefined) return { address: host, port: local.port };
        return this.#streams.listen("tls", host, local.port);
      case "ws":
      case "wss":
        return { address: host, port: local.port };
    }
  }

  /** Opens, or finds, the connection to a target. Not for UDP. */
  connect(target: Target, timeoutMs?: number): Promise<Connection> {
    switch (target.transport) {
      case "ws":
      case "wss":
        return this.#webSockets.connect(target, timeoutMs);
      default:
        return this.#streams.connect(target, timeoutMs);
    }
  }

  /**
   * Sends one message of the user agent to where it has to go. `target`: where a request outside of dialogs goes, if not
   * to the trunk's choice. Rejects with TransportError.
   */
  async send(message: OutgoingMessage, target?: Target): Promise<void> {
    try {
      if (message.kind === "response") await this.#sendResponse(message);
      else await this.#sendRequest(message, target);
    } catch (error) {
      // Whoever sent any other request hears of it through its transaction. To a missing ACK the peer repeats its answer,
      // which response-sources.ts has one warning for.
      const { log } = this.#options;
      if (message.kind === "response") log.debug("could not send a SIP response", { ...message.exchange.cseq, error });
      else if (message.method === "ACK") log.debug("could not send ACK", { error });
      throw error;
    }
  }

  /** Takes back an INVITE that waits for its connection. False: it has left. */
  recall(branch: string): boolean {
    const hop = this.#hops.get(branch);
    if (hop?.state !== "waiting") return false;
    hop.state = "recalled";
    return true;
  }

  /** The INVITE of that branch goes out no more, whether it has before or not. */
  stopAsking(branch: string): void {
    const hop = this.#hops.get(branch);
    if (hop !== undefined) hop.state = "recalled";
    this.#retransmitter.requestDropped(branch, "INVITE");
    this.#unanswered.answered(`${branch} INVITE`);
  }

  async close(): Promise<void> {
    this.#retransmitter.close();
    this.#unanswered.close();
    this.#webSockets.close();
    await Promise.all([this.#udp?.close(), this.#streams.close()]);
  }

  /** The last line: whatever is wrong in here, a packet does not end the process. */
  #receive(bytes: Buffer, source: Source): void {
    try {
      this.#inbound.receive(bytes, source);
    } catch (error) {
      this.#options.log.error("could not take a SIP message", { error, ...source.remote });
    }
  }

  async #sendRequest(request: OutgoingRequest, chosen: Target | undefined): Promise<void> {
    const hop = this.#hopOf(request);
    try {
      await this.#sendTo(hop?.target ?? chosen ?? (await this.#targetOf(request)), request, hop);
    } catch (error) {
      const source = hop === undefined ? await this.#sources.lastResort(request, this.#otherWays(), error) : undefined;
      if (source === undefined) throw error;
      await this.#sendTo(source, request, undefined);
    }
  }

  async #sendTo(target: Target, request: OutgoingRequest, hop: Hop | undefined): Promise<void> {
    const wanted = this.#written(request, target);
    const viaTcp = await this.#switched(target, request, wanted.length);
    const used = viaTcp === undefined ? target : { ...target, transport: "tcp" as const };
    if (hop !== undefined) hop.target = used;
    const bytes = viaTcp === undefined ? wanted : this.#written(request, used);
    const connection = used.transport === "udp" ? undefined : (viaTcp ?? (await this.connect(used)));
    const mayLeave = (): void => {
      if (request.method !== "INVITE" || hop === undefined) return;
      if (hop.state === "recalled") throw new TransportError("closed", "INVITE taken back");
      hop.state = "left";
    };
    mayLeave();
    if (connection !== undefined) {
      await this.#stream(request, bytes, connection, async () => {
        const another = await this.connect(used);
        mayLeave();
        return another;
      });
      return;
    }
    await this.#datagram(bytes, used);
    const again = (): void => void this.#datagram(bytes, used).catch(() => {});
    this.#retransmitter.requestSent(request.branch, request.method, again);
  }

  /** RFC 3261 s18.1.1: the Via names the transport that is used. */
  #written(request: OutgoingRequest, target: Target): Buffer {
    return writeRequest(
      towardsStrictRouter(request),
      target.transport.toUpperCase(),
      this.#guard.mayKnow(request, target),
    );
  }

  /** Over a connection, and where that ends before any response, once more over another: it may have been closing. */
  async #stream(
    { branch, method }: OutgoingRequest,
    bytes: Buffer,
    connection: Connection,
    another: () => Promise<Connection>,
  ): Promise<void> {
    if (method === "ACK") return connection.send(bytes);
    const key = `${branch} ${method}`;
    if ((await this.#unanswered.send(key, bytes, connection)) === undefined) return undefined;
    const lost = await this.#unanswered.send(key, bytes, await another());
    if (lost !== undefined) throw lost;
    return undefined;
  }

  /** The connection to use where a datagram would be too long, and TCP is to be had. */
  async #switched(target: Target, { method }: OutgoingRequest, length: number): Promise<Connection | undefined> {
    if (target.transport !== "udp" || length <= MAX_DATAGRAM_REQUEST_BYTES) return undefined;
    const nowMs = this.#options.clock.nowMs();
    const overTcp = { ...target, transport: "tcp" as const };
    const key = targetKey(overTcp);
    if ((this.#tcpRefusedUntilMs.get(key) ?? 0) > nowMs) return undefined;
    try {
      return await this.connect(overTcp, SWITCH_TIMEOUT_MS);
    } catch (error) {
      this.#tcpRefusedUntilMs.set(key, nowMs + REFUSED_MS);
      this.#options.log.info("sent a request over UDP although it is too long: TCP was refused", { method, error });
      return undefined;
    }
  }

  async #targetOf(request: OutgoingRequest): Promise<Target> {
    const { settings } = this.#options;
    // A WebSocket leads to one place (RFC 7118 s5); requests outside of dialogs go to the trunk's server.
    if (request.toTag === undefined || settings.transport === "ws" || settings.transport === "wss") {
      return this.#options.nextTarget();
    }
    return this.#sources.route(request, () => this.#byContact(request), this.#otherWays());
  }

  #otherWays(): OtherWays {
    return { server: () => this.#options.nextTarget(), isOpen: (target) => this.#streams.isOpen(target) };
  }

  async #byContact(request: OutgoingRequest): Promise<Target> {
    const { settings } = this.#options;
    const uri = nextHopOf(request);
    if (uri?.kind !== "sip") throw new TransportError("resolve", `no way to a ${uri?.scheme ?? "malformed"} URI`);
    const transport = transportOf(uri, settings.transport);
    const host = unbracketed(uri.params.get("maddr") ?? uri.host);
    // RFC 3263 s4.2: SRV is for names; where a port stands, or an address, it is taken as it is.
    const port = uri.port ?? (isNumeric(host) ? defaultPort(transport) : undefined);
    const [target] = await this.#options.resolver.resolve({ host, port }, transport);
    if (target === undefined) throw new TransportError("resolve", `${host}: no address`);
    this.#options.ledTo(target.address);
    return target;
  }

  async #sendResponse({ exchange, statusCode, bytes }: OutgoingResponse): Promise<void> {
    const key = exchangeKey(exchange);
    const connection = this.#inbound.connectionFor(key);
    if (connection !== undefined) {
      await connection.send(bytes);
      return;
    }
    const [via] = exchange.vias;
    const transport = via.transport.toLowerCase();
    const { host, port } = responseTarget(via);
    if (transport === "udp") {
      const target = await this.#resolved(host, port, "udp");
      await this.#datagram(bytes, target);
      const again = (): void => void this.#datagram(bytes, target).catch(() => {});
      this.#retransmitter.responseSent(key, exchange.cseq.method, statusCode, again);
      return;
    }
    if (transport !== "tcp" && transport !== "tls") {
      throw new TransportError("closed", "the connection that the request came on is closed");
    }
    // RFC 3261 s18.2.2: the connection is gone; a new one to where the sender listens, not to its source port.
    const target = await this.#resolved(host, via.port, transport);
    await (await this.connect(target)).send(bytes);
  }

  async #resolved(host: string, port: number | undefined, transport: SipTransportName): Promise<Target> {
    const asked = { host, port: port ?? defaultPort(transport) };
    const [target] = await this.#options.resolver.resolve(asked, transport);
    if (target === undefined) throw new TransportError("resolve", `${host}: no address`);
    return target;
  }

  #answer(bytes: Buffer, { remote, connection }: Source): void {
    const sent = connection === undefined ? this.#datagram(bytes, remote) : connection.send(bytes);
    sent.catch((error: unknown) => this.#options.log.debug("could not send a refusal", { error }));
  }

  #datagram(bytes: Buffer, to: Endpoint): Promise<void> {
    if (this.#udp === undefined) return Promise.reject(new TransportError("closed", "no UDP socket on this trunk"));
    this.#tap.said("out", bytes, to, undefined);
    return this.#udp.send(bytes, to);
  }

  #onResponse(response: SipResponse, source: Source): void {
    this.#sources.answered(response, source);
    this.#unanswered.answered(clientTransactionKey(response));
    if (response.cseq.method === "INVITE" && response.statusCode >= 200) {
      const hop = this.#hops.get(response.vias[0].branch ?? "");
      if (hop !== undefined) hop.untilMs = this.#options.clock.nowMs() + transactionMs(this.#options.timers);
    }
    this.#options.onResponse(response, this.#guard.isTrunks(response));
  }

  /** Of an INVITE, and of what belongs to it. */
  #hopOf({ method, branch }: OutgoingRequest): Hop | undefined {
    const known = this.#hops.get(branch);
    if (known !== undefined || (method !== "INVITE" && method !== "CANCEL")) return known;
    const nowMs = this.#options.clock.nowMs();
    if (nowMs - this.#sweptAtMs > SWEEP_MS) {
      this.#sweptAtMs = nowMs;
      for (const [old, { untilMs }] of this.#hops) if (untilMs <= nowMs) this.#hops.delete(old);
      for (const [old, untilMs] of this.#tcpRefusedUntilMs) if (untilMs <= nowMs) this.#tcpRefusedUntilMs.delete(old);
    }
    const hop: Hop = { target: undefined, untilMs: nowMs + KEEP_HOP_MS, state: "waiting" };
    this.#hops.set(branch, hop);
    return hop;
  }
}
