// The open connections of one kind, by where they lead: one to each place, opened once however many ask at a time
// (RFC 3261 s18, RFC 5923). How one is opened and what runs on it is streams.ts's and websocket.ts's business.
import type { Connection } from "./connection.ts";
import { targetKey, type Target } from "./target.ts";
import { TransportError } from "./transport-error.ts";

export class ConnectionPool {
  readonly #connections = new Map<string, Connection>();
  readonly #opening = new Map<string, Promise<Connection>>();
  #closed = false;

  get closed(): boolean {
    return this.#closed;
  }

  /** The open connection to the target, or what `open` makes, for all who ask meanwhile. Rejects with TransportError. */
  reuse(target: Target, open: () => Promise<Connection>): Promise<Connection> {
    const key = targetKey(target);
    const known = this.#connections.get(key);
    if (known?.open === true) return Promise.resolve(known);
    const opening = this.#opening.get(key);
    if (opening !== undefined) return opening;
    if (this.#closed) return Promise.reject(stopped(target));
    const opened = open().finally(() => this.#opening.delete(key));
    this.#opening.set(key, opened);
    return opened;
  }

  isOpen(target: Target): boolean {
    return this.#connections.get(targetKey(target))?.open === true;
  }

  /** Keeps a connection, by the place it leads to, until it is forgotten. */
  keep(connection: Connection): void {
    this.#connections.set(targetKey({ ...connection.remote, transport: connection.transport }), connection);
  }

  /** It has ended. Another to the same place stays. */
  forget(connection: Connection): void {
    const key = targetKey({ ...connection.remote, transport: connection.transport });
    if (this.#connections.get(key) === connection) this.#connections.delete(key);
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#connections.values()) connection.close();
  }
}

/** What whoever opens a connection hears after `close`. */
export function stopped({ address, port, transport }: Target): TransportError {
  return new TransportError("closed", `${address}:${port} ${transport}: trunk is stopped`);
}
