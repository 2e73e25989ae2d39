// The servers of one trunk: resolved, tried in order, rested after a failure (RFC 3263 s4.3).
import { BlockList, isIPv6 } from "node:net";
import type { TrunkSettings } from "../ports/sip.ts";
import type { Clock } from "../ports/clock.ts";
import type { Resolver } from "./transport/resolver.ts";
import { plainAddress, targetKey, type Target } from "./transport/target.ts";

/** RFC 3263 s4.3 leaves open for how long a failed server is passed over, unless it says so itself. */
const REST_MS = 30_000;

export class TargetPool {
  readonly #settings: TrunkSettings;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #failedUntilMs = new Map<string, number>();
  /** Networks and servers that may send us requests. Servers are added as names resolve to them. */
  readonly #peers = new BlockList();

  constructor(settings: TrunkSettings, resolver: Resolver, clock: Clock) {
    this.#settings = settings;
    this.#resolver = resolver;
    this.#clock = clock;
    for (const network of settings.peers) {
      const [address = "", prefix] = network.split("/");
      const family = isIPv6(address) ? "ipv6" : "ipv4";
      if (prefix === undefined) this.#peers.addAddress(address, family);
      else this.#peers.addSubnet(address, Number(prefix), family);
    }
  }

  /** Whether requests from that address are this trunk's. */
  admits(address: string): boolean {
    const plain = plainAddress(address);
    return this.#peers.check(plain, isIPv6(plain) ? "ipv6" : "ipv4");
  }

  /** All servers in their order. Rejects with TransportError. */
  async all(): Promise<readonly Target[]> {
    const { server, transport } = this.#settings;
    const targets = await this.#resolver.resolve(server, transport);
    for (const { address } of targets) {
      if (!this.admits(address)) this.#peers.addAddress(address, isIPv6(address) ? "ipv6" : "ipv4");
    }
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
