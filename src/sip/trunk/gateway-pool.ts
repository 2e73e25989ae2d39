// The gateways of one trunk: resolved, tried in order, rested after a failure for longer and longer (RFC 3263 s4.3).
import { RecentMap } from "../../core/recent-map.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import type { Clock } from "../../ports/clock.ts";
import type { DialogFields } from "../user-agent/dialog.ts";
import type { Admittance } from "../transport/sockets/connection.ts";
import type { Resolver } from "../transport/resolver.ts";
import { nextHopOf } from "../transport/strict-route.ts";
import { defaultPort, plainAddress, targetKey, unbracketed, type Target } from "../transport/sockets/target.ts";
import { within } from "../../core/address/ip.ts";
import type { SipUri } from "../../core/address/uri.ts";

/** RFC 3263 s4.3 leaves open for how long a failed server is passed over, unless it says so itself: doubled each time. */
const REST_MS = 30_000;
const LONGEST_REST_MS = 5 * 60_000;
/** An address that the server's name no longer has may still send requests for so long, and one that a dialog led to. */
const FORMER_MS = 24 * 3_600_000;
const MAX_FORMER = 1_000;

export class GatewayPool {
  readonly #settings: TrunkSettings;
  readonly #resolver: Resolver;
  readonly #clock: Clock;
  readonly #resting = new Map<string, Rest>();
  /** Whether an address may send us requests, besides the servers. */
  readonly #isPeer: (address: string) => boolean;
  /** Addresses that the server's name resolved to, longest unheard of first; until when they count. */
  readonly #met = new RecentMap<string, number>(MAX_FORMER);
  /** Those to which a Contact or a Record-Route led. Callers write them, so that they are good for that call alone. */
  readonly #led = new RecentMap<string, number>(MAX_FORMER);

  constructor(settings: TrunkSettings, resolver: Resolver, clock: Clock) {
    this.#settings = settings;
    this.#resolver = resolver;
    this.#clock = clock;
    this.#isPeer = within(settings.peers);
  }

  /** Which requests from that address are this trunk's. */
  admits(address: string): Admittance {
    const plain = plainAddress(address);
    const nowMs = this.#clock.nowMs();
    if ((this.#met.get(plain) ?? 0) > nowMs || this.#isPeer(plain)) return "all";
    return (this.#led.get(plain) ?? 0) > nowMs ? "dialogs" : "none";
  }

  /** Whether one of the trunk's servers is there: those that `peers` names are not meant. */
  isServer(address: string): boolean {
    return (this.#met.get(plainAddress(address)) ?? 0) > this.#clock.nowMs();
  }

  /** It is one of the trunk's servers: from now on requests may come from there. */
  isOurs(address: string): void {
    this.#remember(this.#met, address);
  }

  /** Behind an outbound proxy the registrar may call us itself. Its name may also be one that means nothing to the DNS. */
  alsoAt(domain: string): void {
    const registrars = this.#resolver.resolve({ host: domain, port: undefined }, this.#settings.transport);
    registrars.then((targets) => targets.forEach(({ address }) => this.isOurs(address))).catch(() => {});
  }

  /** From now on requests inside dialogs may come from that address. */
  ledTo(address: string): void {
    this.#remember(this.#led, address);
  }

  /** Requests of a dialog come from where its first Route or its Contact leads: not always from where its INVITE came. */
  dialogWith({ routeSet, remoteTarget }: Pick<DialogFields, "routeSet" | "remoteTarget">): void {
    const uri = nextHopOf({ uri: remoteTarget, routes: routeSet });
    if (uri?.kind !== "sip") return;
    const { host, port } = uri;
    const targets = this.#resolver.resolve({ host, port }, this.#settings.transport);
    // What names nothing, nobody comes from.
    targets.then((found) => found.forEach(({ address }) => this.ledTo(address))).catch(() => {});
  }

  #remember(addresses: Map<string, number>, address: string): void {
    addresses.set(plainAddress(address), this.#clock.nowMs() + FORMER_MS);
  }

  /** All gateways in their order, as far as their names resolve. Rejects with TransportError when none does. */
  async all(): Promise<readonly Target[]> {
    const { server, moreServers, transport } = this.#settings;
    const { path } = server;
    const asked = await Promise.allSettled(
      [server, ...moreServers].map(({ host, port }) => this.#resolver.resolve({ host, port, path }, transport)),
    );
    const targets = new Map<string, Target>();
    for (const answer of asked) {
      if (answer.status === "rejected") continue;
      for (const target of answer.value) if (!targets.has(targetKey(target))) targets.set(targetKey(target), target);
    }
    const [first] = asked;
    if (targets.size === 0 && first?.status === "rejected") throw first.reason;
    for (const { address } of targets.values()) this.isOurs(address);
    return [...targets.values()];
  }

  /** The gateway that a URI names, by name or address; undefined where it names none of ours. */
  async named({ host, port }: SipUri): Promise<Target | undefined> {
    const { server, moreServers, transport } = this.#settings;
    const wanted = unbracketed(host).toLowerCase();
    const named = [server, ...moreServers].find(
      (one) =>
        unbracketed(one.host).toLowerCase() === wanted &&
        (port === one.port || (port ?? defaultPort(transport)) === (one.port ?? defaultPort(transport))),
    );
    if (named !== undefined) {
      const targets = await this.#resolver.resolve({ ...named, path: server.path }, transport);
      return targets.find((target) => !this.#rests(targetKey(target))) ?? targets[0];
    }
    const all = await this.all();
    return all.find((target) => target.address === wanted && target.port === (port ?? defaultPort(transport)));
  }

  /** The first that works, none of `tried`; when all rest, the first all the same. */
  async pick(tried: ReadonlySet<string> = new Set()): Promise<Target | undefined> {
    const targets = (await this.all()).filter((target) => !tried.has(targetKey(target)));
    return targets.find((target) => !this.#rests(targetKey(target))) ?? targets[0];
  }

  /** `restMs`: for how long it wants to be left alone, where it says so. */
  failed(target: Target, restMs?: number): void {
    const key = targetKey(target);
    const failures = this.#resting.get(key)?.failures ?? 0;
    // Ten calls that meet the same outage are one failure.
    if (restMs === undefined && this.#rests(key)) return;
    const doubledMs = Math.min(REST_MS * 2 ** failures, LONGEST_REST_MS);
    const untilMs = this.#clock.nowMs() + (restMs ?? doubledMs);
    this.#resting.set(key, { target, failures: failures + 1, untilMs });
  }

  answered(target: Target): void {
    this.#resting.delete(targetKey(target));
  }

  /** Whether calls have anywhere to go. */
  async works(): Promise<boolean> {
    return (await this.all()).some((target) => !this.#rests(targetKey(target)));
  }

  /** Those that failed and have not answered since. */
  get down(): readonly Target[] {
    return [...this.#resting.values()].map(({ target }) => target);
  }

  #rests(key: string): boolean {
    return (this.#resting.get(key)?.untilMs ?? 0) > this.#clock.nowMs();
  }
}

interface Rest {
  readonly target: Target;
  readonly failures: number;
  readonly untilMs: number;
}
