// What the peer may send before its answer has arrived, and at the edges of the count of requests.
import { describe, expect, it } from "vitest";
import { answered, hangUp, type Answered } from "../rig/answered-call.ts";
import { rig, type Rig } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";

describe("before the call is answered, the peer", () => {
  async function ringing({ peer, stack }: Rig, sdp?: string): Promise<Answered> {
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 183, sdp === undefined ? {} : { sdp });
    await stack.fact(call, "sip.progressed");
    return { call, invite };
  }

  it.each<[string, string | undefined, number]>([
    ["INVITE", undefined, 491],
    ["INVITE", ANSWER, 491],
    ["UPDATE", undefined, 491],
    ["UPDATE", ANSWER, 504],
  ])(
    "offers with %s, its answer to ours being %j: refused %s for now, and the call goes on",
    async (method, sdp, status) => {
      const { peer, stack } = await rig();
      const { call, invite } = await ringing({ peer, stack }, sdp);
      peer.inDialog(invite, method, 1, { sdp: ANSWER, branch: "z9hG4bKearly" });
      expect((await peer.response(method, 200)).message.statusCode).toBe(status);
      if (method === "INVITE") peer.inDialog(invite, "ACK", 1, { branch: "z9hG4bKearly" });
      peer.reply(invite, 200, { sdp: ANSWER });
      await stack.fact(call, "sip.accepted");
      await peer.request("ACK");
      // Its next one is served as usual.
      peer.inDialog(invite, "INVITE", 2, { sdp: ANSWER });
      await stack.fact(call, "sip.offered");
      await hangUp(peer, stack, call);
    },
  );

  it("hangs up in the moment of the answer: the 200 and the BYE come in either order", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await ringing({ peer, stack });
    peer.reply(invite, 200, { sdp: ANSWER });
    peer.inDialog(invite, "BYE", 1);
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call)).toEqual(["sip.progressed", "sip.accepted", "sip.hungUp"]);
  });

  it("hangs up before its 200 arrives: the call is over, not stuck", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await ringing({ peer, stack });
    peer.inDialog(invite, "BYE", 1);
    await peer.response("BYE");
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call).at(-1)).toBe("sip.hungUp");
  });
});

describe("a CSeq", () => {
  it("at the end of its range is taken, and what starts anew after it is refused", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "INFO", 4_294_967_295);
    expect((await peer.response("INFO")).message.statusCode).toBe(200);
    peer.inDialog(invite, "INFO", 0);
    expect((await peer.response("INFO", 300)).message.statusCode).toBe(500);
    await hangUp(peer, stack, call);
  });

  it("of 0 is a number like any other", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "BYE", 0);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });
});
