// The servers of one trunk: resolved, tried in order, rested after a failure (RFC 3263 s4.3).
import { BlockList, isIPv6 } from "node:net";
import type { TrunkSettings } from "../ports/sip.ts";
import type { Clock } from "../ports/clock.ts";
import type { Resolver } from "./transport/resolver.ts";
import { plainAddress, targetKey, type Target } from "./transport/target.ts";

/** RFC 3263 s4.3 leaves open for how long a failed server is passed over, unless it says so itself. */
const REST_MS = 30_000;
/** An address that the server's name no longer has may still send requests for so long, and one that was spoken to. */
const FORMER_MS = 24 * 3_600_000;
const MAX_FORMER = 1_000;

export class TargetPool {
  readonly #settings: TrunkSettings;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #failedUntilMs = new Map<string, number>();
  /** Networks that may send us requests, besides the servers. */
  readonly #peers = new BlockList();
  /** Addresses that the server's name resolved to or that answers named, longest unheard of first; until when they count. */
  readonly #met = new Map<string, number>();

  constructor(settings: TrunkSettings, resolver: Resolver, clock: Clock) {
    this.#settings = settings;
    this.#resolver = resolver;
    this.#clock = clock;
    for (const network of settings.peers) {
      const [address = "", prefix] = network.split("/");
      const plain = prefix === undefined ? plainAddress(address) : address;
      if (prefix === undefined) this.#peers.addAddress(plain, family(plain));
      else this.#peers.addSubnet(plain, Number(prefix), family(plain));
    }
  }

  /** Whether requests from that address are this trunk's. */
  admits(address: string): boolean {
    const plain = plainAddress(address);
    return (this.#met.get(plain) ?? 0) > this.#clock.nowMs() || this.#peers.check(plain, family(plain));
  }

  /** From now on requests may come from that address: the trunk's own word led us there. */
  spokenTo(address: string): void {
    const plain = plainAddress(address);
    this.#met.delete(plain);
    this.#met.set(plain, this.#clock.nowMs() + FORMER_MS);
    const [oldest] = this.#met.keys();
    if (this.#met.size > MAX_FORMER && oldest !== undefined) this.#met.delete(oldest);
  }

  /** All servers in their order. Rejects with TransportError. */
  async all(): Promise<readonly Target[]> {
    const { server, transport } = this.#settings;
    const targets = await this.#resolver.resolve(server, transport);
    for (const { address } of targets) this.spokenTo(address);
    return targets;
  }

  /** The first that works, none of `tried`; when all rest, the first all the same. */
  async pick(tried: ReadonlySet<string> = new Set()): Promise<Target | undefined> {
    const targets = (await this.all()).filter((target) => !tried.has(targetKey(target)));
    const nowMs = this.#clock.nowMs();
    return targets.find((target) => (this.#failedUntilMs.get(targetKey(target)) ?? 0) <= nowMs) ?? targets[0];
  }

  failed(target: Target, restMs = REST_MS): void {
    this.#failedUntilMs.set(targetKey(target), this.#clock.nowMs() + restMs);
  }

  answered(target: Target): void {
    this.#failedUntilMs.delete(targetKey(target));
  }
}

function family(address: string): "ipv4" | "ipv6" {
  return isIPv6(address) ? "ipv6" : "ipv4";
}
