// Where requests inside a call go: Contact and Record-Route as the trunk's answer has them, however odd they are.
import { describe, expect, it } from "vitest";
import { textHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import { formatUri } from "../../../src/core/address/uri.ts";
import type { CallId } from "../../../src/core/ids.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { rig, standStill, startPeer, TRANSACTION_MS, type Rig } from "../rig/rig.ts";
import { ANSWER, OFFER, type Stack } from "../rig/stack.ts";

const contact = (uri: string): HeaderLine => textHeader("Contact", `<${uri}>`);
const recordRoute = (value: string): HeaderLine => textHeader("Record-Route", value);
const routes = ({ message }: Received): string[] => message.routes.map(({ uri }) => formatUri(uri));

/** Answers with those headers; gives the call and the ACK. */
async function answered(
  { peer, stack }: Rig,
  headers: readonly HeaderLine[],
  acknowledgedAt: Peer = peer,
  ownContact = true,
): Promise<{ call: CallId; invite: Received<SipRequest>; ack: Received<SipRequest> }> {
  const call = stack.invite();
  const invite = await peer.request("INVITE");
  peer.reply(invite, 200, { sdp: ANSWER, headers, contact: ownContact });
  await stack.fact(call, "sip.accepted");
  return { call, invite, ack: await acknowledgedAt.request("ACK") };
}

async function hangUp(stack: Stack, call: CallId, at: Peer): Promise<Received<SipRequest>> {
  stack.trunks.bye(call);
  const bye = await at.request("BYE");
  at.reply(bye, 200);
  await stack.fact(call, "sip.ended");
  return bye;
}

describe("loose routers", () => {
  it("stand in Route in the order of the way back, the target in the request line", async () => {
    const { peer, stack } = await rig();
    const proxy = await startPeer();
    const [near, far] = [`sip:127.0.0.1:${proxy.port};lr;hop=near`, "sip:far.example;lr;hop=far"];
    const { call, ack } = await answered({ peer, stack }, [recordRoute(`<${far}>, <${near}>`)], proxy);
    for (const request of [ack, await hangUp(stack, call, proxy)]) {
      expect(routes(request)).toEqual([near, far]);
      expect(request.message.uriText).toBe(`sip:peer@127.0.0.1:${peer.port}`);
    }
    expect(peer.count("BYE")).toBe(0);
  });

  it("without angle brackets are routers all the same", async () => {
    const { peer, stack } = await rig();
    const proxy = await startPeer();
    const { ack } = await answered({ peer, stack }, [recordRoute(`sip:127.0.0.1:${proxy.port};lr`)], proxy);
    expect(ack.message.uriText).toBe(`sip:peer@127.0.0.1:${peer.port}`);
  });

  it("of the answer count, not those of the ringing", async () => {
    const { peer, stack } = await rig();
    const proxy = await startPeer();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180, { headers: [recordRoute("<sip:old.example;lr>")] });
    peer.reply(invite, 200, { sdp: ANSWER, headers: [recordRoute(`<sip:127.0.0.1:${proxy.port};lr>`)] });
    const { dialog } = await stack.fact(call, "sip.accepted");
    expect(dialog.routeSet).toEqual([`<sip:127.0.0.1:${proxy.port};lr>`]);
    await proxy.request("ACK");
  });
});

describe("a strict router", () => {
  it("gets its own address in the request line, the target last in Route", async () => {
    const { peer, stack } = await rig();
    const strict = await startPeer();
    const near = `sip:127.0.0.1:${strict.port};method=INVITE;hop=near`;
    const headers = [recordRoute("<sip:far.example;lr>"), recordRoute(`<${near}>`)];
    const { call, invite, ack } = await answered({ peer, stack }, headers, strict);
    const target = `sip:peer@127.0.0.1:${peer.port}`;
    stack.trunks.reoffer(call, OFFER);
    const reinvite = await strict.request("INVITE");
    strict.reply(reinvite, 488);
    const refusalAck = await strict.request("ACK");
    for (const request of [ack, reinvite, refusalAck, await hangUp(stack, call, strict)]) {
      expect(request.message.uriText).toBe(`sip:127.0.0.1:${strict.port};hop=near`);
      expect(routes(request)).toEqual(["sip:far.example;lr", target]);
      expect(request.message.sipCallId).toBe(invite.message.sipCallId);
    }
    expect(reinvite.message.body).toBe(OFFER);
    expect(peer.count("ACK")).toBe(0);
  });

  it("behind a loose one is the loose one's business", async () => {
    const { peer, stack } = await rig();
    const loose = await startPeer();
    const near = `sip:127.0.0.1:${loose.port};lr`;
    const headers = [recordRoute("<sip:strict.example>"), recordRoute(`<${near}>`)];
    const { ack } = await answered({ peer, stack }, headers, loose);
    expect(ack.message.uriText).toBe(`sip:peer@127.0.0.1:${peer.port}`);
    expect(routes(ack)).toEqual([near, "sip:strict.example"]);
  });
});

describe("the Contact of an answer", () => {
  it("on another machine: that machine may hang up from then on, and not before", async () => {
    const { peer, stack } = await rig();
    const media = await startPeer({ host: "127.0.0.2" });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    // The same ids, before anybody has named that address.
    media.inDialog({ ...invite, flow: media.towards(invite) }, "OPTIONS", 1);
    await expect.poll(() => stack.log.some(({ message }) => message.includes("not a peer of the trunk"))).toBe(true);
    media.reply({ ...invite, flow: invite.flow }, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    await media.request("ACK");
    media.inDialog({ ...invite, flow: media.towards(invite) }, "BYE", 2);
    expect((await media.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("that differs from that of the ringing counts", async () => {
    const { peer, stack } = await rig();
    const other = await startPeer();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    other.reply({ ...invite, flow: invite.flow }, 200, { sdp: ANSWER });
    const { dialog } = await stack.fact(call, "sip.accepted");
    expect(dialog.remoteTarget).toBe(`sip:peer@127.0.0.1:${other.port}`);
    await other.request("ACK");
    await hangUp(stack, call, other);
    expect(peer.count("ACK")).toBe(0);
  });

  it("that is missing leaves that of the ringing", async () => {
    const { peer, stack } = await rig();
    const other = await startPeer();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    other.reply(invite, 180);
    peer.reply(invite, 200, { sdp: ANSWER, contact: false });
    await stack.fact(call, "sip.accepted");
    await other.request("ACK");
  });

  it.each(["<sip:>", "<sip:peer@>", "<>", "sip", '"x', "*"])(
    "that is none (%s): the call is answered, and ended by the way the INVITE went",
    async (value) => {
      const { peer, stack } = await rig();
      const target = `sip:+49301@127.0.0.1:${peer.port}`;
      const call = stack.invite({ target });
      const invite = await peer.request("INVITE");
      peer.reply(invite, 200, { sdp: ANSWER, contact: false, headers: [textHeader("Contact", value)] });
      const { dialog } = await stack.fact(call, "sip.accepted");
      expect(dialog.remoteTarget).toBe(target);
      await peer.request("ACK");
      expect((await hangUp(stack, call, peer)).message.uriText).toBe(target);
    },
  );

  it("that cannot be reached over the trunk: said in the log, and the call still comes to its end", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    // A secure target on a trunk that is not: nothing is sent to it in the clear (RFC 3261 s26.2.2).
    const headers = [contact(`sips:peer@127.0.0.1:${peer.port}`)];
    peer.reply(invite, 200, { sdp: ANSWER, contact: false, headers });
    await stack.fact(call, "sip.accepted");
    await expect.poll(() => stack.log.filter(({ message }) => message === "could not send ACK")).toHaveLength(1);
    stack.trunks.bye(call);
    await stack.fact(call, "sip.ended");
    pass(TRANSACTION_MS);
    expect(peer.log.map(({ message }) => message.kind === "request" && message.method)).toEqual(["INVITE"]);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });
});

it("Record-Route that nobody can read is passed over, so that the answer is acknowledged at all", async () => {
  const { peer, stack } = await rig();
  const { call, ack } = await answered({ peer, stack }, [recordRoute("<<proxy>"), recordRoute("<sip:x;lr>")]);
  expect(lines(ack, "Route")).toEqual([]);
  await hangUp(stack, call, peer);
});
