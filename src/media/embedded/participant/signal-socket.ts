// The WebSocket to a LiveKit server over which we are in a conference: in by a token, kept alive by pings, over once.
import { WebSocket, type RawData } from "ws";
import type { Admission } from "../../../ports/conference.ts";
import { clockMs } from "../base/clock.ts";
import { joinRequest, leave, ping, readSignal, type ServerSignal } from "./signal.ts";

export interface SocketReports {
  signal(signal: ServerSignal): void;
  /** Over for good, by nobody's wish here. `isFinal`: we are not wanted any more. */
  over(reason: string, isFinal: boolean): void;
}

const handshakeMs = 5000;
const mostOctets = 1_048_576;
/** What the server has to take up before we hang up. */
const closingMs = 1000;

export class SignalSocket {
  readonly #socket: WebSocket;
  readonly #reports: SocketReports;
  readonly #handshake: NodeJS.Timeout;
  #pinging: NodeJS.Timeout | undefined;
  #heardAtMs = 0;
  #isOver = false;

  /** Throws where the address of the server is none. */
  constructor({ url, token }: Admission, reports: SocketReports) {
    this.#reports = reports;
    // Not in the URL, which ends up in logs of proxies.
    const headers = { Authorization: `Bearer ${token}` };
    this.#socket = new WebSocket(signalUrl(url), {
      headers,
      handshakeTimeout: handshakeMs,
      maxPayload: mostOctets,
      perMessageDeflate: false,
    });
    // The library's own limit is one between bytes: a server could let them trickle in.
    this.#handshake = setTimeout(() => this.#end("no answer"), handshakeMs);
    this.#socket.on("error", (error) => this.#end(error.message));
    this.#socket.on("close", (code) => this.#end(`closed with ${code}`));
    this.#socket.on("message", (data) => this.#hear(data));
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(bytes);
  }

  /** We leave. Nothing is reported any more. */
  close(): void {
    this.send(leave());
    this.#stop();
  }

  #hear(data: RawData): void {
    if (this.#isOver) return;
    this.#heardAtMs = clockMs();
    const signal = data instanceof Buffer ? readSignal(data) : undefined;
    if (signal === undefined) {
      this.#end("not a LiveKit server");
      return;
    }
    if (signal.kind === "joined") this.#keepAlive(signal.pingIntervalMs, signal.pingTimeoutMs);
    if (signal.kind === "left") this.#end(signal.reason, signal.isFinal);
    else this.#reports.signal(signal);
  }

  #keepAlive(intervalMs: number, timeoutMs: number): void {
    clearTimeout(this.#handshake);
    clearInterval(this.#pinging);
    this.#pinging = setInterval(() => {
      if (clockMs() - this.#heardAtMs > timeoutMs) this.#end("silent");
      else this.send(ping(clockMs()));
    }, intervalMs);
  }

  #end(reason: string, isFinal = false): void {
    if (this.#isOver) return;
    this.#stop();
    this.#reports.over(reason, isFinal);
  }

  #stop(): void {
    this.#isOver = true;
    clearTimeout(this.#handshake);
    clearInterval(this.#pinging);
    if (this.#socket.readyState !== WebSocket.OPEN) {
      this.#socket.terminate();
      return;
    }
    this.#socket.close();
    setTimeout(() => this.#socket.terminate(), closingMs).unref();
  }
}

function signalUrl(address: string): URL {
  const url = new URL(address);
  if (url.protocol === "http:") url.protocol = "ws:";
  if (url.protocol === "https:") url.protocol = "wss:";
  if (url.protocol !== "ws:" && url.protocol !== "wss:")
    throw new Error(`no address of a media server: ${url.protocol}`);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/rtc/v1`;
  url.search = new URLSearchParams({ join_request: joinRequest() }).toString();
  return url;
}
