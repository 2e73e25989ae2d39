import { afterEach, describe, expect, it } from "vitest";
import { Peer } from "./peer.ts";
import { ANSWER, OFFER, Stack, trunkSettings } from "./stack.ts";

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const thing of open.splice(0).toReversed()) await thing.close();
});

async function rig(): Promise<{ peer: Peer; stack: Stack }> {
  const peer = await Peer.start();
  const stack = await Stack.start(trunkSettings(peer.port));
  open.push(peer, { close: () => stack.stop() });
  return { peer, stack };
}

describe("a call over UDP", () => {
  it("rings, is answered, and is hung up by us", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    expect(invite.message.body).toBe(OFFER);
    peer.reply(invite, 100);
    peer.reply(invite, 180);
    peer.reply(invite, 200, { sdp: ANSWER });
    const accepted = await stack.fact(call, "sip.accepted");
    expect(accepted.sdp).toBe(ANSWER);
    const ack = await peer.request("ACK");
    expect(ack.message.cseq.number).toBe(invite.message.cseq.number);
    stack.trunks.bye(call, 16);
    const bye = await peer.request("BYE");
    expect(bye.text).toContain("Reason: Q.850 ;cause=16");
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.trying", "sip.ringing", "sip.accepted", "sip.ended"]);
  });

  it("is hung up by the callee, who gets a 200", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER });
    await peer.request("ACK");
    peer.inDialog(invite, "BYE", 1);
    const response = await peer.response("BYE");
    expect(response.message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.hungUp"]);
  });

  it("finds the callee busy", async () => {
    const { peer, stack } = await rig();
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 486, { phrase: "Busy Here" });
    const rejected = await stack.fact(call, "sip.rejected");
    expect(rejected).toMatchObject({ status: 486, phrase: "Busy Here" });
    const ack = await peer.request("ACK");
    expect(ack.message.vias[0].branch).toBe(invite.message.vias[0].branch);
  });
});
