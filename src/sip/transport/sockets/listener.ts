// Takes connections of others on one port, over TCP or TLS. Whoever is no peer, does not finish the handshake or says
// nothing whole is closed in time: no stranger holds a place, and a stop waits for nobody. What is said is streams.ts's business.
import { createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket, type SecureContext } from "node:tls";
import { Crowd } from "../../../core/policy/crowd.ts";
import type { Admittance } from "./connection.ts";
import { plainAddress, type Endpoint } from "./target.ts";
import { TransportError, transportError } from "./transport-error.ts";

/** From the connection to the end of the handshake, however slowly bytes trickle in. */
const HANDSHAKE_MS = 10_000;
/** From the end of the handshake to the first whole message; keep-alives alone are none. */
const FIRST_MESSAGE_MS = 30_000;
/** A trunk's proxy needs one connection, a large one a few dozen. */
const LIMITS = { all: 1_000, fromOneAddress: 200 };

type Unwanted =
  | "address is no peer of the trunk"
  | "TLS handshake not finished in time"
  | "TLS handshake failed"
  | "no SIP message in time"
  | "too many connections";

interface OwnCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** PEM, asked for with each connection; undefined: plain TCP. */
  readonly tls: (() => OwnCertificate) | undefined;
  readonly admit: (address: string) => Admittance;
  /** A connection whose handshake is done; `heard` is to be called with each whole message on it. */
  readonly accepted: (socket: Socket, remote: Endpoint, heard: () => void) => void;
  /** It has been closed. */
  readonly turnedAway: (why: Unwanted, address: string) => void;
}

export interface Listener {
  readonly local: Endpoint;
  /** Closes at once, with all that was accepted. */
  close(): Promise<void>;
}

/** Throws TransportError. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { host, port, tls, admit, accepted, turnedAway } = options;
  const where = `${tls === undefined ? "tcp" : "tls"} ${host}:${port}`;
  const crowd = new Crowd(LIMITS);
  const contextNow = tls && contexts(tls);
  // A certificate that is no good is told now.
  contextNow?.();
  const server = createServer({ noDelay: true }, (raw) => {
    raw.on("error", () => {});
    const address = plainAddress(raw.remoteAddress ?? "");
    const endFor = (why: Unwanted): void => {
      if (raw.destroyed) return;
      raw.destroy();
      turnedAway(why, address);
    };
    if (admit(address) === "none") {
      endFor("address is no peer of the trunk");
      return;
    }
    const { member, closed } = crowd.add(address, () => raw.destroy());
    if (closed !== undefined) turnedAway("too many connections", closed);
    let timer: NodeJS.Timeout | undefined;
    const within = (ms: number, why: Unwanted): void => {
      clearTimeout(timer);
      timer = setTimeout(() => endFor(why), ms);
    };
    raw.once("close", () => {
      clearTimeout(timer);
      member.gone();
    });
    const ready = (socket: Socket): void => {
      within(FIRST_MESSAGE_MS, "no SIP message in time");
      accepted(socket, { address, port: raw.remotePort ?? 0 }, () => {
        clearTimeout(timer);
        member.heard();
      });
    };
    if (contextNow === undefined) {
      ready(raw);
      return;
    }
    within(HANDSHAKE_MS, "TLS handshake not finished in time");
    const secured = new TLSSocket(raw, { isServer: true, secureContext: contextNow() });
    const failed = (): void => endFor("TLS handshake failed");
    secured.once("error", failed);
    secured.once("secure", () => {
      secured.off("error", failed);
      ready(secured);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(transportError(error, where)));
    server.listen(port, host, resolve);
  });
  server.removeAllListeners("error");
  server.on("error", () => {});
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new TransportError("other", "no address after listen");
  return {
    local: { address: bound.address, port: bound.port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        crowd.closeAll();
      }),
  };
}

/** Made anew when the certificate is another one. */
function contexts(tls: () => OwnCertificate): () => SecureContext {
  let from: OwnCertificate | undefined;
  let made: SecureContext | undefined;
  return () => {
    const own = tls();
    if (made === undefined || from?.cert !== own.cert || from.key !== own.key) {
      from = own;
      made = createSecureContext({ ...own, minVersion: "TLSv1.2" });
    }
    return made;
  };
}
