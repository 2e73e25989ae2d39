// Who is at the other end, and when that changes during a call: asserted, in Remote-Party-ID, or in From.
import { describe, expect, it } from "vitest";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { answered, hangUp } from "../rig/answered-call.ts";
import { callerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { rig } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";
import { sipUri } from "../../core/address/sip-uri.ts";

const asserted = (value: string) => ({ headers: [textHeader("P-Asserted-Identity", value)] });

describe("a call of ours", () => {
  it("is answered by somebody else than was called: that is told after the answer", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER, ...asserted('"Bob" <sip:+4940999@gw.example>') });
    const { identity } = await stack.fact(call, "sip.identified");
    expect(identity.asserted).toEqual([
      { displayName: "Bob", uri: sipUri("sip:+4940999@gw.example"), user: "+4940999", host: "gw.example" },
    ]);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.identified"]);
  });

  it("rings at somebody's who is named while it rings, and not again in the answer", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180, asserted("<sip:+4940999@gw.example>"));
    await stack.fact(call, "sip.identified");
    peer.reply(invite, 200, { sdp: ANSWER, ...asserted("<sip:+4940999@gw.example>") });
    await stack.fact(call, "sip.accepted");
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.identified", "sip.accepted", "sip.ended"]);
  });

  it("is answered without a word on who it is: nothing is told", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    // From as the gateway writes it, with a host of its own: the same number.
    peer.inDialog(invite, "UPDATE", 1);
    await peer.response("UPDATE");
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it.each([
    ["UPDATE", "P-Asserted-Identity", "<tel:+4940111>", "+4940111"],
    ["UPDATE", "Remote-Party-ID", "<sip:+4940222@gw.example>;party=called;screen=yes", "+4940222"],
    ["UPDATE", "Remote-Party-ID", "<sip:+4940222@gw.example>;party=calling;screen=yes", "+4940222"],
    ["INVITE", "P-Asserted-Identity", "<sip:+4940333@gw.example>", "+4940333"],
  ])("is taken over by another, says %s with %s: %s", async (method, name, value, user) => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, method, 1, {
      headers: [textHeader(name, value)],
      ...(method === "INVITE" ? { sdp: ANSWER } : {}),
    });
    const { identity } = await stack.fact(call, "sip.identified");
    expect(identity.asserted[0]?.user).toBe(user);
    await hangUp(peer, stack, call);
  });

  it("is refreshed many times with the same identity: it is told once", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    for (const cseq of [1, 2, 3]) {
      peer.inDialog(invite, "UPDATE", cseq, asserted("<sip:+4940999@gw.example>"));
      await peer.response("UPDATE");
    }
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.identified"]);
  });

  it("hears of another in the answer to an offer of ours", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER, ...asserted("<sip:+4940999@gw.example>") });
    await stack.fact(call, "sip.identified");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.reanswered", "sip.identified"]);
  });

  it("hears nonsense where an identity should be: nothing is told and the call goes on", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "UPDATE", 1, asserted('"<<<>;;;,,"'));
    expect((await peer.response("UPDATE")).message.statusCode).toBe(200);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });
});

describe("a call of the trunk", () => {
  it("changes hands on the caller's side: From says so (RFC 4916), and what was known is not told again", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const ok = await placed.response(200);
    placed.ack(ok);
    placed.inDialog(ok, "UPDATE", 2);
    expect((await placed.response(200, "UPDATE")).message.statusCode).toBe(200);
    expect(stack.kinds(call)).toEqual([]);
    placed.inDialog(ok, "UPDATE", 3, { lines: ["P-Asserted-Identity: <sip:+4940888@gw.example>"] });
    const { identity } = await stack.fact(call, "sip.identified");
    expect(identity.asserted[0]?.user).toBe("+4940888");
  });
});

describe("an UPDATE", () => {
  it("of nothing but news is answered with where we are to be reached", async () => {
    const { peer, stack } = await rig();
    const { invite } = await answered({ peer, stack });
    peer.inDialog(invite, "UPDATE", 1);
    const response = await peer.response("UPDATE");
    expect(response.message.statusCode).toBe(200);
    expect(lines(response, "Contact")).toHaveLength(1);
    expect(lines(response, "Allow")[0]).toContain("REFER");
  });
});
