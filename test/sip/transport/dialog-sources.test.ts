// Who may speak inside a call and is none of the trunk's servers: whoever its Contact or Record-Route named, and about
// that call alone.
import { describe, expect, it } from "vitest";
import { header } from "../../../src/sip/wire/message.ts";
import { callerRig } from "../rig/caller.ts";
import { contactPort } from "../rig/peer.ts";
import { startPeer } from "../rig/rig.ts";
import { ANSWER } from "../rig/stack.ts";

const ELSEWHERE = "127.0.0.3";

describe("a caller behind a proxy that stays in no route", () => {
  it.each([
    ["its Contact", (port: number) => ({ contact: `Contact: <sip:peer@${ELSEWHERE}:${port}>` })],
    ["its Record-Route", (port: number) => ({ headers: [`Record-Route: <sip:${ELSEWHERE}:${port};lr>`] })],
  ])("acknowledges and hangs up from the address of %s", async (_which, parts) => {
    const { stack, caller } = await callerRig();
    const edge = await startPeer({ host: ELSEWHERE });
    const placed = caller.invite(parts(edge.port));
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    const to = header(answer.message, "To") ?? "";
    const say = (method: string, cseq: number): void =>
      edge.datagram(placed.request(method, to, { cseq, branch: `z9hG4bK-direct-${method}` }), contactPort(answer));
    say("ACK", 1);
    say("BYE", 2);
    expect((await edge.response("BYE")).message.statusCode).toBe(200);
    await stack.fact(call, "sip.hungUp");
  });

  it("gets no new call, text or answer from there", async () => {
    const { stack, caller } = await callerRig();
    const edge = await startPeer({ host: ELSEWHERE });
    const placed = caller.invite({ contact: `Contact: <sip:peer@${ELSEWHERE}:${edge.port}>` });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    const port = contactPort(answer);
    for (const method of ["INVITE", "MESSAGE", "OPTIONS", "NOTIFY", "CANCEL"]) {
      const other = caller.prepare({ sipCallId: `forged-${method}` });
      edge.datagram(
        other.request(method, "<sip:+4930555@us.example>", { lines: [`Contact: <sip:x@${ELSEWHERE}>`] }),
        port,
      );
    }
    edge.datagram("INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.3;branch=z9hG4bKbroken\r\n\r\n", port);
    const to = header(answer.message, "To") ?? "";
    edge.datagram(placed.request("BYE", to, { cseq: 2, branch: "z9hG4bK-direct-bye" }), port);
    await stack.fact(call, "sip.hungUp");
    expect((await edge.response("BYE")).message.statusCode).toBe(200);
    expect(edge.log).toHaveLength(1);
    expect([stack.arrivals.length, stack.messages.length]).toEqual([1, 0]);
  });
});

describe("a trunk that led us elsewhere in a call of ours", () => {
  it("may not begin calls from there", async () => {
    const { peer, stack, caller } = await callerRig();
    const edge = await startPeer({ host: ELSEWHERE });
    const call = stack.invite();
    const invite = await peer.request("INVITE");
    peer.reply(invite, 200, { sdp: ANSWER, contact: false, headers: [edge.contact] });
    await stack.fact(call, "sip.accepted");
    const ack = await edge.request("ACK");
    edge.datagram(caller.prepare().text, contactPort(invite));
    edge.inDialog({ ...invite, flow: edge.towards(invite) }, "BYE", 1);
    await stack.fact(call, "sip.hungUp");
    expect(ack.message.sipCallId).toBe(invite.message.sipCallId);
    expect(stack.arrivals).toEqual([]);
  });
});
