// Connections of a trunk over TCP and WebSocket: lost, silent, reused, cut into messages, refused.
import { describe, expect, it } from "vitest";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import type { Dns } from "../../../src/sip/transport/resolver.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { contactPort, type Received } from "../rig/peer.ts";
import { rig, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, hastyClock, OFFER, trunkSettings } from "../rig/stack.ts";

describe("the address that a connection leaves from", () => {
  const local = (host: string) => ({ local: { host, port: 0, advertised: undefined } });

  it.each<SipTransportName>(["tcp", "tls", "ws", "wss"])(
    "is the one that the trunk listens on, over %s",
    async (transport) => {
      const { peer, stack } = await rig(transport, local("127.0.0.22"));
      await stack.health(({ state }) => state === "up");
      stack.invite();
      await peer.request("INVITE");
      expect(peer.remotes).toEqual(["127.0.0.22"]);
    },
  );

  it("is that one too where a request is too long for UDP", async () => {
    const { peer, stack } = await rig("udp", local("127.0.0.22"), { peer: { alsoTcp: true } });
    stack.invite({ sdp: `${OFFER}${"a=x\r\n".repeat(300)}` });
    expect((await peer.request("INVITE")).text).toContain("Via: SIP/2.0/TCP 127.0.0.22:");
    expect(peer.remotes).toEqual(["127.0.0.22"]);
  });

  it.each<SipTransportName>(["tcp", "ws"])("is an IPv6 one, over %s", async (transport) => {
    const peer = await startPeer({ transport, host: "::1" });
    const server = { host: "::1", port: peer.port, path: "/" };
    const stack = await startStack(trunkSettings(peer.port, { transport, server, ...local("::1") }));
    stack.invite();
    await peer.request("INVITE");
    expect(peer.remotes).toEqual(["::1"]);
  });

  it("is any where the trunk listens on all", async () => {
    const { peer, stack } = await rig("tcp", local("0.0.0.0"));
    stack.invite();
    await peer.request("INVITE");
    expect(peer.remotes).toEqual(["127.0.0.1"]);
  });
});

describe("a connection", () => {
  it("that had held and is closed is opened again without a word", async () => {
    const clock = hastyClock();
    const { peer, stack } = await rig("tcp", {}, { clock });
    await stack.health(({ state }) => state === "up");
    await new Promise<void>((resolve) => void clock.at(clock.nowMs() + 6_000, resolve));
    for (const flow of peer.flows) flow.destroy();
    await expect.poll(() => peer.connections).toBe(2);
    expect(stack.healths.map(({ state }) => state)).toEqual(["up"]);
  });

  it.each<SipTransportName>(["tcp", "ws"])(
    "over %s that ends before any response: the INVITE goes out once more on another, and is answered there",
    async (transport) => {
      const { peer, stack } = await rig(transport);
      const call = stack.invite();
      const first = await peer.request("INVITE");
      for (const flow of peer.flows) flow.destroy();
      await expect.poll(() => peer.count("INVITE")).toBe(2);
      const again = peer.log.at(-1) as Received<SipRequest>;
      expect(again.text).toBe(first.text);
      peer.reply(again, 486);
      expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 486 });
      expect(stack.kinds(call)).toEqual(["sip.rejected"]);
    },
  );

  it("that ends again before any response: the call fails with the reason", async () => {
    const { peer, stack } = await rig("tcp");
    const call = stack.invite();
    for (const attempt of [1, 2]) {
      await expect.poll(() => peer.count("INVITE")).toBe(attempt);
      for (const flow of peer.flows) flow.destroy();
    }
    const failed = await stack.fact(call, "sip.failed");
    expect(failed).toMatchObject({ fault: "transport", message: expect.stringContaining("connection") });
  });

  it("that ends while the call rings ends nothing: the answer comes on another", async () => {
    const { peer, stack } = await rig("tcp");
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    for (const flow of peer.flows) flow.destroy();
    peer.reply({ ...invite, flow: await peer.dial(contactPort(invite)) }, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted"]);
  });

  it.each<SipTransportName>(["tcp", "ws"])(
    "over %s that died without a word is noticed by its keep-alive",
    async (transport) => {
      const { peer, stack } = await rig(transport, {}, { keepAliveMs: 40 });
      await stack.health(({ state }) => state === "up");
      // Once answered, so that silence means something.
      await expect.poll(() => peer.pings).toBeGreaterThan(1);
      peer.deafen();
      expect((await stack.health(({ state }) => state === "down")).detail).toMatch(/keep-alive not answered/);
    },
  );
});

describe("a trunk over TCP", () => {
  it("may hang up on a connection of its own", async () => {
    const { peer, stack } = await rig("tcp");
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    peer.inDialog({ ...invite, flow: await peer.dial(contactPort(invite)) }, "BYE", 1);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("that answers with two messages in one segment and one in two is understood", async () => {
    const { peer, stack } = await rig("tcp");
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    const written: Buffer[] = [];
    const held = { ...invite, flow: { send: (bytes: Buffer) => void written.push(bytes) } };
    peer.reply(held, 180);
    peer.reply(held, 200, { sdp: ANSWER });
    const all = Buffer.concat(written);
    const cut = (written[0]?.length ?? 0) + 20;
    invite.flow.send(all.subarray(0, cut));
    await stack.fact(call, "sip.ringing");
    invite.flow.send(all.subarray(cut));
    await stack.fact(call, "sip.accepted");
  });
});

describe("a WebSocket server", () => {
  it("that does not speak SIP is down with that reason", async () => {
    const peer = await startPeer({ transport: "ws" });
    const stack = await startStack(
      trunkSettings(peer.port, { transport: "ws", server: { host: "127.0.0.1", port: peer.port, path: "/nosip" } }),
    );
    expect((await stack.health(({ state }) => state === "down")).detail).toMatch(/subprotocol/);
  });

  it("gets the path and the name that were configured", async () => {
    const dns: Dns = {
      naptr: () => Promise.resolve([]),
      srv: () => Promise.resolve([]),
      addresses: () => Promise.resolve(["127.0.0.1"]),
    };
    const peer = await startPeer({ transport: "ws" });
    const server = { host: "gateway.example", port: peer.port, path: "/sip" };
    const stack = await startStack(trunkSettings(peer.port, { transport: "ws", server }), { dns });
    await stack.health(({ state }) => state === "up");
    expect(peer.upgrades).toEqual([{ path: "/sip", host: `gateway.example:${peer.port}`, protocol: "sip" }]);
  });
});
