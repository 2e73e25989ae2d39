// RFC 3665, "SIP Basic Call Flow Examples", seen from the telephone that is called: the messages of each flow that end
// at us, in their order.
import { describe, expect, it } from "vitest";
import { callerAt, callerRig, type Caller, type InviteText } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { startPeer, startStack } from "../rig/rig.ts";
import { ANSWER, OFFER, trunkSettings } from "../rig/stack.ts";

/** Alice calls Bob over two proxies that stay in the way (RFC 3665 s3.2, F6). */
function overProxies(caller: Caller): InviteText {
  return {
    uri: "sip:bob@client.biloxi.example.com",
    from: "Alice <sip:alice@atlanta.example.com>;tag=9fxced76sl",
    to: "Bob <sip:bob@biloxi.example.com>",
    headers: [
      "Via: SIP/2.0/TCP ss1.atlanta.example.com:5060;branch=z9hG4bK2d4790.1;received=192.0.2.111",
      "Via: SIP/2.0/TCP client.atlanta.example.com:5060;branch=z9hG4bK74b43;received=192.0.2.101",
      `Record-Route: <sip:127.0.0.1:${caller.peer.port};lr>, <sip:ss1.atlanta.example.com;lr>`,
    ],
  };
}

describe("RFC 3665", () => {
  it("s3.1 and s3.2: INVITE, 180, 200, ACK, BYE from the caller, 200", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite(overProxies(caller));
    const arrival = await stack.arrival();
    expect(arrival).toMatchObject({ called: "bob", sdp: OFFER, identity: { from: { displayName: "Alice" } } });
    stack.trunks.ring(arrival.call, 180);
    const ringing = await placed.response(180);
    // All Vias and the whole route go back as they came, the first with where it came from.
    expect(ringing.message.vias.map(({ host, received }) => [host, received])).toEqual([
      ["127.0.0.1", "127.0.0.1"],
      ["ss1.atlanta.example.com", "192.0.2.111"],
      ["client.atlanta.example.com", "192.0.2.101"],
    ]);
    expect(ringing.message.recordRoutes).toHaveLength(2);
    stack.trunks.accept(arrival.call, ANSWER);
    const answer = await placed.response(200);
    expect(answer.message.recordRoutes).toHaveLength(2);
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2);
    await placed.response(200, "BYE");
    await stack.fact(arrival.call, "sip.hungUp");
    expect(peer.count("BYE")).toBe(0);
  });

  it("s3.2, the other way round: our BYE goes over the proxies, the first of the route first", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite(overProxies(caller));
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    placed.ack(await placed.response(200));
    stack.trunks.bye(call);
    const bye = await placed.asked("BYE");
    expect(lines(bye, "Route").join(", ")).toBe(`<sip:127.0.0.1:${peer.port};lr>, <sip:ss1.atlanta.example.com;lr>`);
    expect(bye.message).toMatchObject({ uri: { user: "peer" }, toTag: "9fxced76sl" });
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
  });

  it("s3.7: re-INVITE from the called side, with another description", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    placed.ack(answer);
    placed.inDialog(answer, "OPTIONS", 2);
    await placed.response(200, "OPTIONS");
    stack.trunks.reoffer(call, ANSWER.replace("5000", "5002"));
    const again = await placed.asked("INVITE");
    expect(again.message).toMatchObject({ cseq: { number: 1 }, body: ANSWER.replace("5000", "5002") });
    peer.reply(again, 200, { sdp: OFFER });
    expect(await stack.fact(call, "sip.reanswered")).toEqual({ kind: "sip.reanswered", description: OFFER });
    await placed.asked("ACK");
  });

  it("s3.8: CANCEL while it rings: 200, 487, ACK", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite(overProxies(caller));
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    await placed.response(180);
    placed.cancel();
    expect((await placed.response(200, "CANCEL")).message.reasonPhrase).toBe("OK");
    const terminated = await placed.response(487);
    expect(terminated.message.reasonPhrase).toBe("Request Terminated");
    placed.ack(terminated);
    await stack.fact(call, "sip.cancelled");
    expect(placed.statuses).toEqual([100, 180, 487]);
  });

  it.each([
    ["s3.9: busy", 486, "Busy Here"],
    ["s3.11: temporarily unavailable", 480, "Temporarily Unavailable"],
  ])("%s", async (_flow, status, phrase) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite(overProxies(caller));
    const { call } = await stack.arrival();
    stack.trunks.reject(call, status);
    const refusal = await placed.response(status);
    expect(refusal.message.reasonPhrase).toBe(phrase);
    placed.ack(refusal);
    await stack.fact(call, "sip.ended");
  });
});

describe("besides the flows", () => {
  it("a call over IPv6 rings, is answered and ended", async () => {
    const host = "::1";
    const local = { host, port: 0, advertised: undefined };
    const peer = await startPeer({ host, options: 200 });
    const server = { host, port: peer.port, path: "/" };
    const stack = await startStack(trunkSettings(peer.port, { local, server, optionsIntervalMs: 3_600_000 }));
    const caller = await callerAt(peer);
    const placed = caller.invite({ uri: "sip:+4930555@[2001:db8::10]", from: "<sip:+4940777@[2001:db8::20]>;tag=six" });
    const { call, identity, dialog } = await stack.arrival();
    expect(identity.from.host).toBe("[2001:db8::20]");
    expect(dialog.localAddress.host).toBe("::1");
    stack.trunks.accept(call, ANSWER);
    placed.ack(await placed.response(200));
    stack.trunks.bye(call);
    peer.reply(await placed.asked("BYE"), 200);
    await stack.fact(call, "sip.ended");
  });

  it("a connection that is lost while it rings: the answer finds its way on a new one", async () => {
    const { peer, stack, caller } = await callerRig("tcp");
    const placed = caller.invite();
    const { call } = await stack.arrival();
    const before = peer.connections;
    for (const flow of peer.flows) flow.destroy();
    await expect.poll(() => peer.flows.size).toBe(0);
    stack.trunks.accept(call, ANSWER);
    await placed.response(200);
    expect(peer.connections).toBeGreaterThan(before);
  });
});
