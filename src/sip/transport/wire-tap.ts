// Hands every message of a trunk to whoever keeps ladders, with the addresses that it went between.
import type { TrunkName } from "../../core/ids.ts";
import type { LadderTap } from "../../ports/ladders/tap.ts";
import type { Connection } from "./sockets/connection.ts";
import { addressTowards, isWildcard } from "./sockets/local-address.ts";
import type { Endpoint } from "./sockets/target.ts";

/** Peers that a socket on all addresses talks with; those that come after so many are shown at our wildcard. */
const mostPeers = 1_000;

export class WireTap {
  readonly #tap: Pick<LadderTap, "sip">;
  readonly #trunk: TrunkName;
  /** Of a UDP socket that is bound to all addresses: from which one packets leave to a peer. */
  readonly #ours = new Map<string, string>();
  /** Undefined: no UDP socket. */
  udp: Endpoint | undefined;

  constructor(tap: Pick<LadderTap, "sip">, trunk: TrunkName) {
    this.#tap = tap;
    this.#trunk = trunk;
  }

  said(way: "in" | "out", bytes: Buffer, remote: Endpoint, connection: Connection | undefined): void {
    const local = connection?.local ?? this.#udpTowards(remote);
    if (local === undefined) return;
    this.#tap.sip({ trunk: this.#trunk, way, transport: connection?.transport ?? "udp", local, remote, bytes });
  }

  #udpTowards(remote: Endpoint): Endpoint | undefined {
    if (this.udp === undefined || !isWildcard(this.udp.address)) return this.udp;
    const known = this.#ours.get(remote.address);
    if (known !== undefined) return { address: known, port: this.udp.port };
    if (this.#ours.size < mostPeers) {
      this.#ours.set(remote.address, this.udp.address);
      void addressTowards(remote, this.udp.address).then((address) => this.#ours.set(remote.address, address));
    }
    return this.udp;
  }
}
