// The way to a HEP collector (Homer) over UDP, TCP or TLS. Nothing waits for it: what it does not take is dropped, and the log
// says once that it is away, and once that it is back.
import { createSocket } from "node:dgram";
import { connect as connectTcp, isIP, isIPv6, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";

export interface CollectorSettings {
  readonly host: string;
  readonly port: number;
  readonly transport: "udp" | "tcp" | "tls";
}

const againAfterMs = 10_000;
/** A collector that reads nothing must not fill our memory. */
const mostUnsentBytes = 1024 * 1024;

export interface Collector {
  /** Never throws. */
  send(packet: Buffer): void;
  close(): void;
}

/** Says each change once. */
class Standing {
  readonly #log: Log;
  #isAway = false;
  #dropped = 0;
  constructor(log: Log) {
    this.#log = log;
  }
  away(error: unknown): void {
    if (!this.#isAway)
      this.#log.warn("the HEP collector is away: it gets no ladders", { error, setting: "ladders.homer" });
    this.#isAway = true;
  }
  dropped(): void {
    this.#dropped += 1;
  }
  there(): void {
    if (this.#isAway) this.#log.info("the HEP collector is back", { dropped: this.#dropped });
    this.#isAway = false;
    this.#dropped = 0;
  }
}

export function openCollector(settings: CollectorSettings, clock: Clock, log: Log): Collector {
  const standing = new Standing(log);
  return settings.transport === "udp" ? overUdp(settings, standing) : new Stream(settings, standing, clock);
}

function overUdp({ host, port }: CollectorSettings, standing: Standing): Collector {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  socket.unref();
  let isOpen = true;
  socket.on("error", (error) => standing.away(error));
  return {
    send(packet) {
      if (!isOpen) return;
      socket.send(packet, port, host, (error) => {
        if (error === null) return standing.there();
        standing.dropped();
        standing.away(error);
      });
    },
    close() {
      isOpen = false;
      socket.close();
    },
  };
}

class Stream implements Collector {
  readonly #settings: CollectorSettings;
  readonly #standing: Standing;
  readonly #clock: Clock;
  #socket: Socket | undefined;
  #isClosed = false;
  #cancel: () => void = () => {};

  constructor(settings: CollectorSettings, standing: Standing, clock: Clock) {
    this.#settings = settings;
    this.#standing = standing;
    this.#clock = clock;
    this.#open();
  }

  send(packet: Buffer): void {
    // While it connects, the first packets wait in the socket.
    if (this.#socket === undefined || this.#socket.writableLength > mostUnsentBytes) this.#standing.dropped();
    else this.#socket.write(packet);
  }

  close(): void {
    this.#isClosed = true;
    this.#cancel();
    this.#socket?.destroy();
  }

  #open(): void {
    const { host, port, transport } = this.#settings;
    const socket =
      transport === "tls"
        ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }) })
        : connectTcp({ host, port });
    this.#socket = socket;
    socket.unref();
    let reason: unknown = new Error("connection closed");
    socket.on("error", (error) => (reason = error));
    socket.once(transport === "tls" ? "secureConnect" : "connect", () => {
      this.#standing.there();
    });
    // A collector says nothing; what it says is read, so that its end is seen.
    socket.resume();
    socket.once("close", () => {
      this.#socket = undefined;
      if (this.#isClosed) return;
      this.#standing.away(reason);
      this.#cancel = this.#clock.at(this.#clock.nowMs() + againAfterMs, () => this.#open());
    });
  }
}
