// Symmetric RTP (RFC 4961) with a lock: where a peer really is gets learnt from its first packet, from an address that the
// SDP or the configuration names and no other, and then nobody else is heard until a new SDP comes. Without that, anyone who
// finds the port could speak into the call, or have it sent to himself.
import type { BlockList } from "node:net";
import { canonicalAddress } from "../../core/sdp/address.ts";
import { isWithin } from "./network.ts";

export interface Target {
  readonly address: string;
  readonly port: number;
}

export interface PeerMemory {
  readonly named: Target | undefined;
  readonly learnt: Target | undefined;
}

export class PeerLock {
  readonly #networks: BlockList;
  #named: Target | undefined;
  #learnt: Target | undefined;

  /** `networks`: where a peer may be besides the address that is named. `before`: what an earlier session of the dialog knew. */
  constructor(networks: BlockList, before?: PeerMemory) {
    this.#networks = networks;
    this.#named = before?.named;
    this.#learnt = before?.learnt;
  }

  get memory(): PeerMemory {
    return { named: this.#named, learnt: this.#learnt };
  }

  /** Where to send to; undefined before anything was named. */
  get target(): Target | undefined {
    return this.#learnt ?? this.#named;
  }

  /** A new SDP: where the peer says it is. What was learnt is kept only if it says the same as before. */
  name(named: Target): void {
    if (this.#named?.address === named.address && this.#named.port === named.port) return;
    this.#named = named;
    this.#learnt = undefined;
  }

  /** May a packet from there be the peer's? */
  admits(from: Target): boolean {
    if (this.hasLearnt(from)) return true;
    // Nothing can be sent to port 0, which whoever forges a source may write (RFC 768).
    if (this.#named === undefined || from.port === 0) return false;
    const isAtAddress = canonicalAddress(from.address) === this.#named.address;
    // The very place that the SDP names is right even after another was learnt: late packets of the place before, or of
    // another call of the same gateway, may have come first.
    if (isAtAddress && from.port === this.#named.port) return true;
    return this.#learnt === undefined && (isAtAddress || isWithin(this.#networks, from.address));
  }

  /** The peer has spoken from there, where it was admitted. True if that is news. */
  learn(from: Target): boolean {
    if (this.hasLearnt(from)) return false;
    this.#learnt = { address: from.address, port: from.port };
    return true;
  }

  /** Whether that is where the peer has spoken from. */
  hasLearnt({ address, port }: Target): boolean {
    return this.#learnt !== undefined && this.#learnt.port === port && this.#learnt.address === address;
  }
}
