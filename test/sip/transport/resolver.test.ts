// Names to next hops, asked of a real name server on loopback.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  createDns,
  familyOf,
  inSrvOrder,
  Resolver,
  type NaptrRecord,
  type SrvRecord,
} from "../../../src/sip/transport/resolver.ts";
import { NameServer } from "../rig/name-server.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

let server: NameServer;
let clock: VirtualClock;
let resolver: Resolver;

const srv = (name: string, priority: number, weight = 0, port = 5070): SrvRecord => ({ name, priority, weight, port });

const naptr = (service: string, order: number, preference: number, replacement: string): NaptrRecord => ({
  flags: "s",
  service,
  order,
  preference,
  replacement,
});

beforeEach(async () => {
  server = await NameServer.start({
    a: { "plain.example": ["192.0.2.1", "192.0.2.2"], "a.example": ["192.0.2.10"], "b.example": ["192.0.2.20"] },
    aaaa: { "plain.example": ["2001:db8::1"], "six.example": ["2001:db8::6"] },
    srv: {
      "_sip._udp.trunk.example": [srv("b.example", 20), srv("a.example", 10)],
      "_sips._tcp.trunk.example": [srv("a.example", 10, 0, 5071)],
      "_sip._tcp.trunk.example": [srv(".", 0, 0, 0)],
      "_sip._udp.half.example": [srv("gone.example", 10), srv("b.example", 20)],
      "_sip._udp.pointing.example": [srv("a.example", 10, 0, 5060)],
      "_sip._udp.first.example": [srv("a.example", 10, 0, 5081)],
      "_sip._udp.second.example": [srv("b.example", 10, 0, 5082)],
      "_sip._tcp.first.example": [srv("a.example", 10, 0, 5083)],
      "_sips._tcp.first.example": [srv("a.example", 10, 0, 5084)],
      "_ws._tcp.first.example": [srv("b.example", 10, 0, 8080)],
    },
    naptr: {
      "pointing.example": [
        naptr("SIP+D2U", 20, 1, "_sip._udp.second.example"),
        naptr("SIP+D2T", 5, 10, "_sip._tcp.first.example"),
        naptr("sip+d2u", 10, 20, "_sip._udp.second.example"),
        naptr("SIP+D2U", 10, 10, "_sip._udp.first.example"),
        naptr("SIPS+D2T", 30, 10, "_sips._tcp.first.example"),
        naptr("SIP+D2W", 30, 10, "_ws._tcp.first.example"),
        naptr("E2U+sip", 1, 1, "_sip._udp.second.example"),
      ],
      "stale.example": [
        naptr("SIP+D2U", 1, 1, "_sip._udp.gone.example"),
        naptr("SIP+D2U", 2, 1, "_sip._udp.second.example"),
      ],
      "trunk.example": [{ ...naptr("SIP+D2U", 1, 1, "_sip._udp.first.example"), flags: "u" }],
    },
  });
  clock = new VirtualClock();
  resolver = new Resolver({ dns: createDns([server.address]), clock });
});
afterEach(() => server.close());

const ends = async (asked: Promise<readonly { address: string; port: number }[]>): Promise<string[]> =>
  (await asked).map(({ address, port }) => `${address} ${port}`);

describe("a trunk's server", () => {
  it("an address is taken as it is, with the transport's port", async () => {
    const ports = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 } as const;
    for (const transport of ["udp", "tcp", "tls", "ws", "wss"] as const) {
      const found = await ends(resolver.resolve({ host: "192.0.2.9", port: undefined }, transport));
      expect(found).toEqual([`192.0.2.9 ${ports[transport]}`]);
    }
    expect(await ends(resolver.resolve({ host: "[2001:db8::9]", port: 5080 }, "tcp"))).toEqual(["2001:db8::9 5080"]);
    expect(server.asked).toEqual([]);
  });

  it("a name with a port is asked for its addresses alone", async () => {
    const found = await ends(resolver.resolve({ host: "plain.example", port: 5099 }, "udp"));
    expect(found).toEqual(["192.0.2.1 5099", "192.0.2.2 5099", "2001:db8::1 5099"]);
    expect(server.asked.some((question) => question.startsWith("SRV"))).toBe(false);
  });

  it("a name without a port is asked for SRV, by transport", async () => {
    const trunk = { host: "trunk.example", port: undefined };
    expect(await ends(resolver.resolve(trunk, "udp"))).toEqual(["192.0.2.10 5070", "192.0.2.20 5070"]);
    const [secure] = await resolver.resolve(trunk, "tls");
    // The certificate has to be for the name that was configured (RFC 5922 s7.1).
    expect(secure).toMatchObject({ address: "192.0.2.10", port: 5071, host: "trunk.example" });
  });

  it("without SRV it has the transport's port", async () => {
    expect((await ends(resolver.resolve({ host: "six.example", port: undefined }, "tls")))[0]).toBe("2001:db8::6 5061");
  });

  it("a name of which SRV says that the service is not there fails", async () => {
    const asked = resolver.resolve({ host: "trunk.example", port: undefined }, "tcp");
    await expect(asked).rejects.toMatchObject({ code: "resolve" });
  });

  it("one SRV target without an address does not spoil the others", async () => {
    expect(await ends(resolver.resolve({ host: "half.example", port: undefined }, "udp"))).toEqual(["192.0.2.20 5070"]);
  });

  it("an IPv4 socket gets IPv4 alone", async () => {
    const four = new Resolver({ dns: createDns([server.address]), clock, family: 4 });
    expect(await ends(four.resolve({ host: "plain.example", port: 1 }, "udp"))).toEqual(["192.0.2.1 1", "192.0.2.2 1"]);
    await expect(four.resolve({ host: "six.example", port: 1 }, "udp")).rejects.toMatchObject({ code: "resolve" });
  });

  it("is where NAPTR says, of the transport that is configured and no other", async () => {
    const pointing = { host: "pointing.example", port: undefined };
    expect(await ends(resolver.resolve(pointing, "udp"))).toEqual(["192.0.2.10 5081"]);
    expect(await ends(resolver.resolve(pointing, "tcp"))).toEqual(["192.0.2.10 5083"]);
    expect(await ends(resolver.resolve(pointing, "ws"))).toEqual(["192.0.2.20 8080"]);
    const [secure] = await resolver.resolve(pointing, "tls");
    expect(secure).toMatchObject({ port: 5084, host: "pointing.example" });
  });

  it("NAPTR that points nowhere is passed over, and one of another kind", async () => {
    expect(await ends(resolver.resolve({ host: "stale.example", port: undefined }, "udp"))).toEqual([
      "192.0.2.20 5082",
    ]);
    const usual = await ends(resolver.resolve({ host: "trunk.example", port: undefined }, "udp"));
    expect(usual).toEqual(["192.0.2.10 5070", "192.0.2.20 5070"]);
  });

  it("an IPv6 socket gets IPv6 alone, one that is open to both gets both", async () => {
    expect([familyOf("192.0.2.1"), familyOf("0.0.0.0"), familyOf("[2001:db8::1]"), familyOf("::")]).toEqual([
      4,
      4,
      6,
      undefined,
    ]);
    const six = new Resolver({ dns: createDns([server.address]), clock, family: 6 });
    expect(await ends(six.resolve({ host: "plain.example", port: 1 }, "tcp"))).toEqual(["2001:db8::1 1"]);
  });

  it("an unknown name fails, saying which", async () => {
    await expect(resolver.resolve({ host: "nobody.example", port: 1 }, "udp")).rejects.toMatchObject({
      code: "resolve",
      message: "nobody.example: host name not found",
    });
  });

  it("is remembered, asked again later, and stands in when the name server fails", async () => {
    const ask = (): Promise<string[]> => ends(resolver.resolve({ host: "a.example", port: 1 }, "udp"));
    const [first, second] = await Promise.all([ask(), ask()]);
    expect([first, second]).toEqual([["192.0.2.10 1"], ["192.0.2.10 1"]]);
    const questions = server.asked.length;
    await ask();
    expect(server.asked).toHaveLength(questions);
    server.zone = { a: { "a.example": ["192.0.2.11"] } };
    clock.advance(60_001);
    expect(await ask()).toEqual(["192.0.2.11 1"]);
    server.failing = true;
    clock.advance(60_001);
    expect(await ask()).toEqual(["192.0.2.11 1"]);
  });
});

describe("SRV records of one priority", () => {
  it("come in the order of a draw by weight", () => {
    const records = [srv("heavy", 1, 90), srv("light", 1, 10), srv("never", 1, 0), srv("later", 2, 100)];
    const first = (draw: number): string[] =>
      inSrvOrder(records, (below) => Math.min(draw, below - 1)).map((r) => r.name);
    expect(first(0)[0]).toBe("never");
    expect(first(10)[0]).toBe("light");
    expect(first(100)[0]).toBe("heavy");
    expect(first(50).at(-1)).toBe("later");
  });

  it("share the load by weight", () => {
    const records = [srv("a", 1, 3), srv("b", 1, 1)];
    const shares = (of: readonly SrvRecord[], total: number): string[] =>
      // One order for each value that the first draw can have.
      Array.from({ length: total }, (_, draw) => inSrvOrder(of, (below) => Math.min(draw, below - 1))[0]?.name ?? "");
    expect(shares(records, 4).toSorted()).toEqual(["a", "a", "a", "b"]);
    // RFC 2782: a record of weight 0 has a very small chance, not none.
    expect(shares([...records, srv("c", 1, 0)], 5).toSorted()).toEqual(["a", "a", "a", "b", "c"]);
  });

  it("are drawn anew for each call", () => {
    const records = [srv("a", 1, 1), srv("b", 1, 1)];
    const firsts = new Set(Array.from({ length: 200 }, () => inSrvOrder(records)[0]?.name));
    expect(firsts).toEqual(new Set(["a", "b"]));
  });
});
