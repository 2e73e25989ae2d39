// Host names to next hops (RFC 3263): numeric, NAPTR for where the SRV records of our transport are, SRV with
// priorities and weights (RFC 2782), A and AAAA. The transport itself is configured: NAPTR does not choose it.
import { lookup, Resolver as NameServers } from "node:dns/promises";
import { randomInt } from "node:crypto";
import { isIP } from "node:net";
import type { Clock } from "../../ports/clock.ts";
import type { SipTransportName } from "../../ports/sip.ts";
import { defaultPort, unbracketed, type Target } from "./sockets/target.ts";
import { TransportError, transportError } from "./sockets/transport-error.ts";

export interface SrvRecord {
  readonly name: string;
  readonly port: number;
  readonly priority: number;
  readonly weight: number;
}

/** RFC 3403 s4, as far as RFC 3263 s4.1 reads it. */
export interface NaptrRecord {
  readonly flags: string;
  readonly service: string;
  readonly order: number;
  readonly preference: number;
  readonly replacement: string;
}

/** What is asked of the DNS. All reject with node's errors (`ENOTFOUND`, `ENODATA`, ...). */
export interface Dns {
  naptr(name: string): Promise<readonly NaptrRecord[]>;
  srv(name: string): Promise<readonly SrvRecord[]>;
  /** IPv4 and IPv6, in the order to be tried. */
  addresses(name: string): Promise<readonly string[]>;
}

/** The system's resolver, hosts file included; or the given name servers alone (`address` or `address:port`). */
export function createDns(nameServers?: readonly string[]): Dns {
  // A caller waits for this: better the plain address soon than SRV after half a minute.
  const servers = new NameServers({ timeout: 2_000, tries: 2 });
  if (nameServers !== undefined) servers.setServers(nameServers);
  return {
    naptr: (name) => servers.resolveNaptr(name),
    srv: (name) => servers.resolveSrv(name),
    async addresses(name) {
      if (nameServers === undefined) return (await lookup(name, { all: true })).map(({ address }) => address);
      const [four, six] = await Promise.allSettled([servers.resolve4(name), servers.resolve6(name)]);
      const found = [four, six].flatMap((answer) => (answer.status === "fulfilled" ? answer.value : []));
      if (found.length === 0 && four.status === "rejected") throw four.reason;
      return found;
    },
  };
}

export interface ResolverOptions {
  readonly dns: Dns;
  readonly clock: Clock;
  /** Only addresses that our sockets can reach: one family, or both where undefined. */
  readonly family?: 4 | 6 | undefined;
}

/** The family that a socket bound to that address reaches: `::` is open to both. */
export function familyOf(localHost: string): 4 | 6 | undefined {
  const host = unbracketed(localHost);
  if (host === "::") return undefined;
  const family = isIP(host);
  return family === 4 || family === 6 ? family : undefined;
}

/** Answers are kept so long, whatever their own lifetime says; after that they stand in when the DNS fails. */
const KEEP_MS = 60_000;
const MAX_NAMES = 1_000;
/** A zone that points everywhere does not keep a caller waiting for each. */
const MAX_POINTERS = 3;

/** RFC 3263 s4.1, RFC 7118 s10.4. */
const NAPTR: Readonly<Record<SipTransportName, string>> = {
  udp: "SIP+D2U",
  tcp: "SIP+D2T",
  tls: "SIPS+D2T",
  ws: "SIP+D2W",
  wss: "SIPS+D2W",
};

export class Resolver {
  readonly #options: ResolverOptions;
  readonly #asking = new Map<string, Promise<readonly Target[]>>();
  readonly #known = new Map<string, { readonly targets: readonly Target[]; readonly untilMs: number }>();

  constructor(options: ResolverOptions) {
    this.#options = options;
  }

  /**
   * Where to send to `host`, in the order to be tried; never empty. Without a port SRV is asked, then the
   * transport's default port is taken (RFC 3263 s4.2). Rejects with TransportError `resolve`.
   */
  async resolve(
    server: { readonly host: string; readonly port: number | undefined; readonly path?: string },
    transport: SipTransportName,
  ): Promise<readonly Target[]> {
    const host = unbracketed(server.host);
    const path = server.path ?? "/";
    if (isIP(host) !== 0) {
      return [{ transport, address: host, port: server.port ?? defaultPort(transport), host, path }];
    }
    const key = `${transport} ${host} ${server.port ?? ""} ${path}`;
    const known = this.#known.get(key);
    if (known !== undefined && known.untilMs > this.#options.clock.nowMs()) return known.targets;
    // Asked once at a time, so that two messages for one place leave in their order.
    const asking = this.#asking.get(key) ?? this.#refresh(key, host, server.port, transport, path);
    this.#asking.set(key, asking);
    try {
      return await asking;
    } finally {
      this.#asking.delete(key);
    }
  }

  async #refresh(
    key: string,
    host: string,
    port: number | undefined,
    transport: SipTransportName,
    path: string,
  ): Promise<readonly Target[]> {
    try {
      const targets = await this.#ask(host, port, transport, path);
      if (this.#known.size >= MAX_NAMES) this.#known.clear();
      this.#known.set(key, { targets, untilMs: this.#options.clock.nowMs() + KEEP_MS });
      return targets;
    } catch (error) {
      // A trunk must not go down because the DNS did.
      const known = this.#known.get(key);
      if (known !== undefined) return known.targets;
      const failure = transportError(error, host);
      throw failure.code === "resolve" ? failure : new TransportError("resolve", failure.message, { cause: error });
    }
  }

  async #ask(host: string, port: number | undefined, transport: SipTransportName, path: string): Promise<Target[]> {
    if (port === undefined) {
      const records = await this.#records(host, transport);
      // RFC 2782: a single "." says that the service is not there.
      if (records.length === 1 && (records[0]?.name === "." || records[0]?.name === "")) {
        throw new TransportError("resolve", `${host}: offers no SIP over ${transport}`);
      }
      if (records.length > 0) {
        const targets: Target[] = [];
        let failure: unknown;
        for (const record of inSrvOrder(records)) {
          try {
            const addresses = await this.#addresses(record.name);
            // TLS checks the name that was asked for, not what SRV made of it (RFC 5922 s7.1).
            targets.push(...addresses.map((address) => ({ transport, address, port: record.port, host, path })));
          } catch (error) {
            failure = error;
          }
        }
        if (targets.length === 0) throw failure;
        return targets;
      }
    }
    const addresses = await this.#addresses(host);
    return addresses.map((address) => ({ transport, address, port: port ?? defaultPort(transport), host, path }));
  }

  /** SRV records by the name that NAPTR gives for our transport, or by the usual one (RFC 3263 s4.1, s4.2). */
  async #records(host: string, transport: SipTransportName): Promise<readonly SrvRecord[]> {
    const usual = serviceOf(transport);
    // Asked together: most hosts have no NAPTR, and a caller waits.
    const [pointers, plain] = await Promise.all([
      this.#naptr(host, transport),
      usual === undefined ? [] : this.#srv(`${usual}.${host}`),
    ]);
    for (const name of pointers) {
      const records = await this.#srv(name);
      if (records.length > 0) return records;
    }
    return plain;
  }

  /** The names of SRV records for that transport, best first. */
  async #naptr(host: string, transport: SipTransportName): Promise<string[]> {
    try {
      const records = await this.#options.dns.naptr(host);
      return records
        .filter(({ flags, service }) => flags.toLowerCase() === "s" && service.toUpperCase() === NAPTR[transport])
        .filter(({ replacement }) => replacement !== "" && replacement !== ".")
        .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
        .slice(0, MAX_POINTERS)
        .map(({ replacement }) => replacement);
    } catch {
      // No records, or a resolver that cannot NAPTR.
      return [];
    }
  }

  async #srv(name: string): Promise<readonly SrvRecord[]> {
    try {
      return await this.#options.dns.srv(name);
    } catch {
      // No records, or a resolver that cannot SRV: the plain address is asked next, and fails by itself.
      return [];
    }
  }

  async #addresses(name: string): Promise<string[]> {
    const all = await this.#options.dns.addresses(name);
    const { family } = this.#options;
    const usable = all.filter((address) => family === undefined || isIP(address) === family);
    if (usable.length === 0) throw new TransportError("resolve", `${name}: no address of our family`);
    return usable;
  }
}

/** WebSocket servers are found by their URL, unless NAPTR points elsewhere. */
function serviceOf(transport: SipTransportName): string | undefined {
  switch (transport) {
    case "udp":
      return "_sip._udp";
    case "tcp":
      return "_sip._tcp";
    case "tls":
      return "_sips._tcp";
    default:
      return undefined;
  }
}

/** Lower priority first; within one, at random by weight (RFC 2782). */
export function inSrvOrder(records: readonly SrvRecord[], random: (below: number) => number = randomInt): SrvRecord[] {
  const ordered: SrvRecord[] = [];
  const priorities = [...new Set(records.map((record) => record.priority))].toSorted((a, b) => a - b);
  for (const priority of priorities) {
    // Weight 0 goes first into the draw, so that it has its small chance.
    const left = records.filter((record) => record.priority === priority).toSorted((a, b) => a.weight - b.weight);
    while (left.length > 0) {
      const total = left.reduce((sum, record) => sum + record.weight, 0);
      // The RFC draws from 0 to the sum, which is for records of weight 0; without one it would favour the first.
      const least = left[0]?.weight === 0 ? 0 : 1;
      let draw = least + random(total + 1 - least);
      const index = left.findIndex((record) => (draw -= record.weight) <= 0);
      ordered.push(...left.splice(index, 1));
    }
  }
  return ordered;
}
