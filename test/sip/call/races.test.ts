// What happens when two things happen at once: CANCEL and answer, several answers, answers after the end.
import { describe, expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { lines, type Peer, type Received } from "../rig/peer.ts";
import { rig, standStill, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";

/** The stack ends the dialog of that answer by itself. */
async function endsIt(peer: Peer, toTag: string): Promise<void> {
  const ofThatDialog = (method: string): Promise<Received<SipRequest>> =>
    peer.next(
      (message): message is SipRequest =>
        message.kind === "request" && message.method === method && message.toTag === toTag,
    );
  await ofThatDialog("ACK");
  peer.reply(await ofThatDialog("BYE"), 200);
}

describe("the caller gives up", () => {
  it("before the gateway says anything: CANCEL waits for the first provisional", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    stack.trunks.cancel(call);
    peer.reply(invite, 100);
    const cancel = await peer.request("CANCEL");
    expect(cancel.message.vias[0].branch).toBe(invite.message.vias[0].branch);
    peer.reply(cancel, 200);
    peer.reply(invite, 487);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it("in the same moment as the order to invite: nothing goes out", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    stack.trunks.cancel(call);
    await stack.fact(call, "sip.ended");
    const later = stack.invite();
    peer.reply(await peer.request("INVITE"), 486);
    await stack.fact(later, "sip.rejected");
    expect(peer.count("INVITE")).toBe(1);
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it("and the gateway never says anything: it is over after 20*T1", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const call = stack.invite();
    await peer.request("INVITE");
    stack.trunks.cancel(call);
    pass(9_999);
    expect(stack.kinds(call)).toEqual([]);
    pass(1);
    await stack.fact(call, "sip.ended");
    expect(peer.count("CANCEL")).toBe(0);
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it("before anything was said, and the first word is the answer: the call is accepted, to be ended with BYE", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    stack.trunks.cancel(call);
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(peer.count("CANCEL")).toBe(0);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("while the callee picks up: the 200 crosses the CANCEL", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    const cancel = await peer.request("CANCEL");
    peer.reply(invite, 200, { sdp: ANSWER });
    peer.reply(cancel, 200);
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");
    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted", "sip.ended"]);
  });

  it("and the gateway refuses with something other than 487", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    peer.reply(await peer.request("CANCEL"), 481);
    peer.reply(invite, 486);
    await peer.request("ACK");
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.ended"]);
  });

  it("while a challenge is on its way: the INVITE is not sent again", async () => {
    const credentials = { username: "bridge", password: "secret" };
    const { peer, stack } = await rig("udp", { credentials });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    stack.trunks.cancel(call);
    const challenge = textHeader("Proxy-Authenticate", 'Digest realm="r", nonce="n"');
    peer.reply(invite, 407, { headers: [challenge] });
    await stack.fact(call, "sip.ended");
    expect(peer.count("INVITE")).toBe(1);
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it("and the gateway answers the CANCEL but not the INVITE: over after 64*T1, a later answer is ended", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    peer.reply(await peer.request("CANCEL"), 200);
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.ended");
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "late" });
    await endsIt(peer, "late");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.ended"]);
  });
});

describe("an answer after the end", () => {
  it("a 200 after the 487 is acknowledged and ended", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call);
    peer.reply(await peer.request("CANCEL"), 200);
    peer.reply(invite, 487);
    await stack.fact(call, "sip.ended");
    await peer.request("ACK");
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "late" });
    await endsIt(peer, "late");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.ended"]);
  });

  it("a 200 after the time-out is acknowledged and ended, each repetition acknowledged again", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    pass(TRANSACTION_MS);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "timeout" });
    // The last copy that is still on its way would be answered by itself.
    await expect.poll(() => peer.count("INVITE")).toBe(5);
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "late" });
    await endsIt(peer, "late");
    const acks = peer.count("ACK");
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "late" });
    await expect.poll(() => peer.count("ACK")).toBe(acks + 1);
    expect(peer.count("BYE")).toBe(1);
    expect(stack.kinds(call)).toEqual(["sip.failed"]);
  });
});

describe("several telephones answer", () => {
  it("the first is kept, the others are acknowledged and ended", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180, { toTag: "kitchen" });
    peer.reply(invite, 180, { toTag: "office" });
    peer.reply(invite, 200, { sdp: ANSWER, toTag: "office" });
    peer.reply(invite, 200, { sdp: ANSWER.replace("5000", "5002"), toTag: "kitchen" });
    peer.reply(invite, 200, { sdp: ANSWER.replace("5000", "5004"), toTag: "cellar" });
    const accepted = await stack.fact(call, "sip.accepted");
    expect(accepted.dialog.remoteTag).toBe("office");
    await Promise.all([endsIt(peer, "kitchen"), endsIt(peer, "cellar")]);
    stack.trunks.bye(call);
    const bye = await peer.request("BYE");
    expect(bye.message.toTag).toBe("office");
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted", "sip.ended"]);
  });

  it("a repeated 200 is acknowledged again and is no second answer", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER });
    peer.reply(invite, 200, { sdp: ANSWER });
    peer.reply(invite, 200, { sdp: ANSWER });
    await expect.poll(() => peer.count("ACK")).toBe(3);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });
});

describe("before the answer", () => {
  it("early media is heard, and its description stands in for a 200 without one", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 183, { sdp: ANSWER });
    peer.reply(invite, 183, { sdp: ANSWER });
    expect((await stack.fact(call, "sip.progressed")).description).toBe(ANSWER);
    peer.reply(invite, 200);
    expect((await stack.fact(call, "sip.accepted")).description).toBe(ANSWER);
    expect(stack.kinds(call)).toEqual(["sip.progressed", "sip.accepted"]);
  });

  it("a 180 with a description rings and is early media", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    peer.reply(await peer.request("INVITE"), 180, { sdp: ANSWER });
    await stack.fact(call, "sip.progressed");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.progressed"]);
  });

  it("a reliable 183 is acknowledged with PRACK, once for each", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    expect(lines(invite, "Supported")).toEqual(["100rel, replaces, timer"]);
    const reliable = (sequence: number): { headers: ReturnType<typeof textHeader>[] } => ({
      headers: [textHeader("Require", "100rel"), textHeader("RSeq", String(sequence))],
    });
    peer.reply(invite, 183, { sdp: ANSWER, ...reliable(7) });
    const first = await peer.request("PRACK");
    expect(lines(first, "RAck")).toEqual([`7 ${invite.message.cseq.number} INVITE`]);
    expect(first.message.cseq.number).toBe(invite.message.cseq.number + 1);
    peer.reply(invite, 183, { sdp: ANSWER, ...reliable(7) });
    peer.reply(first, 200);
    peer.reply(invite, 180, reliable(8));
    const second = await peer.request("PRACK");
    expect(lines(second, "RAck")).toEqual([`8 ${invite.message.cseq.number} INVITE`]);
    peer.reply(second, 200);
    peer.reply(invite, 200);
    expect((await stack.fact(call, "sip.accepted")).description).toBe(ANSWER);
    await peer.request("ACK");
    stack.trunks.bye(call);
    const bye = await peer.request("BYE");
    expect(bye.message.cseq.number).toBeGreaterThan(second.message.cseq.number);
    expect(stack.kinds(call).slice(0, 3)).toEqual(["sip.progressed", "sip.ringing", "sip.accepted"]);
  });

  it("a 180 without Contact or tag still rings, and the call is answered", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(
      Buffer.from(
        `SIP/2.0 180 Ringing\r\nVia: ${lines(invite, "Via")[0]}\r\nFrom: ${lines(invite, "From")[0]}\r\n` +
          `To: ${lines(invite, "To")[0]}\r\nCall-ID: ${invite.message.sipCallId}\r\n` +
          `CSeq: ${invite.message.cseq.number} INVITE\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    await stack.fact(call, "sip.ringing");
    peer.reply(invite, 200, { sdp: ANSWER, contact: false });
    await stack.fact(call, "sip.accepted");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.accepted"]);
  });
});

describe("an answer that cannot be used", () => {
  it("a 200 without any description is ended cleanly", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    peer.reply(await peer.request("INVITE"), 200);
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "internal" });
    await endsIt(peer, "peer-tag");
    expect(stack.kinds(call)).toEqual(["sip.failed"]);
  });

  it("a 200 without a tag in To makes no call", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    invite.flow.send(
      Buffer.from(
        `SIP/2.0 200 OK\r\nVia: ${lines(invite, "Via")[0]}\r\nFrom: ${lines(invite, "From")[0]}\r\n` +
          `To: ${lines(invite, "To")[0]}\r\nCall-ID: ${invite.message.sipCallId}\r\n` +
          `CSeq: ${invite.message.cseq.number} INVITE\r\nContent-Length: 0\r\n\r\n`,
      ),
    );
    expect(await stack.fact(call, "sip.failed")).toMatchObject({ fault: "internal" });
    expect(stack.kinds(call)).toEqual(["sip.failed"]);
  });

  it.each([302, 404, 480, 500, 600, 603])("a %i ends the call with that status", async (status) => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const headers = [textHeader("Reason", 'SIP;cause=500, Q.850;cause=1;text="Unallocated (unassigned) number"')];
    peer.reply(await peer.request("INVITE"), status, { phrase: "No", headers });
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status, phrase: "No", q850: 1 });
    await peer.request("ACK");
    expect(stack.kinds(call)).toEqual(["sip.rejected"]);
  });
});
