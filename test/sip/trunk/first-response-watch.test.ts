// A server that says nothing: how long a caller waits before the next one is tried, and what becomes of the first
// when it wakes up after all.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import type { Dns } from "../../../src/sip/transport/resolver.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { Peer } from "../rig/peer.ts";
import { certificates, closeLater, standStill, startPeer, startStack, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, trunkSettings } from "../rig/stack.ts";

const settings = trunkSettings(0, { server: { host: "trunk.example", port: undefined, path: "/" } });

/** Servers of one trunk, the first the best. */
function inOrder(...peers: readonly { readonly port: number }[]): Dns {
  const records = peers.map(({ port }, priority) => ({ name: "a.example", port, priority, weight: 0 }));
  return {
    naptr: () => Promise.resolve([]),
    srv: () => Promise.resolve(records),
    addresses: () => Promise.resolve(["127.0.0.1"]),
  };
}

/** A port where nobody listens any more. */
describe("a server at whose port nobody listens", () => {
  it("is left after 500 ms for the next", async () => {
    const pass = standStill();
    const [dead, next] = [{ port: await freePort() }, await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(dead, next) });
    const call = stack.invite();
    await stack.fact(call, "sip.sent");
    pass(500);
    next.reply(await next.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
    expect(stack.kinds(call)).toEqual(["sip.rejected"]);
  });

  it("and there is no other: the call fails after 500 ms and says so", async () => {
    const pass = standStill();
    const stack = await startStack(trunkSettings(await freePort()));
    const call = stack.invite();
    await stack.fact(call, "sip.sent");
    pass(500);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({
      fault: "transport",
      message: "nothing listens at the server's port",
    });
    expect(stack.trunks.health()).toMatchObject([{ state: "down", detail: "nothing listens at the server's port" }]);
  });

  it("over IPv6 too", async () => {
    const pass = standStill();
    const peer = await Peer.start({ host: "::1" });
    await peer.close();
    const server = { host: "::1", port: peer.port, path: "/" };
    const local = { host: "::", port: 0, advertised: undefined };
    const stack = await startStack(trunkSettings(0, { server, local }));
    const call = stack.invite();
    await stack.fact(call, "sip.sent");
    pass(500);
    await stack.fact(call, "sip.failed");
  });
});

describe("a server that takes datagrams and says nothing", () => {
  it("is left after 4 s for the next, and rests", async () => {
    const pass = standStill();
    const [mute, next] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(mute, next) });
    const call = stack.invite();
    const invite = await mute.request("INVITE");
    pass(3_999);
    expect(next.log).toEqual([]);
    pass(1);
    const other = await next.request("INVITE");
    expect(other.message.sipCallId).not.toBe(invite.message.sipCallId);
    next.reply(other, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    const again = stack.invite();
    next.reply(await next.request("INVITE"), 486);
    await stack.fact(again, "sip.rejected");
    // The first got its copies of one INVITE, and none after it was left.
    pass(TRANSACTION_MS);
    await expect.poll(() => mute.count("INVITE")).toBe(4);
  });

  it("and rings after it was left: it is cancelled, once", async () => {
    const pass = standStill();
    const [mute, next] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(mute, next) });
    const call = stack.invite();
    const invite = await mute.request("INVITE");
    pass(4_000);
    next.reply(await next.request("INVITE"), 180);
    await stack.fact(call, "sip.ringing");
    mute.reply(invite, 180);
    mute.reply(invite, 183, { sdp: ANSWER });
    const cancel = await mute.request("CANCEL");
    expect(cancel.message.vias[0].branch).toBe(invite.message.vias[0].branch);
    mute.reply(cancel, 200);
    mute.reply(invite, 487);
    expect((await mute.request("ACK")).message.cseq.number).toBe(invite.message.cseq.number);
    expect(mute.count("CANCEL")).toBe(1);
    expect(stack.kinds(call)).toEqual(["sip.ringing"]);
  });

  it("and is picked up after it was left: acknowledged and ended", async () => {
    const pass = standStill();
    const [mute, next] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(mute, next) });
    const call = stack.invite();
    const invite = await mute.request("INVITE");
    pass(4_000);
    next.reply(await next.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    mute.reply(invite, 200, { sdp: ANSWER });
    await mute.request("ACK");
    mute.reply(await mute.request("BYE"), 200);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("but 100 Trying is given the time that the call has", async () => {
    const pass = standStill();
    const [slow, next] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(slow, next) });
    const call = stack.invite();
    const invite = await slow.request("INVITE");
    slow.reply(invite, 100);
    await stack.fact(call, "sip.trying");
    pass(60_000);
    slow.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    expect(next.log).toEqual([]);
  });

  it("over TCP, where the connection stands: the same", async () => {
    const pass = standStill();
    const mute = await startPeer({ transport: "tcp" });
    const stack = await startStack(trunkSettings(mute.port, { transport: "tcp" }));
    const call = stack.invite();
    await mute.request("INVITE");
    pass(10_000);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "timeout" });
    // Its end must not send the INVITE once more.
    for (const flow of mute.flows) flow.destroy();
    await expect.poll(() => mute.connections).toBe(2);
    expect(mute.count("INVITE")).toBe(1);
  });
});

describe("a server that is overloaded", () => {
  const retryAfter = (value: string): object => ({ headers: [textHeader("Retry-After", value)] });

  it("after its 100: the next one is tried", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(first, second) });
    const call = stack.invite();
    const invite = await first.request("INVITE");
    first.reply(invite, 100);
    first.reply(invite, 503);
    second.reply(await second.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
  });

  it("after it rang: the call is over, nobody rings a second time", async () => {
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(first, second) });
    const call = stack.invite();
    const invite = await first.request("INVITE");
    first.reply(invite, 180);
    first.reply(invite, 503);
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 503 });
    expect(second.log).toEqual([]);
  });

  it.each([
    ["120;duration=3600", 119_000, 2_000],
    ["7 (maintenance)", 6_000, 2_000],
    // Not for a year, whatever it says.
    ["31536000", 599_000, 2_000],
  ])("and says for how long (%s): it is asked again after that", async (value, restMs, thenMs) => {
    const pass = standStill();
    const [first, second] = [await startPeer(), await startPeer()];
    const stack = await startStack(settings, { dns: inOrder(first, second) });
    const call = stack.invite();
    first.reply(await first.request("INVITE"), 503, retryAfter(value));
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(call, "sip.rejected");
    pass(restMs);
    const during = stack.invite();
    second.reply(await second.request("INVITE"), 486);
    await stack.fact(during, "sip.rejected");
    pass(thenMs);
    const after = stack.invite();
    first.reply(await first.request("INVITE"), 486);
    await stack.fact(after, "sip.rejected");
    expect([first.count("INVITE"), second.count("INVITE")]).toEqual([2, 2]);
  });
});

describe("the caller gives up", () => {
  it("while the connection is still being opened: over at once, and nothing leaves when it stands", async () => {
    const peer = await startPeer({ transport: "tls", tls: certificates().server });
    const held: Socket[] = [];
    const gate = createServer((socket) => void held.push(socket));
    await listen(gate);
    closeLater(async () => void gate.close());
    const tls = { ca: certificates().authority.ca, certificate: undefined, key: undefined, serverName: undefined };
    const { port } = gate.address() as AddressInfo;
    const stack = await startStack(trunkSettings(port, { transport: "tls", tls }));
    const call = stack.invite();
    await stack.fact(call, "sip.sent");
    stack.trunks.cancel(call);
    await stack.fact(call, "sip.ended");
    expect(stack.trunks.health()).toMatchObject([{ state: "unknown" }]);
    // Now it stands; the INVITE of another call is the first that leaves.
    await expect.poll(() => held.length).toBe(1);
    for (const socket of held) {
      const inner = connect(peer.port, "127.0.0.1");
      closeLater(async () => void inner.destroy());
      socket.pipe(inner).pipe(socket);
    }
    const other = stack.invite();
    peer.reply(await peer.request("INVITE"), 486);
    await stack.fact(other, "sip.rejected");
    expect(peer.count("INVITE")).toBe(1);
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });
});
