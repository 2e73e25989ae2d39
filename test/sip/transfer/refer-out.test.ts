// A transfer that the person orders: our REFER inside the call, and what the trunk says of it (RFC 3515, RFC 3891).
import { describe, expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { uriHeader } from "../../../src/core/address/uri.ts";
import { parseNameAddr } from "../../../src/sip/wire/fields/name-addr.ts";
import { referToHeader } from "../../../src/sip/headers/refer-to.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import type { SipDialogState } from "../../../src/core/call/model/dialog-state.ts";
import { sipUri, telUri } from "../../core/address/sip-uri.ts";
import { answered, hangUp, type Answered } from "../rig/answered-call.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { rig, standStill, TRANSACTION_MS, type Rig } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";

const TARGET = "sip:+4940777@gateway.example";
const THIRD = { kind: "address", uri: sipUri(TARGET) } as const;

function notify(
  peer: Peer,
  invite: Received<SipRequest>,
  cseq: number,
  sipfrag: string,
  state = "active;expires=60",
  event = "refer",
): void {
  peer.inDialog(invite, "NOTIFY", cseq, {
    headers: [textHeader("Event", event), textHeader("Subscription-State", state)],
    ...(sipfrag === "" ? {} : { body: { type: "message/sipfrag;version=2.0", content: sipfrag } }),
  });
}

/** The REFER has been accepted. */
async function referred({ peer, stack }: Rig): Promise<Answered & { refer: Received<SipRequest> }> {
  const { call, invite } = await answered({ peer, stack });
  stack.trunks.refer(call, THIRD);
  const refer = await peer.request("REFER");
  peer.reply(refer, 202);
  return { call, invite, refer };
}

describe("a blind transfer", () => {
  it("goes out as REFER to the target, on the word of who asks for it", async () => {
    const { peer, stack } = await rig();
    const { refer } = await referred({ peer, stack });
    expect(lines(refer, "Refer-To")).toEqual([`<${TARGET}>`]);
    expect(lines(refer, "Referred-By")).toEqual(["<sip:+4930123@127.0.0.1>"]);
    expect(lines(refer, "Contact")).toHaveLength(1);
  });

  it("is followed as far as the trunk tells: trying, ringing, answered", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    notify(peer, invite, 1, "SIP/2.0 100 Trying\r\n");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(200);
    expect((await stack.fact(call, "sip.referProgressed")).status).toBe(100);
    notify(peer, invite, 2, "SIP/2.0 180 Ringing\r\nContact: <sip:x@y>\r\n");
    expect((await stack.fact(call, "sip.referProgressed")).status).toBe(180);
    notify(peer, invite, 3, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
    expect((await stack.fact(call, "sip.referProgressed")).status).toBe(200);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call).filter((kind) => kind === "sip.referProgressed")).toHaveLength(3);
  });

  it("is busy there: told, and the call goes on", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    notify(peer, invite, 1, "SIP/2.0 486 Busy Here\r\n", "terminated;reason=noresource");
    expect((await stack.fact(call, "sip.referProgressed")).status).toBe(486);
    await hangUp(peer, stack, call);
  });

  it("is told of before it is accepted: the NOTIFY overtakes the 202", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    const refer = await peer.request("REFER");
    notify(peer, invite, 1, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(200);
    peer.reply(refer, 202);
    expect((await stack.fact(call, "sip.referProgressed")).status).toBe(200);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referProgressed", "sip.ended"]);
  });

  it("is told to ring before it is accepted: for how long it may, the NOTIFY has said", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    const refer = await peer.request("REFER");
    notify(peer, invite, 1, "SIP/2.0 180 Ringing\r\n", "active;expires=120");
    await stack.fact(call, "sip.referProgressed");
    peer.reply(refer, 202);
    peer.inDialog(invite, "INFO", 2);
    await peer.response("INFO");
    pass(100_000);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referProgressed"]);
    await hangUp(peer, stack, call);
  });

  it.each([403, 405, 420, 501, 603])("is refused %i: told, and the call goes on", async (status) => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    peer.reply(await peer.request("REFER"), status);
    expect(await stack.fact(call, "sip.referRefused")).toEqual({ kind: "sip.referRefused", status });
    await hangUp(peer, stack, call);
  });

  it("is not answered at all: told after 64*T1, and the call goes on", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    await peer.request("REFER");
    pass(TRANSACTION_MS);
    expect(await stack.fact(call, "sip.referRefused")).toMatchObject({ status: 408 });
    await hangUp(peer, stack, call);
  });

  it("is accepted, and nothing more is heard of it: given up after 64*T1", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    // The 202 is in once the stack answers what came after it.
    peer.inDialog(invite, "INFO", 1);
    await peer.response("INFO");
    pass(32_000);
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 408 });
    await hangUp(peer, stack, call);
  });

  it("rings for longer than the subscription lasts: given up when that is over, not before", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    notify(peer, invite, 1, "SIP/2.0 180 Ringing\r\n", "active;expires=120");
    await stack.fact(call, "sip.referProgressed");
    pass(119_000);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referProgressed"]);
    pass(1_000);
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 408 });
    await hangUp(peer, stack, call);
  });

  it.each([
    ["ends without a status", "", "terminated;reason=giveup"],
    ["ends with what is no status", "hello", "terminated"],
    ["ends while it still tries", "SIP/2.0 100 Trying\r\n", "terminated;reason=timeout"],
  ])("%s: nobody knows what became of it, which counts as not done", async (_, sipfrag, state) => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    notify(peer, invite, 1, sipfrag, state);
    await expect
      .poll(() => stack.facts.get(call)?.at(-1), { interval: 1 })
      .toEqual({ kind: "sip.referProgressed", status: 487 });
    await hangUp(peer, stack, call);
  });

  it("is done without a word more, as the trunk says in its 202 (RFC 4488)", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    peer.reply(await peer.request("REFER"), 202, { headers: [textHeader("Refer-Sub", "false")] });
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 202 });
    await hangUp(peer, stack, call);
  });

  it("to a trunk that is known to take none is not asked for", async () => {
    const { peer, stack } = await rig("udp", { takesRefer: false });
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    expect(await stack.fact(call, "sip.referRefused")).toMatchObject({ status: 405 });
    await hangUp(peer, stack, call);
    expect(peer.count("REFER")).toBe(0);
  });

  it("to a peer whose Allow has no REFER is not asked for", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER, headers: [textHeader("Allow", "INVITE, ACK, BYE, CANCEL")] });
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");
    stack.trunks.refer(call, THIRD);
    expect(await stack.fact(call, "sip.referRefused")).toMatchObject({ status: 405 });
    peer.inDialog(invite, "UPDATE", 1, { headers: [textHeader("Allow", "INVITE, ACK, BYE, CANCEL, REFER")] });
    await peer.response("UPDATE");
    stack.trunks.refer(call, THIRD);
    await peer.request("REFER");
  });

  it("is wanted once more while the first is under way: that one has to wait", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    stack.trunks.refer(call, THIRD);
    expect(await stack.fact(call, "sip.referRefused")).toMatchObject({ status: 491 });
    notify(peer, invite, 1, "SIP/2.0 603 Decline\r\n", "terminated");
    await stack.fact(call, "sip.referProgressed");
    stack.trunks.refer(call, THIRD);
    const second = await peer.request("REFER");
    peer.reply(second, 202);
    // RFC 3515 s2.4.6: the CSeq of the REFER tells the subscriptions apart.
    notify(peer, invite, 2, "SIP/2.0 200 OK\r\n", "terminated", `refer;id=${second.message.cseq.number}`);
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 200 });
  });

  it("wants credentials first", async () => {
    const { peer, stack } = await rig("udp", { credentials: { username: "bridge", password: "secret" } });
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    peer.reply(await peer.request("REFER"), 401, {
      headers: [textHeader("WWW-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')],
    });
    const second = await peer.request("REFER");
    expect(lines(second, "Authorization")).toHaveLength(1);
    peer.reply(second, 202);
    notify(peer, invite, 1, "SIP/2.0 200 OK\r\n", "terminated", `refer;id=${second.message.cseq.number}`);
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 200 });
  });

  it("ends the call where the trunk says that there is none", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, THIRD);
    peer.reply(await peer.request("REFER"), 481);
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referRefused", "sip.hungUp"]);
  });

  it("to a number of its own kind goes out as that", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.refer(call, { kind: "address", uri: telUri("tel:+4940777") });
    expect(lines(await peer.request("REFER"), "Refer-To")).toEqual(["<tel:+4940777>"]);
  });

  it("to a dialog whose other end nobody can call is refused here, and nothing leaves", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    for (const place of ["https://example.org", "", "sip:", "sip:a@b>\r\nX: y"]) {
      const elsewhere = { remoteUri: place, remoteTarget: place } as SipDialogState;
      stack.trunks.refer(call, { kind: "dialog", dialog: elsewhere });
      expect(await stack.fact(call, "sip.referRefused")).toMatchObject({ status: 400 });
    }
    await hangUp(peer, stack, call);
    expect(peer.count("REFER")).toBe(0);
  });
});

describe("NOTIFYs of a transfer", () => {
  it("that come after the call has ended are taken, and say nothing to anybody", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    await hangUp(peer, stack, call);
    notify(peer, invite, 1, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(200);
    notify(peer, invite, 2, "SIP/2.0 200 OK\r\n", "terminated;reason=noresource");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(481);
    expect(stack.kinds(call).at(-1)).toBe("sip.ended");
  });

  it("of nothing that we asked for get 481, those of another event 489", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    notify(peer, invite, 1, "SIP/2.0 200 OK\r\n");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(481);
    notify(peer, invite, 2, "", "active", "presence");
    const bad = await peer.response("NOTIFY");
    expect(bad.message.statusCode).toBe(489);
    expect(lines(bad, "Allow-Events")).toEqual(["refer"]);
    peer.inDialog(invite, "NOTIFY", 3);
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(489);
    await hangUp(peer, stack, call);
  });

  it("of an older REFER, or with an older CSeq, change nothing", async () => {
    const { peer, stack } = await rig();
    const { call, invite, refer } = await referred({ peer, stack });
    notify(peer, invite, 5, "SIP/2.0 200 OK\r\n", "active", `refer;id=${refer.message.cseq.number - 1}`);
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(481);
    notify(peer, invite, 4, "SIP/2.0 200 OK\r\n");
    expect((await peer.response("NOTIFY")).message.statusCode).toBe(500);
    notify(peer, invite, 6, "SIP/2.0 200 OK\r\n");
    expect(await stack.fact(call, "sip.referProgressed")).toMatchObject({ status: 200 });
  });
});

describe("a consult transfer", () => {
  it("names the dialog of the other call as its far end knows it (RFC 3891 s3)", async () => {
    const { peer, stack } = await rig();
    const first = await answered({ peer, stack });
    const second = stack.invite({ target: TARGET });
    const consulted = await peer.request("INVITE");
    peer.reply(consulted, 200, { sdp: ANSWER, toTag: "their-own" });
    const { dialog } = await stack.fact(second, "sip.accepted");
    await peer.request("ACK");
    stack.trunks.refer(first.call, { kind: "dialog", dialog });
    const refer = await peer.request("REFER");
    const [value = ""] = lines(refer, "Refer-To");
    const address = parseNameAddr(value);
    const replaces = address && uriHeader(address.uri, "Replaces");
    // The far end looks for a dialog whose local tag is to-tag: that is the tag it has given itself.
    expect(replaces).toBe(`${consulted.message.sipCallId};to-tag=their-own;from-tag=${consulted.message.fromTag}`);
    expect(value.slice(value.indexOf("?"))).not.toMatch(/[;=@]to-tag|;from-tag/);
    expect(value).toContain("%3Bto-tag%3Dtheir-own%3Bfrom-tag%3D");
  });

  it("escapes what a Call-ID may hold, so that it arrives as it was", () => {
    const dialog = {
      trunk: "t",
      sipCallId: 'a%41b"@[::1];x=1&y?',
      localTag: "ours",
      remoteTag: "theirs",
      localUri: "sip:a@b",
      remoteUri: "sip:c@d",
      remoteTarget: "sip:c@d",
      routeSet: [],
      localCSeq: 1,
      remoteCSeq: undefined,
      secure: false,
      localAddress: { host: "127.0.0.1", port: 5060 },
    } as unknown as SipDialogState;
    // Known by a number alone, it is called where its dialog is.
    for (const remoteUri of ["sip:c@d;transport=tcp", "tel:+4930"]) {
      const line = referToHeader({ kind: "dialog", dialog: { ...dialog, remoteUri } });
      const address = parseNameAddr(line.slice("Refer-To: ".length));
      expect(address?.uri).toMatchObject({ kind: "sip", user: "c", host: "d" });
      expect(address && uriHeader(address.uri, "Replaces")).toBe('a%41b"@[::1];x=1&y?;to-tag=theirs;from-tag=ours');
    }
  });
});
