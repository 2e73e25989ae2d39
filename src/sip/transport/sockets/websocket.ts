// SIP over WebSocket (RFC 7118), client only: one connection to each URL, kept alive with pings.
import { isIP } from "node:net";
import { checkServerIdentity, type PeerCertificate } from "node:tls";
import { WebSocket } from "ws";
import type { TrunkSettings } from "../../../ports/sip.ts";
import { CONNECT_TIMEOUT_MS, type Connection, type ConnectionEvents } from "./connection.ts";
import { ConnectionPool, stopped } from "./connection-pool.ts";
import { boundTo } from "./local-address.ts";
import { bracketed, plainAddress, type Endpoint, type Target } from "./target.ts";
import { TransportError, transportError } from "./transport-error.ts";

const MAX_MESSAGE_BYTES = 128 * 1024;

export interface WebSocketOptions extends ConnectionEvents {
  /** Those of the moment. */
  readonly tls: () => TrunkSettings["tls"];
  /** As in StreamOptions. */
  readonly localHost: string;
  readonly keepAliveMs: number;
}

export class WebSockets {
  readonly #options: WebSocketOptions;
  readonly #connections = new ConnectionPool();
  /** Those that are not connected yet. */
  readonly #opening = new Set<WebSocket>();

  constructor(options: WebSocketOptions) {
    this.#options = options;
  }

  /** The open connection to the target, or a new one. Rejects with TransportError. */
  connect(target: Target, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Connection> {
    return this.#connections.reuse(target, () => this.#open(target, timeoutMs));
  }

  close(): void {
    this.#connections.close();
    for (const socket of this.#opening) socket.terminate();
  }

  #open(target: Target, timeoutMs: number): Promise<Connection> {
    const where = `${target.address}:${target.port} ${target.transport}`;
    const socket = new WebSocket(urlOf(target), "sip", {
      handshakeTimeout: timeoutMs,
      maxPayload: MAX_MESSAGE_BYTES,
      perMessageDeflate: false,
      ...boundTo(this.#options.localHost, target),
      headers: { Host: `${bracketed(target.host)}:${target.port}` },
      ...this.#tlsOptions(target),
    });
    // The library's own limit is one between bytes: a server could let them trickle in.
    const timer = setTimeout(() => socket.terminate(), timeoutMs);
    this.#opening.add(socket);
    const settled = (): void => {
      clearTimeout(timer);
      this.#opening.delete(socket);
    };
    socket.once("close", settled);
    let local: Endpoint = { address: "", port: 0 };
    socket.once("upgrade", ({ socket: { localAddress = "", localPort = 0 } }) => {
      local = { address: plainAddress(localAddress), port: localPort };
    });
    return new Promise((resolve, reject) => {
      // For as long as the socket lives: a second error without a listener would end the process.
      socket.on("error", (error) => reject(webSocketError(error, where)));
      socket.once("open", () => {
        settled();
        // RFC 7118 s4.1: a server that does not speak SIP must not be sent any.
        if (this.#connections.closed) {
          socket.terminate();
          reject(stopped(target));
          return;
        }
        if (socket.protocol !== "sip") {
          socket.terminate();
          reject(new TransportError("websocket", `${where}: server does not speak the "sip" subprotocol`));
          return;
        }
        const connection = new WebSocketConnection(socket, target, local, this.#options, () => {
          this.#connections.forget(connection);
        });
        this.#connections.keep(connection);
        resolve(connection);
      });
    });
  }

  #tlsOptions(target: Target): object {
    if (target.transport !== "wss") return {};
    const { ca, certificate, key, serverName } = this.#options.tls();
    const name = serverName ?? target.host;
    return {
      minVersion: "TLSv1.2",
      ...(isIP(name) === 0 ? { servername: name } : {}),
      checkServerIdentity: (_host: string, peer: PeerCertificate) => checkServerIdentity(name, peer),
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    };
  }
}

/** To the address that was decided on; the name goes into Host and SNI. */
function urlOf(target: Target): string {
  return `${target.transport}://${bracketed(target.address)}:${target.port}${target.path}`;
}

function webSocketError(error: Error, where: string): TransportError {
  if (error.message.startsWith("Unexpected server response") || /subprotocol/i.test(error.message)) {
    return new TransportError("websocket", `${where}: ${error.message}`, { cause: error });
  }
  return transportError(error, where);
}

class WebSocketConnection implements Connection {
  readonly transport: "ws" | "wss";
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly ours = true;
  readonly #socket: WebSocket;
  readonly #where: string;
  readonly #events: ConnectionEvents;
  #answered = true;

  constructor(socket: WebSocket, target: Target, local: Endpoint, events: WebSocketOptions, onClose: () => void) {
    this.local = local;
    this.#events = events;
    this.transport = target.transport === "wss" ? "wss" : "ws";
    this.remote = { address: target.address, port: target.port };
    this.#where = `${target.address}:${target.port} ${target.transport}`;
    this.#socket = socket;
    let reason: Error | undefined;
    socket.on("message", (payload: Buffer | ArrayBuffer | Buffer[]) => {
      // RFC 7118 s5.1: one message a frame, text or binary.
      const whole = payload instanceof ArrayBuffer ? Buffer.from(payload) : payload;
      events.message(Array.isArray(whole) ? Buffer.concat(whole) : whole, this);
    });
    socket.on("pong", () => (this.#answered = true));
    socket.on("error", (error) => (reason = webSocketError(error, this.#where)));
    const keepAlive = setInterval(() => {
      if (!this.#answered) {
        reason = new TransportError("timeout", `${this.#where}: keep-alive not answered`);
        socket.terminate();
        return;
      }
      this.#answered = false;
      socket.ping();
    }, events.keepAliveMs);
    socket.once("close", () => {
      clearInterval(keepAlive);
      onClose();
      events.closed(this, reason);
    });
  }

  get open(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(bytes: Buffer): Promise<void> {
    if (!this.open) return Promise.reject(new TransportError("closed", `${this.#where}: connection closed`));
    this.#events.sent(bytes, this);
    return new Promise((resolve, reject) => {
      this.#socket.send(bytes.toString("utf8"), (error) => {
        if (error === undefined || error === null) resolve();
        else reject(transportError(error, this.#where));
      });
    });
  }

  close(): void {
    this.#socket.terminate();
  }
}
