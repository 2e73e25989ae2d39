// Whom an encrypted trunk trusts, under which name it asks, and who may call it back.
import { describe, expect, it } from "vitest";
import type { CallId } from "../../../src/core/ids.ts";
import type { SipTransportName, TrunkSettings } from "../../../src/ports/sip.ts";
import type { Dns } from "../../../src/sip/transport/resolver.ts";
import { Authority } from "../rig/certificates.ts";
import { contactPort, type Peer } from "../rig/peer.ts";
import { certificates, closeLater, startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, trunkSettings, type Stack } from "../rig/stack.ts";

const noTls = { ca: undefined, certificate: undefined, key: undefined, serverName: undefined };
const onlyHere: Dns = {
  naptr: () => Promise.resolve([]),
  srv: () => Promise.resolve([]),
  addresses: () => Promise.resolve(["127.0.0.1"]),
};
const at = (host: string, port: number): TrunkSettings["server"] => ({ host, port, path: "/" });

/** A call over a trunk that is known by its name, and whose answer has the other peer's address in its Contact. */
async function ledTo(edge: Peer, peer: Peer): Promise<{ stack: Stack; call: CallId }> {
  const tls = { ...noTls, ca: certificates().authority.ca };
  const settings = trunkSettings(0, { transport: "tls", tls, server: at("trunk.example", peer.port) });
  const stack = await startStack(settings, { dns: onlyHere });
  const call = stack.invite();
  peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER, contact: false, headers: [edge.contact] });
  await stack.fact(call, "sip.accepted");
  return { stack, call };
}

describe("certificates", () => {
  it.each<SipTransportName>(["tls", "wss"])(
    "of an unknown authority: %s trunk down, no call leaves",
    async (transport) => {
      const stranger = new Authority("Stranger");
      closeLater(() => Promise.resolve(stranger.remove()));
      const peer = await startPeer({ transport, tls: stranger.issue("server", "IP:127.0.0.1") });
      const tls = { ...noTls, ca: certificates().authority.ca };
      const stack = await startStack(trunkSettings(peer.port, { transport, tls }));
      const health = await stack.health(({ state }) => state === "down");
      expect(health.detail).toMatch(/TLS: .*(unable to verify|unable to get|self-signed)/);
      const call = stack.invite();
      expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "transport" });
      expect(peer.log).toEqual([]);
    },
  );

  it.each<SipTransportName>(["tls", "wss"])("for another name: %s trunk down", async (transport) => {
    const tls = certificates().authority.issue(`other-${transport}`, "DNS:other.example");
    const peer = await startPeer({ transport, tls });
    const trusted = { ...noTls, ca: certificates().authority.ca };
    const stack = await startStack(trunkSettings(peer.port, { transport, tls: trusted }));
    expect((await stack.health(({ state }) => state === "down")).detail).toMatch(/TLS: .*does not match/);
  });

  it.each<SipTransportName>(["tls", "wss"])("for the configured name: %s trunk up", async (transport) => {
    const tls = certificates().authority.issue(`named-${transport}`, "DNS:other.example");
    const peer = await startPeer({ transport, tls });
    const trusted = { ...noTls, ca: certificates().authority.ca, serverName: "other.example" };
    const stack = await startStack(trunkSettings(peer.port, { transport, tls: trusted }));
    expect((await stack.health(({ state }) => state === "up")).detail).toBe("connected");
    await expect.poll(() => peer.serverNames).toEqual(["other.example"]);
  });

  it.each<SipTransportName>(["tls", "wss"])(
    "for the server's name: %s trunk up, and asked for by it (SNI)",
    async (transport) => {
      const tls = certificates().authority.issue(`found-${transport}`, "DNS:trunk.example");
      const peer = await startPeer({ transport, tls });
      const trusted = { ...noTls, ca: certificates().authority.ca };
      const server = at("trunk.example", peer.port);
      const stack = await startStack(trunkSettings(0, { transport, tls: trusted, server }), { dns: onlyHere });
      await stack.health(({ state }) => state === "up");
      await expect.poll(() => peer.serverNames).toEqual(["trunk.example"]);
    },
  );

  it("for the server's name: also where its Contact is an address, to which we connect when the call is over", async () => {
    const { authority } = certificates();
    const tls = authority.issue("by-name", "DNS:trunk.example");
    const peer = await startPeer({ transport: "tls", tls });
    const edge = await startPeer({ transport: "tls", tls });
    const { stack, call } = await ledTo(edge, peer);
    await edge.request("ACK");
    stack.trunks.bye(call);
    edge.reply(await edge.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(edge.serverNames).toEqual(["trunk.example"]);
  });

  it("for another name than the server's: nothing of the call goes to that address, and the BYE to the server", async () => {
    const { authority } = certificates();
    const peer = await startPeer({ transport: "tls", tls: authority.issue("by-name", "DNS:trunk.example") });
    const edge = await startPeer({ transport: "tls", tls: authority.issue("other", "DNS:other.example") });
    const { stack, call } = await ledTo(edge, peer);
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(edge.log).toEqual([]);
  });

  it("of ours: asked for by the trunk, and we have none: a call fails at once with that reason", async () => {
    const { authority, server } = certificates();
    const peer = await startPeer({ transport: "tls", tls: { ...server, ca: authority.ca } });
    const tls = { ...noTls, ca: authority.ca };
    const stack = await startStack(trunkSettings(peer.port, { transport: "tls", tls }));
    const call = stack.invite();
    const failed = await stack.fact(call, "sip.failed");
    expect(failed).toMatchObject({ fault: "transport", message: expect.stringMatching(/certificate required/) });
    expect(peer.log).toEqual([]);
  });

  it("of ours: asked for by the trunk, and we are called back over TLS", async () => {
    const { authority } = certificates();
    const peer = await startPeer({ transport: "tls", tls: { ...certificates().server, ca: authority.ca } });
    const own = authority.issue("client", "IP:127.0.0.1");
    const tls = { ca: authority.ca, certificate: own.cert, key: own.key, serverName: undefined };
    const stack = await startStack(trunkSettings(peer.port, { transport: "tls", tls }));
    expect((await stack.health(({ state }) => state === "up")).detail).toBe("connected");
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    const flow = await peer.dial(contactPort(invite), { ...own, ca: authority.ca });
    peer.inDialog({ ...invite, flow }, "BYE", 1);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });
});
