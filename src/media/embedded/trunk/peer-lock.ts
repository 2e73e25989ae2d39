// Symmetric RTP (RFC 4961) with a lock: where a peer really is gets learnt from its first packet, from an address that the
// SDP or the configuration names and no other, and then nobody else is heard until a new SDP comes, or the peer falls silent
// and is heard from another port. Without that, anyone who finds the port could speak into the call, or have it sent to himself.
import { canonicalAddress } from "../../../core/address/ip.ts";

export interface Target {
  readonly address: string;
  readonly port: number;
}

/** Whether an address is in one of the networks where a peer may be. */
export type Networks = (address: string) => boolean;

export interface PeerRules {
  /** Where it is sent to. `lock`: as learnt. `follow`: wherever its last packet came from. `sdp`: where its SDP says. */
  readonly peer: "lock" | "follow" | "sdp";
  /** How long the peer has to be silent before another port of its address is believed. */
  readonly relearnMs: number;
}

/** From another place, while the peer is silent. */
const packetsToBelieve = 3;

export interface PeerMemory {
  readonly named: Target | undefined;
  readonly learnt: Target | undefined;
}

export class PeerLock {
  readonly #isAllowed: Networks;
  #named: Target | undefined;
  #learnt: Target | undefined;
  readonly #rules: PeerRules;
  /** When the peer was heard last, from where it was learnt. */
  #heardAtMs: number;
  /** Another place, while the peer is silent. */
  #candidate: (Target & { readonly packets: number }) | undefined;

  /** `networks`: where a peer may be besides the address that is named. `before`: what an earlier session of the dialog knew. */
  constructor(networks: Networks, rules: PeerRules, nowMs: number, before?: PeerMemory) {
    this.#isAllowed = networks;
    this.#rules = rules;
    this.#heardAtMs = nowMs;
    this.#named = before?.named;
    this.#learnt = before?.learnt;
  }

  get memory(): PeerMemory {
    return { named: this.#named, learnt: this.#learnt };
  }

  /** Where to send to; undefined before anything was named. */
  get target(): Target | undefined {
    return this.#rules.peer === "sdp" ? this.#named : (this.#learnt ?? this.#named);
  }

  /** A new SDP: where the peer says it is. What was learnt is kept only if it says the same as before. */
  name(named: Target): void {
    if (this.#named?.address === named.address && this.#named.port === named.port) return;
    this.#named = named;
    this.#learnt = undefined;
  }

  /** May a packet from there be the peer's? To be asked before it is decrypted. */
  admits(from: Target, nowMs: number): boolean {
    if (this.hasLearnt(from)) return true;
    // Nothing can be sent to port 0, which whoever forges a source may write (RFC 768).
    if (this.#named === undefined || from.port === 0) return false;
    // The very place that the SDP names is right even after another was learnt: late packets of the place before, or of
    // another call of the same gateway, may have come first.
    if (this.#isNamed(from)) return true;
    if (!this.knows(from.address)) return false;
    const isOpen = this.#learnt === undefined || this.#rules.peer === "follow";
    return isOpen || nowMs - this.#heardAtMs >= this.#rules.relearnMs;
  }

  /** Whether the SDP or the configuration names that address. */
  knows(address: string): boolean {
    return canonicalAddress(address) === this.#named?.address || this.#isAllowed(address);
  }

  /**
   * The peer has spoken from there, where it was admitted, and authentically so. `news`: it was not known to be there.
   * `unsure`: the place of a peer that fell silent is believed after a few packets, as one may be late or another call's.
   */
  learn(from: Target, nowMs: number): "known" | "news" | "unsure" {
    if (!this.hasLearnt(from)) {
      const isBelieved = this.#learnt === undefined || this.#rules.peer === "follow" || this.#isNamed(from);
      if (!isBelieved && !this.#confirms(from)) return "unsure";
      this.#learnt = { address: from.address, port: from.port };
      this.#candidate = undefined;
      this.#heardAtMs = nowMs;
      return "news";
    }
    this.#candidate = undefined;
    this.#heardAtMs = nowMs;
    return "known";
  }

  /** Whether that is where the peer has spoken from. */
  hasLearnt({ address, port }: Target): boolean {
    return this.#learnt !== undefined && this.#learnt.port === port && this.#learnt.address === address;
  }

  #isNamed({ address, port }: Target): boolean {
    return port === this.#named?.port && canonicalAddress(address) === this.#named.address;
  }

  #confirms({ address, port }: Target): boolean {
    const isSame = this.#candidate?.address === address && this.#candidate.port === port;
    const packets = isSame ? (this.#candidate?.packets ?? 0) + 1 : 1;
    this.#candidate = { address, port, packets };
    return packets >= packetsToBelieve;
  }
}
