// TCP and TLS: connections opened, accepted (listener.ts), reused (connection-pool.ts), cut into messages, kept alive
// (RFC 5626 s4.4.1). Who may say what on them is the hub's business.
import { connect as connectTcp, type Socket } from "node:net";
import { checkServerIdentity, connect as connectTls } from "node:tls";
import type { TrunkSettings } from "../../../ports/sip.ts";
import { StreamFramer } from "../../wire/stream-framer.ts";
import { CONNECT_TIMEOUT_MS, type Connection, type ConnectionEvents } from "./connection.ts";
import { ConnectionPool, stopped } from "./connection-pool.ts";
import type { Admittance } from "./connection.ts";
import { listen, type Listener, type ListenerOptions } from "./listener.ts";
import { boundTo } from "./local-address.ts";
import { plainAddress, tlsNames, type Endpoint, type Target } from "./target.ts";
import { TransportError, transportError } from "./transport-error.ts";

const PING = Buffer.from("\r\n\r\n");
const PONG = Buffer.from("\r\n");
/** A peer that reads nothing must not fill our memory. */
const MAX_UNSENT_BYTES = 1024 * 1024;
/** An accepted connection on which nothing comes is closed. */
const IDLE_MS = 10 * 60_000;
/** A message that has begun must be all there by then. */
const UNFINISHED_MS = 30_000;

export interface StreamOptions extends ConnectionEvents {
  /** Those of the moment. */
  readonly tls: () => TrunkSettings["tls"];
  /** The address that connections of ours leave from; any where it is a wildcard. */
  readonly localHost: string;
  /** What the trunk's servers are called. */
  readonly serverNames: readonly string[];
  /** From where nothing may come no connection stays. */
  readonly admit: (address: string) => Admittance;
  readonly turnedAway: ListenerOptions["turnedAway"];
  readonly keepAliveMs: number;
}

export class Streams {
  readonly #options: StreamOptions;
  readonly #connections = new ConnectionPool();
  readonly #listeners: Listener[] = [];
  /** Those of ours that are not connected yet. */
  readonly #opening = new Set<Socket>();

  constructor(options: StreamOptions) {
    this.#options = options;
  }

  /** An open connection to the target: the one there is, or a new one. Rejects with TransportError. */
  connect(target: Target, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Connection> {
    return this.#connections.reuse(target, () => this.#open(target, timeoutMs));
  }

  isOpen(target: Target): boolean {
    return this.#connections.isOpen(target);
  }

  /** Takes connections; gives the bound endpoint. Throws TransportError. TLS needs a certificate in the settings. */
  async listen(transport: "tcp" | "tls", host: string, port: number): Promise<Endpoint> {
    const { tls, admit, turnedAway } = this.#options;
    const own = (): { cert: string; key: string } => {
      const { certificate: cert = "", key = "" } = tls();
      return { cert, key };
    };
    const listener = await listen({
      host,
      port,
      tls: transport === "tcp" ? undefined : own,
      admit: (address) => (this.#connections.closed ? "none" : admit(address)),
      accepted: (socket, remote, heard) => this.#accept(socket, transport, remote, heard),
      turnedAway,
    });
    this.#listeners.push(listener);
    return listener.local;
  }

  async close(): Promise<void> {
    this.#connections.close();
    for (const socket of this.#opening) socket.destroy(new TransportError("closed", "trunk is stopped"));
    await Promise.all(this.#listeners.map((listener) => listener.close()));
  }

  #open(target: Target, timeoutMs: number): Promise<Connection> {
    const where = `${target.address}:${target.port} ${target.transport}`;
    return new Promise((resolve, reject) => {
      const socket = this.#dial(target);
      this.#opening.add(socket);
      socket.once("close", () => this.#opening.delete(socket));
      const timer = setTimeout(() => {
        socket.destroy(new TransportError("timeout", `${where}: no connection within ${timeoutMs} ms`));
      }, timeoutMs);
      const failed = (error: Error): void => {
        clearTimeout(timer);
        reject(transportError(error, where));
      };
      socket.once("error", failed);
      socket.once(target.transport === "tls" ? "secureConnect" : "connect", () => {
        clearTimeout(timer);
        this.#opening.delete(socket);
        socket.off("error", failed);
        if (this.#connections.closed) {
          socket.destroy();
          reject(stopped(target));
          return;
        }
        resolve(this.#adopt(socket, target.transport === "tls" ? "tls" : "tcp", target, true));
      });
    });
  }

  #dial(target: Target): Socket {
    const { address: host, port } = target;
    const from = boundTo(this.#options.localHost, target);
    if (target.transport !== "tls") return connectTcp({ host, port, noDelay: true, ...from });
    const { ca, certificate, key, serverName } = this.#options.tls();
    const { names, shown } = tlsNames(target, serverName, this.#options.serverNames);
    return connectTls({
      host,
      port,
      ...from,
      minVersion: "TLSv1.2",
      // RFC 6066 s3: an address is no server name, but it may be what the certificate is for.
      ...(shown === undefined ? {} : { servername: shown }),
      checkServerIdentity: (_host, certificate) => {
        const wrong = names.map((name) => checkServerIdentity(name, certificate));
        return wrong.includes(undefined) ? undefined : wrong[0];
      },
      ...(ca === undefined ? {} : { ca }),
      ...(certificate === undefined || key === undefined ? {} : { cert: certificate, key }),
    });
  }

  #accept(socket: Socket, transport: "tcp" | "tls", remote: Endpoint, heard: () => void): void {
    socket.setTimeout(IDLE_MS, () => socket.destroy());
    this.#adopt(socket, transport, remote, false, heard);
  }

  #adopt(
    socket: Socket,
    transport: "tcp" | "tls",
    remote: Endpoint,
    ours: boolean,
    heard = (): void => {},
  ): Connection {
    const message = (bytes: Buffer, from: Connection): void => {
      heard();
      this.#options.message(bytes, from);
    };
    const connection = new StreamConnection(socket, transport, remote, ours, { ...this.#options, message }, () => {
      this.#connections.forget(connection);
    });
    this.#connections.keep(connection);
    return connection;
  }
}

class StreamConnection implements Connection {
  readonly transport: "tcp" | "tls";
  readonly remote: Endpoint;
  readonly local: Endpoint;
  readonly ours: boolean;
  readonly #socket: Socket;
  readonly #framer: StreamFramer;
  readonly #events: ConnectionEvents;
  readonly #keepAlive: NodeJS.Timeout | undefined;
  #reason: Error | undefined;
  /** A ping of ours without its pong. Not every peer answers; those who did once are held to it. */
  #pinged = false;
  #pongs = 0;
  #unfinished: NodeJS.Timeout | undefined;

  constructor(
    socket: Socket,
    transport: "tcp" | "tls",
    remote: Endpoint,
    ours: boolean,
    events: StreamOptions,
    onClose: () => void,
  ) {
    this.transport = transport;
    this.remote = { address: remote.address, port: remote.port };
    this.local = { address: plainAddress(socket.localAddress ?? ""), port: socket.localPort ?? 0 };
    this.ours = ours;
    this.#socket = socket;
    this.#events = events;
    this.#framer = new StreamFramer(ours);
    socket.setKeepAlive(true, events.keepAliveMs);
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", (error) => (this.#reason = transportError(error, this.#where)));
    socket.once("close", () => {
      clearInterval(this.#keepAlive);
      clearTimeout(this.#unfinished);
      onClose();
      events.closed(this, this.#reason);
    });
    if (ours) this.#keepAlive = setInterval(() => this.#ping(), events.keepAliveMs);
  }

  get open(): boolean {
    return !this.#socket.destroyed && this.#socket.writable;
  }

  get #where(): string {
    return `${this.remote.address}:${this.remote.port} ${this.transport}`;
  }

  send(bytes: Buffer): Promise<void> {
    if (!this.open) return Promise.reject(new TransportError("closed", `${this.#where}: connection closed`));
    if (this.#socket.writableLength > MAX_UNSENT_BYTES) {
      this.#socket.destroy(new TransportError("timeout", `${this.#where}: peer does not read`));
      return Promise.reject(new TransportError("timeout", `${this.#where}: peer does not read`));
    }
    this.#events.sent(bytes, this);
    return new Promise((resolve, reject) => {
      this.#socket.write(bytes, (error) => {
        if (error === null || error === undefined) resolve();
        else reject(transportError(error, this.#where));
      });
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #ping(): void {
    if (this.#pinged && this.#pongs > 0) {
      this.#socket.destroy(new TransportError("timeout", `${this.#where}: keep-alive not answered`));
      return;
    }
    this.#pinged = true;
    this.#socket.write(PING);
  }

  #receive(chunk: Buffer): void {
    const frames = this.#framer.push(chunk);
    if (frames.length > 0 || !this.#framer.unfinished) {
      clearTimeout(this.#unfinished);
      this.#unfinished = undefined;
    }
    if (this.#framer.unfinished) {
      this.#unfinished ??= setTimeout(() => {
        this.#socket.destroy(new TransportError("timeout", `${this.#where}: message not finished`));
      }, UNFINISHED_MS);
    }
    for (const frame of frames) {
      switch (frame.kind) {
        case "message":
          this.#events.message(frame.bytes, this);
          break;
        case "ping":
          this.#socket.write(PONG);
          break;
        case "pong":
          this.#pinged = false;
          this.#pongs += 1;
          break;
        case "error":
          // RFC 3261 s18.3: what could still be read is answered 400, then the connection is of no use.
          this.#events.message(frame.head, this);
          this.#socket.end();
          this.#reason = new TransportError("malformed", `${this.#where}: ${frame.problem}`);
          return;
      }
    }
  }
}
