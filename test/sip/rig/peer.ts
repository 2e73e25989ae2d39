// A SIP peer on a real loopback socket, scripted by tests: it speaks with src/sip/wire alone and knows nothing of the
// stack under test. Repeated requests are answered again by themselves, as any server would.
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { isIPv6, connect as connectTcp, createServer as createTcpServer, type Server, type Socket } from "node:net";
import { connect as connectTls, createServer as createTlsServer, TLSSocket } from "node:tls";
import { WebSocketServer, type WebSocket } from "ws";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { bind, listen } from "../../../dev/loopback/listen.ts";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import { addressHeader, sipUri, textHeader, viaHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import { responseTo, writeRequest } from "../../../src/sip/wire/outgoing-message.ts";
import {
  header,
  headerValues,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from "../../../src/sip/wire/message.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import { parseSip } from "../../../src/sip/wire/parser.ts";
import { StreamFramer } from "../../../src/sip/wire/stream-framer.ts";
import { formatVia, parseVia, responseTarget, withSource, type Via } from "../../../src/sip/wire/fields/via.ts";
import type { Params } from "../../../src/sip/wire/fields/grammar.ts";

export interface Credentials {
  readonly cert: string;
  readonly key: string;
  readonly ca?: string;
}

/** How one end of a flow is written to. */
interface Flow {
  send(bytes: Buffer): void;
}

export interface Received<M extends SipMessage = SipMessage> {
  readonly message: M;
  readonly flow: Flow;
  /** As it came. */
  readonly text: string;
}

export interface ReplyOptions {
  readonly sdp?: string;
  readonly toTag?: string;
  readonly headers?: readonly HeaderLine[];
  readonly contact?: boolean;
  readonly phrase?: string;
}

export interface PeerOptions {
  readonly transport?: SipTransportName;
  /** 127.0.0.1 unless given. */
  readonly host?: string;
  readonly port?: number;
  readonly tls?: Credentials;
  /** TCP beside UDP on the same port. */
  readonly alsoTcp?: boolean;
  /** Answers OPTIONS by itself; undefined leaves them to the test. */
  readonly options?: number;
  /** The port that Contact names, where it is not the peer's own. */
  readonly contactPort?: number;
}

let tags = 0;
function newTag(): string {
  tags += 1;
  return `peer-${process.pid}-${tags}`;
}

export class Peer {
  readonly transport: SipTransportName;
  readonly host: string;
  readonly port: number;
  /** All that was ever received, repetitions included. */
  readonly log: Received[] = [];
  readonly #queue: Received[] = [];
  readonly #waiting: { accepts: (message: SipMessage) => boolean; take: (received: Received) => void }[] = [];
  readonly #answered = new Map<string, Buffer>();
  readonly #seen = new Set<string>();
  readonly #closers: (() => Promise<void> | void)[] = [];
  #optionsStatus: number | undefined;
  readonly #contactPort: number | undefined;
  connections = 0;
  /** Where they came from. */
  readonly remotes: (string | undefined)[] = [];
  /** SNI of the TLS clients; false where they named nobody. */
  readonly serverNames: (string | false | null)[] = [];
  /** Keep-alives answered on connections. */
  pings = 0;
  #deaf = false;
  /** What WebSocket clients asked for. */
  readonly upgrades: { path: string | undefined; host: string | undefined; protocol: string | undefined }[] = [];
  readonly flows = new Set<{ destroy(): void; pause(): void }>();

  private constructor(port: number, options: PeerOptions) {
    this.port = port;
    this.transport = options.transport ?? "udp";
    this.#optionsStatus = options.options;
    this.#contactPort = options.contactPort;
    this.host = options.host ?? "127.0.0.1";
  }

  static async start(options: PeerOptions = {}): Promise<Peer> {
    // Nobody else takes that number: not for TCP beside UDP, and not while a peer is away that comes back.
    const port = options.port ?? (await freePort());
    const peer = new Peer(port, options);
    switch (peer.transport) {
      case "udp":
        await peer.#openUdp(port);
        if (options.alsoTcp === true) await peer.#listen(createTcpServer(), port, "connection");
        break;
      case "tcp":
        await peer.#listen(createTcpServer(), port, "connection");
        break;
      case "tls": {
        const asked = options.tls?.ca !== undefined;
        const server = createTlsServer({ ...options.tls, requestCert: asked, rejectUnauthorized: asked });
        await peer.#listen(server, port, "secureConnection");
        break;
      }
      case "ws":
      case "wss":
        await peer.#openWebSocket(port, options.tls);
    }
    return peer;
  }

  async close(): Promise<void> {
    for (const flow of this.flows) flow.destroy();
    for (const close of this.#closers) await close();
  }

  answerOptions(status: number | undefined): void {
    this.#optionsStatus = status;
  }

  /** Answers no keep-alive any more, and reads nothing. */
  deafen(): void {
    this.#deaf = true;
    for (const flow of this.flows) flow.pause();
  }

  /** The next message that fits, now or later; others stay in the queue. */
  next<M extends SipMessage>(accepts: (message: SipMessage) => message is M): Promise<Received<M>>;
  next(accepts: (message: SipMessage) => boolean): Promise<Received>;
  next(accepts: (message: SipMessage) => boolean): Promise<Received> {
    const index = this.#queue.findIndex(({ message }) => accepts(message));
    if (index >= 0) return Promise.resolve(this.#queue.splice(index, 1)[0] as Received);
    return new Promise((take) => this.#waiting.push({ accepts, take }));
  }

  /** The next new request of that method. */
  request(method: string): Promise<Received<SipRequest>> {
    return this.next((message): message is SipRequest => message.kind === "request" && message.method === method);
  }

  /** The next response to a request of ours. */
  response(method: string, from = 100): Promise<Received<SipResponse>> {
    return this.next(
      (message): message is SipResponse =>
        message.kind === "response" && message.cseq.method === method && message.statusCode >= from,
    );
  }

  /** Requests of that method so far, repetitions included. */
  count(method: string): number {
    return this.log.filter(({ message }) => message.kind === "request" && message.method === method).length;
  }

  reply(received: Received<SipRequest>, status: number, options: ReplyOptions = {}): void {
    const { message: request, flow } = received;
    // RFC 3261 s12.1.1: responses that may make a dialog repeat the route.
    const routes = status === 100 ? [] : headerValues(request, "Record-Route");
    const headers = [...routes.map((route) => textHeader("Record-Route", route)), ...(options.headers ?? [])];
    if (options.contact !== false && status > 100 && status < 300) headers.push(this.contact);
    const { toTag = "peer-tag", phrase = "Scripted" } = options;
    const body = options.sdp === undefined ? undefined : { contentType: "application/sdp", content: options.sdp };
    const { bytes } = responseTo(request, { statusCode: status, phrase, toTag, userAgent: "", headers, body });
    if (status >= 200) this.#answered.set(keyOf(request), bytes);
    flow.send(bytes);
  }

  get contact(): HeaderLine {
    const params: Params =
      this.transport === "udp" ? new Map() : new Map([["transport", uriTransport(this.transport)]]);
    return addressHeader("Contact", {
      uri: sipUri({ user: "peer", host: this.host, port: this.#contactPort ?? this.port, params }),
    });
  }

  /** A request inside the dialog that an INVITE of the stack made with us. */
  inDialog(
    invite: Received<SipRequest>,
    method: string,
    cseq: number,
    options: {
      sdp?: string;
      body?: { readonly type: string; readonly content: string };
      headers?: readonly HeaderLine[];
      toTag?: string;
      branch?: string;
    } = {},
  ): void {
    const { message, flow } = invite;
    const contact = message.contacts === "*" ? undefined : message.contacts[0];
    const from = `${header(message, "To") ?? ""};tag=${options.toTag ?? "peer-tag"}`;
    const { branch = `z9hG4bK${newTag()}`, headers = [], sdp } = options;
    const body = sdp === undefined ? options.body : { type: "application/sdp", content: sdp };
    const request = {
      kind: "request",
      method,
      uri: formatUri(contact?.uri ?? message.from.uri),
      via: formatVia(this.#via(branch)),
      branch,
      routes: [],
      from,
      to: header(message, "From") ?? "",
      fromTag: "",
      toTag: undefined,
      callId: message.sipCallId,
      cseq,
      credentials: [],
      headers: method === "INVITE" || method === "UPDATE" ? [...headers, this.contact] : headers,
      body: body && { contentType: body.type, content: body.content },
    } as const;
    flow.send(writeRequest(request, this.transport.toUpperCase(), false));
  }

  /** ACK to a 2xx of the stack, in the same dialog. */
  ack(invite: Received<SipRequest>, cseq: number, sdp?: string): void {
    this.inDialog(invite, "ACK", cseq, sdp === undefined ? {} : { sdp });
  }

  via(branch: string): HeaderLine {
    return viaHeader(this.#via(branch));
  }

  #via(branch: string): Via {
    const host = isIPv6(this.host) ? `[${this.host}]` : this.host;
    const via = parseVia(`SIP/2.0/${this.transport.toUpperCase()} ${host}:${this.port};branch=${branch};rport`);
    if (via === undefined) throw new Error("via");
    return via;
  }

  /** Opens a connection of the peer's own to a listening stack; what comes back on it is received like all else. */
  async dial(port: number, tls?: Credentials): Promise<Flow> {
    const socket = tls === undefined ? connectTcp(port, "127.0.0.1") : connectTls({ port, host: "127.0.0.1", ...tls });
    await once(socket, tls === undefined ? "connect" : "secureConnect");
    this.#read(socket, new StreamFramer(true));
    return { send: (bytes) => socket.write(bytes) };
  }

  /** Raw bytes to an address; UDP only. */
  #udpSend: ((bytes: Buffer, port: number) => void) | undefined;
  datagram(bytes: Buffer | string, port: number): void {
    this.#udpSend?.(Buffer.from(bytes), port);
  }

  /** From the peer's own UDP socket to whoever sent that request. */
  towards({ message }: Received<SipRequest>): Flow {
    return { send: (bytes) => this.datagram(bytes, contactPort({ message })) };
  }

  async #openUdp(port: number): Promise<void> {
    const { host } = this;
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    await bind(socket, port, host);
    this.#udpSend = (bytes, to) => socket.send(bytes, to, "127.0.0.1");
    socket.on("message", (bytes, from) => {
      const parsed = parseSip(bytes);
      if (parsed.outcome !== "message") return;
      const { message } = parsed;
      const [top] = message.vias;
      const back = message.kind === "request" ? responseTarget(withSource(top, from.address, from.port)) : undefined;
      const to = back?.port ?? from.port;
      this.#receive(bytes, { send: (answer) => socket.send(answer, to, from.address) });
    });
    this.#closers.push(() => new Promise((resolve) => socket.close(() => resolve())));
  }

  async #listen(server: Server, port: number, event: "connection" | "secureConnection"): Promise<void> {
    server.on(event, (socket: Socket) => {
      this.connections += 1;
      this.remotes.push(socket.remoteAddress);
      if (socket instanceof TLSSocket) this.serverNames.push(socket.servername);
      this.#read(socket, new StreamFramer(false));
    });
    await listen(server, port, this.host);
    this.#closers.push(() => new Promise((resolve) => server.close(() => resolve())));
  }

  #read(socket: Socket, framer: StreamFramer): void {
    this.flows.add(socket);
    socket.on("close", () => this.flows.delete(socket));
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => {
      for (const frame of framer.push(chunk)) {
        if (frame.kind === "message") this.#receive(frame.bytes, { send: (bytes) => socket.write(bytes) });
        else if (frame.kind === "ping" && !this.#deaf) {
          this.pings += 1;
          socket.write("\r\n");
        }
      }
    });
  }

  async #openWebSocket(port: number, tls: Credentials | undefined): Promise<void> {
    const http = tls === undefined ? createHttpServer() : createHttpsServer({ cert: tls.cert, key: tls.key });
    await listen(http, port, this.host);
    this.#closers.push(() => new Promise((resolve) => http.close(() => resolve())));
    const sockets = new WebSocketServer({
      server: http,
      handleProtocols: (asked, { url }) => (asked.has("sip") && url !== "/nosip" ? "sip" : false),
    });
    sockets.on("connection", (socket: WebSocket, { url, headers, socket: under }) => {
      this.connections += 1;
      this.remotes.push(under.remoteAddress);
      if (under instanceof TLSSocket) this.serverNames.push(under.servername);
      this.upgrades.push({ path: url, host: headers.host, protocol: headers["sec-websocket-protocol"] });
      this.flows.add({ destroy: () => socket.terminate(), pause: () => socket.pause() });
      socket.on("ping", () => (this.pings += 1));
      socket.on("message", (data: Buffer) => this.#receive(data, { send: (bytes) => socket.send(bytes.toString()) }));
    });
  }

  #receive(bytes: Buffer, flow: Flow): void {
    const parsed = parseSip(bytes);
    if (parsed.outcome !== "message") return;
    const { message } = parsed;
    const received: Received = { message, flow, text: bytes.toString("utf8") };
    this.log.push(received);
    if (message.kind === "request") {
      const key = keyOf(message);
      const answer = this.#answered.get(key);
      if (answer !== undefined) {
        flow.send(answer);
        return;
      }
      if (this.#seen.has(key)) return;
      this.#seen.add(key);
      if (message.method === "OPTIONS" && this.#optionsStatus !== undefined) {
        this.reply(received as Received<SipRequest>, this.#optionsStatus);
        return;
      }
    }
    const index = this.#waiting.findIndex(({ accepts }) => accepts(message));
    if (index >= 0) this.#waiting.splice(index, 1)[0]?.take(received);
    else this.#queue.push(received);
  }
}

function keyOf(request: SipRequest): string {
  return `${request.vias[0].branch} ${request.method}`;
}

function uriTransport(transport: SipTransportName): string {
  return transport === "wss" ? "ws" : transport;
}

/** The lines of one header, for looking at what the stack sent. */
export function lines({ message }: Received, name: string): string[] {
  return headerValues(message, name);
}

/** Where the sender of an INVITE wants to be called. */
export function contactPort({ message }: Pick<Received, "message">): number {
  const uri = message.contacts === "*" ? undefined : message.contacts[0]?.uri;
  return uri?.kind === "sip" ? (uri.port ?? 5060) : 0;
}
