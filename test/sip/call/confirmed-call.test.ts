// What can happen inside a call once it is answered: new offers both ways, collisions, refusals, other requests.
import { describe, expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { lines } from "../rig/peer.ts";
import { rig, standStill, startPeer, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, hastyClock, OFFER } from "../rig/stack.ts";

describe("the peer makes a new offer", () => {
  it("with a re-INVITE that wants our offer: it stands in the 200, the answer in the ACK", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1);
    await stack.fact(call, "sip.offerWanted");
    stack.trunks.answerReoffer(call, OFFER);
    expect((await peer.response("INVITE", 200)).message.body).toBe(OFFER);
    peer.ack(invite, 1, ANSWER);
    expect((await stack.fact(call, "sip.reanswered")).description).toBe(ANSWER);
  });

  it("with a re-INVITE that we refuse", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER, branch: "z9hG4bKrefused" });
    await stack.fact(call, "sip.offered");
    stack.trunks.refuseReoffer(call, 488);
    expect((await peer.response("INVITE", 200)).message.statusCode).toBe(488);
    peer.inDialog(invite, "ACK", 1, { branch: "z9hG4bKrefused" });
    peer.inDialog(invite, "INVITE", 2, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    await hangUp(peer, stack, call);
  });

  it("with the same description again, as session refreshes do: it gets the same answer, and nobody is asked", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    for (const cseq of [1, 2, 3]) {
      peer.inDialog(invite, "INVITE", cseq, { sdp: ANSWER });
      if (cseq === 1) {
        expect((await stack.fact(call, "sip.offered")).description).toBe(ANSWER);
        stack.trunks.answerReoffer(call, OFFER);
      }
      const response = await peer.response("INVITE", 200);
      expect([response.message.cseq.number, response.message.body]).toEqual([cseq, OFFER]);
      peer.ack(invite, cseq);
    }
    peer.inDialog(invite, "INVITE", 4, { sdp: OFFER });
    expect((await stack.fact(call, "sip.offered")).description).toBe(OFFER);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.offered", "sip.offered"]);
  });

  it("from another address: later requests go there, and the state to save says so", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    const moved = await startPeer();
    moved.inDialog(invite, "INVITE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    stack.trunks.answerReoffer(call, OFFER);
    const { dialog } = await stack.fact(call, "sip.dialogChanged");
    expect(dialog.remoteTarget).toBe(`sip:peer@127.0.0.1:${moved.port}`);
    expect(dialog.remoteCSeq).toBe(1);
    peer.ack(invite, 1);
    stack.trunks.bye(call);
    await moved.request("BYE");
  });

  it("with UPDATE: answered 200 with our description", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "UPDATE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    stack.trunks.answerReoffer(call, OFFER);
    const response = await peer.response("UPDATE");
    expect(response.message).toMatchObject({ statusCode: 200, body: OFFER });
  });

  it("with an UPDATE without one, as session timers do: answered 200 and nobody is bothered", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "UPDATE", 1);
    const response = await peer.response("UPDATE");
    expect(response.message).toMatchObject({ statusCode: 200, body: "" });
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });

  it("and takes it back with CANCEL before it is answered", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER, branch: "z9hG4bKback" });
    await stack.fact(call, "sip.offered");
    peer.inDialog(invite, "CANCEL", 1, { branch: "z9hG4bKback" });
    expect((await peer.response("CANCEL")).message.statusCode).toBe(200);
    expect((await peer.response("INVITE", 200)).message.statusCode).toBe(487);
    peer.inDialog(invite, "ACK", 1, { branch: "z9hG4bKback" });
    stack.trunks.answerReoffer(call, OFFER);
    await hangUp(peer, stack, call);
  });

  it("wants ours, and takes that back before it is made", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { branch: "z9hG4bKback" });
    await stack.fact(call, "sip.offerWanted");
    peer.inDialog(invite, "CANCEL", 1, { branch: "z9hG4bKback" });
    expect((await peer.response("INVITE", 200)).message.statusCode).toBe(487);
    stack.trunks.answerReoffer(call, OFFER);
    expect(await stack.fact(call, "sip.offerRefused")).toMatchObject({ status: 487 });
  });

  it("and a second one before the first is answered: that one has to wait", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    peer.inDialog(invite, "UPDATE", 2, { sdp: ANSWER });
    const refused = await peer.response("UPDATE");
    expect(refused.message.statusCode).toBe(500);
    expect(lines(refused, "Retry-After")).toHaveLength(1);
  });

  it("with UPDATE, and a re-INVITE before that is answered: the re-INVITE has to wait, the UPDATE gets its answer", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "UPDATE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    peer.inDialog(invite, "INVITE", 2, { sdp: ANSWER });
    const refused = await peer.response("INVITE", 200);
    expect(refused.message.statusCode).toBe(500);
    expect(lines(refused, "Retry-After")).toHaveLength(1);
    stack.trunks.answerReoffer(call, OFFER);
    expect((await peer.response("UPDATE")).message).toMatchObject({ statusCode: 200, body: OFFER });
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.offered"]);
  });

  it("and never acknowledges our 200: the call is ended", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    stack.trunks.answerReoffer(call, OFFER);
    await peer.response("INVITE", 200);
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.hungUp");
    peer.reply(await peer.request("BYE"), 200);
  });
});

describe("we make a new offer", () => {
  it("and the answer says that the peer has moved: the ACK goes there already", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    const moved = await startPeer();
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER, contact: false, headers: [moved.contact] });
    expect((await moved.request("ACK")).message.cseq.number).toBe(2);
    await stack.fact(call, "sip.reanswered");
    await hangUp(moved, stack, call);
  });

  it("and it is refused: the call goes on", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 488);
    expect(await stack.fact(call, "sip.offerRefused")).toMatchObject({ status: 488 });
    await hangUp(peer, stack, call);
  });

  it("and the peer's crosses it: both step back, ours is made again later", async () => {
    const { peer, stack } = await rig("udp", {}, { clock: hastyClock() });
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    const first = await peer.request("INVITE");
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER, branch: "z9hG4bKglare" });
    expect((await peer.response("INVITE")).message.statusCode).toBe(491);
    peer.inDialog(invite, "ACK", 1, { branch: "z9hG4bKglare" });
    peer.reply(first, 491);
    const second = await peer.request("INVITE");
    expect(second.message.cseq.number).toBeGreaterThan(first.message.cseq.number);
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.reanswered"]);
  });

  it("and the peer's crosses it in an UPDATE: that one is refused 491, ours goes on", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    const first = await peer.request("INVITE");
    peer.inDialog(invite, "UPDATE", 1, { sdp: ANSWER });
    expect((await peer.response("UPDATE")).message.statusCode).toBe(491);
    peer.reply(first, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
    await peer.request("ACK");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.reanswered"]);
  });

  it("while the peer's waits for our answer: ours follows when that is done", async () => {
    const { peer, stack } = await rig("udp", {}, { clock: hastyClock() });
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    stack.trunks.reoffer(call, OFFER);
    stack.trunks.answerReoffer(call, OFFER);
    await peer.response("INVITE", 200);
    peer.ack(invite, 1);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("and the peer always says 491: refused in the end", async () => {
    const { peer, stack } = await rig("udp", {}, { clock: hastyClock() });
    const { call } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    const refusals = (async () => {
      for (;;) peer.reply(await peer.request("INVITE"), 491);
    })();
    void refusals;
    expect(await stack.fact(call, "sip.offerRefused")).toMatchObject({ status: 491 });
  });

  it.each([481, 408])("and the answer is %i: the peer has forgotten the call, which is over", async (status) => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), status);
    await stack.fact(call, "sip.hungUp");
    peer.reply(await peer.request("BYE"), 481);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.hungUp"]);
  });

  it("and a proxy wants credentials for it", async () => {
    const credentials = { username: "bridge", password: "secret" };
    const { peer, stack } = await rig("udp", { credentials });
    const { call } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    const first = await peer.request("INVITE");
    peer.reply(first, 407, { headers: [textHeader("Proxy-Authenticate", 'Digest realm="r", nonce="n", qop="auth"')] });
    const second = await peer.request("INVITE");
    expect(second.message.cseq.number).toBe(first.message.cseq.number + 1);
    expect(lines(second, "Proxy-Authorization")).toHaveLength(1);
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
    const bye = await hangUp(peer, stack, call);
    expect(bye.message.cseq.number).toBe(second.message.cseq.number + 1);
  });
});

describe("other requests inside the call", () => {
  it.each([
    ["INFO", 200],
    ["OPTIONS", 200],
    ["SUBSCRIBE", 405],
    ["PUBLISH", 405],
    ["FROBNICATE", 501],
  ])("%s is answered %i and the call goes on", async (method, status) => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, method, 1);
    const response = await peer.response(method);
    expect(response.message.statusCode).toBe(status);
    expect(lines(response, "Allow")).toEqual(
      status === 200 && method === "INFO" ? [] : [expect.stringContaining("UPDATE")],
    );
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
    await hangUp(peer, stack, call);
  });

  it("an INFO with digits in it is answered 200", async () => {
    const { peer, stack } = await rig();
    const { invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 1, {
      headers: [textHeader("Content-Type", "application/dtmf-relay")],
    });
    expect((await peer.response("INFO")).message.statusCode).toBe(200);
  });

  it("one that requires what we do not know is answered 420", async () => {
    const { peer, stack } = await rig();
    const { invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER, headers: [textHeader("Require", "teleportation")] });
    const refused = await peer.response("INVITE");
    expect(refused.message.statusCode).toBe(420);
    expect(lines(refused, "Unsupported")).toEqual(["teleportation"]);
  });

  it("an older CSeq is answered 500", async () => {
    const { peer, stack } = await rig();
    const { invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 9);
    await peer.response("INFO");
    peer.inDialog(invite, "INFO", 8);
    expect((await peer.response("INFO", 300)).message.statusCode).toBe(500);
  });

  it("a BYE with a tag that is not ours is answered 481 and ends nothing", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "BYE", 1, { toTag: "somebody-else" });
    expect((await peer.response("BYE")).message.statusCode).toBe(481);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
  });
});

describe("the end", () => {
  it("the callee's reason is passed on", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "BYE", 1, { headers: [textHeader("Reason", "Q.850;cause=31")] });
    expect(await stack.fact(call, "sip.hungUp")).toEqual({ kind: "sip.hungUp", q850: 31 });
  });

  it.each(["application/isup;version=itu-t92+", "application/vnd.etsi.aoc+xml"])(
    "a BYE with %s in it ends the call like any other",
    async (type) => {
      const { peer, stack } = await rig();
      const { call, invite } = await answered({ peer, stack });
      peer.inDialog(invite, "BYE", 1, { body: { type, content: "\u000c\u0002" } });
      expect((await peer.response("BYE")).message.statusCode).toBe(200);
      await stack.fact(call, "sip.hungUp");
    },
  );

  it("a BYE while the peer's offer waits: the offer is answered 487", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INVITE", 1, { sdp: ANSWER });
    await stack.fact(call, "sip.offered");
    peer.inDialog(invite, "BYE", 2);
    expect((await peer.response("INVITE", 200)).message.statusCode).toBe(487);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("both hang up at once: each BYE is answered, the call ends once", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    stack.trunks.bye(call);
    const bye = await peer.request("BYE");
    peer.inDialog(invite, "BYE", 1);
    await peer.response("BYE");
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("our BYE is never answered: over after 64*T1", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.bye(call);
    await peer.request("BYE");
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.ended");
    // At 0, 0.5, 1.5, 3.5, 7.5 s and every 4 s from then on.
    await expect.poll(() => peer.count("BYE")).toBe(11);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("a BYE for a call that is not there is over at once", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "BYE", 1);
    await stack.fact(call, "sip.hungUp");
    stack.trunks.bye(call);
    await stack.fact(call, "sip.ended");
    expect(peer.count("BYE")).toBe(0);
  });
});
