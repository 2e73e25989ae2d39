// What an operator sees of a trunk: up and down and why, certificates, lost connections, other servers, sizes.
import { describe, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { trunkName } from "../../../src/core/ids.ts";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import type { Dns } from "../../../src/sip/transport/resolver.ts";
import { contactPort, type Peer } from "../rig/peer.ts";
import { rig, standStill, startPeer, startStack, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, hastyClock, OFFER, trunkSettings } from "../rig/stack.ts";

const at = (host: string, port: number): TrunkSettings["server"] => ({ host, port, path: "/" });

describe("a trunk that answers", () => {
  it.each<SipTransportName>(["udp", "tcp", "tls", "ws", "wss"])(
    "over %s is up: OPTIONS answered 200",
    async (transport) => {
      const { stack } = await rig(transport, { optionsIntervalMs: 60_000 }, { peer: { options: 200 } });
      const health = await stack.health(({ state }) => state === "up");
      expect(health.detail).toBe("OPTIONS answered 200");
      expect(stack.trunks.health()).toEqual([health]);
      const [answer, ...more] = stack.trunks.answers(health.name);
      expect([answer?.tookMs, more]).toEqual([expect.any(Number), []]);
    },
  );

  it("with a refusal is up all the same", async () => {
    const { stack } = await rig("udp", { optionsIntervalMs: 60_000 }, { peer: { options: 404 } });
    expect((await stack.health(({ state }) => state === "up")).detail).toBe("OPTIONS answered 404");
  });

  it("503 is down, and up again when it recovers", async () => {
    const pass = standStill();
    const { peer, stack } = await rig("udp", { optionsIntervalMs: 60_000 }, { peer: { options: 503 } });
    expect((await stack.health(({ state }) => state === "down")).detail).toBe("OPTIONS answered 503");
    peer.answerOptions(200);
    pass(2_000);
    const { name } = await stack.health(({ state }) => state === "up");
    expect(stack.trunks.answers(name)).toMatchObject([{ tookMs: undefined }, { tookMs: expect.any(Number) as number }]);
  });

  it("asks us for OPTIONS and gets 200", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.inDialog(invite, "OPTIONS", 1);
    expect((await peer.response("OPTIONS")).message.statusCode).toBe(481);
    peer.datagram(outside(peer, "OPTIONS"), contactPort(invite));
    const response = await peer.response("OPTIONS", 200);
    expect(response.message.statusCode).toBe(200);
    expect(response.text).toContain("Allow: INVITE,");
    stack.trunks.cancel(call);
  });

  it("calls us: 100 at once, and what the bridge says of it", async () => {
    const { peer, stack } = await rig();
    stack.invite();
    const invite = await peer.request("INVITE");
    peer.datagram(outside(peer, "INVITE"), contactPort(invite));
    expect((await peer.response("INVITE")).message.statusCode).toBe(100);
    stack.trunks.reject((await stack.arrival()).call, 480);
    expect((await peer.response("INVITE")).message.statusCode).toBe(480);
  });
});

function outside(peer: Peer, method: string): string {
  return (
    `${method} sip:+49301@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:${peer.port};branch=z9hG4bK${method};rport\r\n` +
    `From: <sip:peer@127.0.0.1>;tag=a\r\nTo: <sip:us@127.0.0.1>\r\nCall-ID: outside-${method}\r\nCSeq: 1 ${method}\r\n` +
    `Contact: <sip:peer@127.0.0.1:${peer.port}>\r\nContent-Length: 0\r\n\r\n`
  );
}

describe("a trunk that does not answer", () => {
  it("refuses the connection: down at once, and a call fails with the reason", async () => {
    const port = await freePort();
    const stack = await startStack(trunkSettings(port, { transport: "tcp" }));
    const health = await stack.health(({ state }) => state === "down");
    expect(health.detail).toBe(`127.0.0.1:${port} tcp: connection refused`);
    const call = stack.invite();
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "transport", message: health.detail });
  });

  it("has no such host: the call fails to resolve", async () => {
    const dns: Dns = {
      naptr: () => Promise.resolve([]),
      srv: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
      addresses: () => Promise.reject(Object.assign(new Error("no"), { code: "ENOTFOUND" })),
    };
    const stack = await startStack(trunkSettings(0, { server: { ...at("sip.invalid", 0), port: undefined } }), { dns });
    const call = stack.invite();
    const failed = await stack.fact(call, "sip.failed");
    expect(failed).toMatchObject({ fault: "resolve", message: "sip.invalid: host name not found" });
  });

  it("says nothing over UDP: OPTIONS not answered, a call times out", async () => {
    const pass = standStill();
    const peer = await startPeer();
    const stack = await startStack(trunkSettings(peer.port, { optionsIntervalMs: 60_000 }));
    await peer.request("OPTIONS");
    pass(10_000);
    expect((await stack.health(({ state }) => state === "down")).detail).toBe("OPTIONS not answered within 10000 ms");
    const call = stack.invite();
    await peer.request("INVITE");
    pass(10_000);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({
      fault: "timeout",
      message: "no response to INVITE within 10000 ms",
    });
    // At 0, 0.5, 1.5, 3.5 and 7.5 s, and no more after that.
    pass(TRANSACTION_MS);
    await expect.poll(() => peer.count("INVITE")).toBe(5);
  });

  it("comes back after its connection was lost", async () => {
    const { peer, stack } = await rig("tcp", {}, { clock: hastyClock() });
    await stack.health(({ state }) => state === "up");
    const { port } = peer;
    await peer.close();
    await stack.health(({ state }) => state === "down");
    const again = await startPeer({ transport: "tcp", port });
    await expect.poll(() => again.connections).toBe(1);
    const call = stack.invite();
    again.reply(await again.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
  });

  it("does not keep the others from starting", async () => {
    const peer = await startPeer();
    const dead = trunkSettings(await freePort(), { name: "dead" as TrunkSettings["name"], transport: "tcp" });
    const stack = await startStack([dead, trunkSettings(peer.port)]);
    const call = stack.invite();
    peer.reply(await peer.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
  });

  it("and a local address in use stops the start with that reason", async () => {
    const peer = await startPeer();
    const taken = { host: "127.0.0.1", port: peer.port, advertised: undefined };
    await expect(startStack(trunkSettings(peer.port, { local: taken }))).rejects.toMatchObject({
      code: "address-in-use",
    });
  });
});

it("trunks of every kind carry calls at the same time, each its own", async () => {
  const kinds: readonly SipTransportName[] = ["udp", "udp", "tcp", "ws"];
  const peers = await Promise.all(kinds.map((transport) => startPeer({ transport })));
  const settings = peers.map(({ port, transport }, index) =>
    trunkSettings(port, { name: trunkName(`trunk-${index}`), transport, userAgent: `agent-${index}` }),
  );
  const stack = await startStack(settings);
  const calls = settings.flatMap(({ name: trunk }) => Array.from({ length: 5 }, () => stack.invite({ trunk })));
  for (const [index, peer] of peers.entries()) {
    for (let number = 0; number < 5; number++) {
      const invite = await peer.request("INVITE");
      expect(invite.text).toContain(`\r\nUser-Agent: agent-${index}\r\n`);
      peer.reply(invite, 480 + index);
    }
  }
  for (const [at, call] of calls.entries()) {
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 480 + Math.floor(at / 5) });
  }
});

describe("a trunk of several servers", () => {
  const both = (first: Peer, second: Peer): Dns => ({
    naptr: () => Promise.resolve([]),
    srv: (name) =>
      Promise.resolve(
        name === "_sip._udp.trunk.example" || name === "_sip._tcp.trunk.example"
          ? [
              { name: "b.example", port: second.port, priority: 20, weight: 0 },
              { name: "a.example", port: first.port, priority: 10, weight: 0 },
            ]
          : [],
      ),
    addresses: () => Promise.resolve(["127.0.0.1"]),
  });
  const settings = trunkSettings(0, { server: { host: "trunk.example", port: undefined, path: "/" } });

  it("the first by priority gets the call", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: both(first, second) });
    const call = stack.invite();
    first.reply(await first.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
    expect(second.log).toEqual([]);
  });

  it("one that is overloaded hands the call to the next, and rests", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: both(first, second) });
    const call = stack.invite();
    first.reply(await first.request("INVITE"), 503);
    second.reply(await second.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
    const next = stack.invite();
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(next, "sip.rejected");
    expect(first.count("INVITE")).toBe(1);
  });

  it("one that is dead is passed over", async () => {
    const [first, second] = [await startPeer({ transport: "tcp" }), await startPeer({ transport: "tcp" })];
    const dns = both(first, second);
    await first.close();
    const stack = await startStack({ ...settings, transport: "tcp" }, { dns });
    const call = stack.invite();
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
  });

  it("all overloaded: the caller gets the 503", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: both(first, second) });
    const call = stack.invite();
    first.reply(await first.request("INVITE"), 503);
    second.reply(await second.request("INVITE"), 503);
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 503 });
    expect(stack.kinds(call)).toEqual(["sip.rejected"]);
  });
});

describe("a request too long for a datagram", () => {
  const long = OFFER + "a=x-padding:0123456789012345678901234567890123456789\r\n".repeat(30);

  it("goes over TCP, its ACK and CANCEL too, and says so in Via", async () => {
    const peer = await startPeer({ alsoTcp: true });
    const stack = await startStack(trunkSettings(peer.port));
    const call = stack.invite({ sdp: long });
    const invite = await peer.request("INVITE");
    expect(invite.message.vias[0].transport).toBe("TCP");
    expect(invite.message.body).toBe(long);
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    const cancel = await peer.request("CANCEL");
    expect(cancel.message.vias[0].transport).toBe("TCP");
    peer.reply(cancel, 200);
    peer.reply(invite, 487);
    expect((await peer.request("ACK")).message.vias[0].transport).toBe("TCP");
    await stack.fact(call, "sip.ended");
    expect(peer.connections).toBe(1);
  });

  it("goes over UDP where TCP is refused, and TCP is not asked again", async () => {
    const peer = await startPeer();
    const stack = await startStack(trunkSettings(peer.port));
    for (let calls = 0; calls < 2; calls++) {
      const call = stack.invite({ sdp: long });
      const invite = await peer.request("INVITE");
      expect(invite.message.vias[0].transport).toBe("UDP");
      peer.reply(invite, 486);
      await stack.fact(call, "sip.rejected");
    }
    expect(stack.log.filter(({ message }) => message.includes("TCP was refused"))).toHaveLength(1);
  });
});

describe("addresses", () => {
  it("of IPv6 are bracketed where they must be", async () => {
    const peer = await startPeer({ host: "::1" });
    const local = { host: "::1", port: 0, advertised: undefined };
    const stack = await startStack(trunkSettings(peer.port, { server: at("::1", peer.port), local }));
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    expect(invite.message.vias[0].host).toBe("[::1]");
    expect(invite.text).toMatch(/Contact: <sip:trunk@\[::1\]:\d+>/);
    expect(invite.text).toMatch(/From: <sip:\+4930123@\[::1\]>/);
    peer.reply(invite, 200, { sdp: ANSWER });
    const { dialog } = await stack.fact(call, "sip.accepted");
    expect(dialog.remoteTarget).toBe(`sip:peer@[::1]:${peer.port}`);
    await peer.request("ACK");
    peer.inDialog(invite, "BYE", 1);
    await stack.fact(call, "sip.hungUp");
  });

  it("what is advertised stands in Via and Contact", async () => {
    const advertised = { host: "bridge.example", port: 5070 };
    const { peer, stack } = await rig("udp", { local: { host: "127.0.0.1", port: 0, advertised } });
    stack.invite();
    const invite = await peer.request("INVITE");
    expect(invite.message.vias[0]).toMatchObject({ host: "bridge.example", port: 5070 });
    expect(invite.text).toContain("Contact: <sip:trunk@bridge.example:5070>");
  });

  it("bound to all of them, the one towards the server is named", async () => {
    const { peer, stack } = await rig("udp", { local: { host: "0.0.0.0", port: 0, advertised: undefined } });
    stack.invite();
    expect((await peer.request("INVITE")).message.vias[0].host).toBe("127.0.0.1");
  });
});
