// Where an encrypted trunk reaches us inside a call: by sips where the call was made by sips (RFC 3261 s8.1.1.8, s12.1.1).
import { describe, expect, it } from "vitest";
import { formatUri } from "../../../src/core/address/uri.ts";
import { textHeader } from "../../../src/sip/wire/header-builder.ts";
import { callerRig, type InviteText } from "../rig/caller.ts";
import { lines, type Received } from "../rig/peer.ts";
import { rig } from "../rig/rig.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";

const SIPS = "sips:+4930555@us.example";

function schemes(...messages: readonly Received[]): unknown[] {
  return messages.map(({ message }) => message.contacts !== "*" && message.contacts[0]?.uri.scheme);
}

describe("a call of the trunk", () => {
  it.each<[string, (port: number) => InviteText]>([
    ["to a sips URI", (port) => ({ uri: SIPS, contact: `Contact: <sips:peer@127.0.0.1:${port}>` })],
    ["over a proxy at a sips URI", (port) => ({ headers: [`Record-Route: <sips:127.0.0.1:${port};lr>`] })],
    ["from somebody at a sips URI", (port) => ({ contact: `Contact: <sips:peer@127.0.0.1:${port}>` })],
  ])("%s has a sips Contact in all that we send", async (_which, parts) => {
    const { peer, stack, caller } = await callerRig("tls");
    const placed = caller.invite(parts(peer.port));
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    expect(schemes(ringing, answer)).toEqual(["sips", "sips"]);
    expect(lines(answer, "Contact")).toEqual([expect.not.stringContaining("transport")]);
    placed.ack(answer);
    placed.inDialog(answer, "UPDATE", 2);
    expect(schemes(await placed.response(200, "UPDATE"))).toEqual(["sips"]);
    stack.trunks.reoffer(call, OFFER);
    const reinvite = await placed.asked("INVITE");
    expect(schemes(reinvite)).toEqual(["sips"]);
    peer.reply(reinvite, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });

  it("to a sip URI has a sip Contact that names TLS, also after one to a sips URI", async () => {
    const { stack, caller } = await callerRig("tls");
    caller.invite({ uri: SIPS });
    stack.trunks.ring((await stack.arrival()).call, 180);
    const placed = caller.invite();
    stack.trunks.ring((await stack.arrival()).call, 180);
    const ringing = await placed.response(180);
    expect(schemes(ringing)).toEqual(["sip"]);
    expect(lines(ringing, "Contact")).toEqual([expect.stringContaining(";transport=tls")]);
  });

  it("to a sips URI over a trunk that is not encrypted has the Contact at which we are there", async () => {
    const { stack, caller } = await callerRig("tcp");
    const placed = caller.invite({ uri: SIPS });
    stack.trunks.ring((await stack.arrival()).call, 180);
    expect(schemes(await placed.response(180))).toEqual(["sip"]);
  });
});

describe("a call of ours", () => {
  it.each(["tls", "wss"] as const)("to a sips URI over %s has a sips Contact from the INVITE on", async (transport) => {
    const { peer, stack } = await rig(transport);
    const call = stack.invite({ target: "sips:+4940555@gateway.example" });
    const invite = await peer.request("INVITE");
    const contact = textHeader("Contact", `<sips:peer@127.0.0.1:${peer.port}>`);
    peer.reply(invite, 200, { sdp: ANSWER, contact: false, headers: [contact] });
    await stack.fact(call, "sip.accepted");
    stack.trunks.reoffer(call, OFFER);
    const reinvite = await peer.next(({ kind, cseq }) => kind === "request" && cseq.method === "INVITE");
    expect(schemes(invite, reinvite)).toEqual(["sips", "sips"]);
    expect(formatUri((reinvite.message as typeof invite.message).uri)).toMatch(/^sips:/);
  });
});
