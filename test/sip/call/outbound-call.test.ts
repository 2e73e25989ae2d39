// What a caller and the callee's gateway see of a call, the same on every transport.
import { describe, expect, it } from "vitest";
import type { SipTransportName } from "../../../src/ports/sip.ts";
import { lines } from "../rig/peer.ts";
import { rig } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";

const transports: readonly SipTransportName[] = ["udp", "tcp", "tls", "ws", "wss"];

describe.each(transports)("over %s", (transport) => {
  it("the caller hears it ring, talks and hangs up", async () => {
    const { peer, stack } = await rig(transport);
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    expect(invite.message.body).toBe(OFFER);
    expect(invite.message.uriText).toBe("sip:+4940555@gateway.example");
    expect(invite.message.vias[0].transport).toBe(transport.toUpperCase());
    peer.reply(invite, 100);
    peer.reply(invite, 180);
    peer.reply(invite, 200, { sdp: ANSWER });
    const accepted = await stack.fact(call, "sip.accepted");
    expect(accepted.description).toBe(ANSWER);
    const ack = await peer.request("ACK");
    expect(ack.message.cseq.number).toBe(invite.message.cseq.number);
    expect(ack.message.vias[0].branch).not.toBe(invite.message.vias[0].branch);
    stack.trunks.bye(call, 16);
    const bye = await peer.request("BYE");
    expect(lines(bye, "Reason")).toEqual(["Q.850;cause=16"]);
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.trying", "sip.ringing", "sip.accepted", "sip.ended"]);
  });

  it("the callee hangs up", async () => {
    const { peer, stack } = await rig(transport);
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

  it("the callee is busy", async () => {
    const { peer, stack } = await rig(transport);
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 486, { phrase: "Busy Here" });
    expect(await stack.fact(call, "sip.rejected")).toMatchObject({ status: 486, phrase: "Busy Here" });
    const ack = await peer.request("ACK");
    expect(ack.message.vias[0].branch).toBe(invite.message.vias[0].branch);
    expect(stack.kinds(call)).toEqual(["sip.rejected"]);
  });

  it("the caller gives up while it rings", async () => {
    const { peer, stack } = await rig(transport);
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 180);
    await stack.fact(call, "sip.ringing");
    stack.trunks.cancel(call, 16);
    const cancel = await peer.request("CANCEL");
    expect(lines(cancel, "Reason")).toEqual(["Q.850;cause=16"]);
    expect(cancel.message.vias[0].branch).toBe(invite.message.vias[0].branch);
    expect(cancel.message.cseq.number).toBe(invite.message.cseq.number);
    expect(lines(cancel, "From")).toEqual(lines(invite, "From"));
    expect(lines(cancel, "To")).toEqual(lines(invite, "To"));
    peer.reply(cancel, 200);
    peer.reply(invite, 487);
    await peer.request("ACK");
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ringing", "sip.ended"]);
  });

  it("the caller holds and resumes, the callee too", async () => {
    const { peer, stack } = await rig(transport);
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.accepted");
    await peer.request("ACK");

    const held = `${OFFER}a=sendonly\r\n`;
    stack.trunks.reoffer(call, held);
    const reinvite = await peer.request("INVITE");
    expect(reinvite.message.body).toBe(held);
    expect(reinvite.message.toTag).toBe("peer-tag");
    peer.reply(reinvite, 200, { sdp: `${ANSWER}a=recvonly\r\n` });
    expect((await stack.fact(call, "sip.reanswered")).description).toBe(`${ANSWER}a=recvonly\r\n`);
    await peer.request("ACK");

    peer.inDialog(invite, "INVITE", 1, { sdp: `${ANSWER}a=inactive\r\n` });
    expect((await stack.fact(call, "sip.offered")).description).toBe(`${ANSWER}a=inactive\r\n`);
    stack.trunks.answerReoffer(call, `${OFFER}a=inactive\r\n`);
    const answer = await peer.response("INVITE", 200);
    expect(answer.message.statusCode).toBe(200);
    expect(answer.message.body).toBe(`${OFFER}a=inactive\r\n`);
    expect(answer.message.contacts).toHaveLength(1);
    peer.ack(invite, 1);

    stack.trunks.bye(call);
    peer.reply(await peer.request("BYE"), 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.reanswered", "sip.offered", "sip.ended"]);
  });
});
