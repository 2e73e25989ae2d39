// What a connection is to the hub, whichever transport carries it.
import type { SipTransportName } from "../../../ports/sip.ts";
import type { Endpoint } from "./target.ts";

/** What may come from an address: requests of any kind, those inside dialogs only, or none. */
export type Admittance = "all" | "dialogs" | "none";

export interface Connection {
  readonly transport: SipTransportName;
  readonly remote: Endpoint;
  readonly local: Endpoint;
  /** We opened it, so that whoever is at the other end is whom we called. */
  readonly ours: boolean;
  readonly open: boolean;
  /** One whole message. Rejects with TransportError. */
  send(bytes: Buffer): Promise<void>;
  close(): void;
}

/** Where messages of connections go. */
export interface ConnectionEvents {
  message(bytes: Buffer, from: Connection): void;
  /** It leaves now. */
  sent(bytes: Buffer, to: Connection): void;
  closed(connection: Connection, reason: Error | undefined): void;
}

export const CONNECT_TIMEOUT_MS = 10_000;
/** RFC 5626 s4.4.1 advises 95 to 120 s for TCP; NATs in front of offices forget sooner. */
export const DEFAULT_KEEP_ALIVE_MS = 30_000;
