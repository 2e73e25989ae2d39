// A transfer that the trunk orders: its REFER inside the call, our INVITE to where it points, and the NOTIFYs on how that
// goes, until the new dialog has taken the place of the old one (RFC 3515, RFC 3891, RFC 3892).
import { describe, expect, it } from "vitest";
import { textHeader, type HeaderLine } from "../../../src/sip/wire/header-builder.ts";
import type { SipRequest } from "../../../src/sip/wire/message.ts";
import { answered, hangUp, type Answered } from "../rig/answered-call.ts";
import { callerRig } from "../rig/caller.ts";
import { lines, type Received } from "../rig/peer.ts";
import { rig, standStill, type Rig } from "../rig/rig.ts";
import { ANSWER, IDENTITY, OFFER, TRUNK } from "../rig/stack.ts";
import { anyUri, sipUri } from "../../core/address/sip-uri.ts";

const TARGET = "sip:+4940777@gateway.example";

const referTo = (value = `<${TARGET}>`): HeaderLine[] => [textHeader("Refer-To", value)];

const order = (replaces?: string) => ({
  trunk: TRUNK,
  target: sipUri(TARGET),
  identity: IDENTITY,
  sdp: OFFER,
  replaces,
});

/** The call has heard of the REFER. */
async function referred({ peer, stack }: Rig, headers = referTo()): Promise<Answered> {
  const { call, invite } = await answered({ peer, stack });
  peer.inDialog(invite, "REFER", 1, { headers });
  await stack.fact(call, "sip.referred");
  return { call, invite };
}

/** It is followed: our INVITE is there, and the first NOTIFY has been taken. */
async function followed({ peer, stack }: Rig): Promise<Answered & { second: Received<SipRequest> }> {
  const { call, invite } = await referred({ peer, stack });
  stack.trunks.replace(call, order());
  const second = await peer.request("INVITE");
  peer.reply(await peer.request("NOTIFY"), 200);
  return { call, invite, second };
}

describe("a REFER of the trunk", () => {
  it("is told with its target, and not answered before the call has decided", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "REFER", 1, {
      headers: [
        textHeader("Refer-To", `"Third" <${TARGET};method=INVITE?Replaces=a%40b%3Bto-tag%3Dt%3Bfrom-tag%3Df&X-Evil=1>`),
        textHeader("Referred-By", "<sip:boss@gw.example>"),
      ],
    });
    expect(await stack.fact(call, "sip.referred")).toEqual({
      kind: "sip.referred",
      target: { displayName: "Third", uri: sipUri(TARGET), user: "+4940777", host: "gateway.example" },
      replaces: "a@b;to-tag=t;from-tag=f",
    });
    peer.inDialog(invite, "INFO", 2);
    await peer.response("INFO");
    expect(peer.log.some(({ message }) => message.kind === "response" && message.cseq.method === "REFER")).toBe(false);
  });

  it("is refused by the call: it gets that answer, and no NOTIFY", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    stack.trunks.refuseRefer(call, 603);
    expect((await peer.response("REFER")).message.statusCode).toBe(603);
    // It may be asked again, and is then another one.
    peer.inDialog(invite, "REFER", 2, { headers: referTo() });
    await stack.fact(call, "sip.referred");
    await hangUp(peer, stack, call);
    expect(peer.count("NOTIFY")).toBe(0);
  });

  it.each<[string, readonly HeaderLine[], number]>([
    ["without Refer-To", [], 400],
    ["with two of them", [...referTo(), ...referTo()], 400],
    ["with a list", referTo(`<${TARGET}>, <${TARGET}>`), 400],
    ["with what is no address", referTo("<<>>"), 400],
    ["to a web page", referTo("<https://example.org/>"), 416],
    ["for another method", referTo(`<${TARGET};method=BYE>`), 501],
    ["that replaces nothing that can be named", referTo(`<${TARGET}?Replaces=abc>`), 400],
    [
      "whose Replaces would be two headers",
      referTo(`<${TARGET}?Replaces=a%0D%0AX%3A%20y%3Bto-tag%3Dt%3Bfrom-tag%3Df>`),
      400,
    ],
    ["with two to-tags", referTo(`<${TARGET}?Replaces=a%3Bto-tag%3Dt%3Bto-tag%3Du%3Bfrom-tag%3Df>`), 400],
  ])("%s is refused here", async (_, headers, status) => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "REFER", 1, { headers });
    expect((await peer.response("REFER")).message.statusCode).toBe(status);
    expect(stack.kinds(call)).toEqual(["sip.accepted"]);
    await hangUp(peer, stack, call);
  });

  it("on a trunk whose setting refuses them gets 603, and one line in the log says which setting", async () => {
    const { peer, stack } = await rig("udp", { followsRefer: false });
    const { call, invite } = await answered({ peer, stack });
    for (let cseq = 1; cseq <= 3; cseq++) {
      peer.inDialog(invite, "REFER", cseq, { headers: referTo() });
      expect((await peer.response("REFER")).message.statusCode).toBe(603);
    }
    expect(stack.log.filter(({ message }) => message.includes("setting refer"))).toHaveLength(1);
    await hangUp(peer, stack, call);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.ended"]);
  });

  it("after REFER gets 503 and when to come again, once there were more than any telephone sends", async () => {
    standStill();
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    const statuses: number[] = [];
    for (let cseq = 1; cseq <= 40; cseq++) {
      const heard = stack.kinds(call).length;
      peer.inDialog(invite, "REFER", cseq, { headers: referTo() });
      if (cseq <= 10) {
        await stack.fact(call, "sip.referred");
        stack.trunks.refuseRefer(call, 603);
      }
      const response = await peer.response("REFER");
      statuses.push(response.message.statusCode);
      if (cseq > 10) expect([stack.kinds(call).length, lines(response, "Retry-After")]).toEqual([heard, ["6"]]);
    }
    expect(statuses).toEqual([...Array<number>(10).fill(603), ...Array<number>(30).fill(503)]);
    expect(stack.log.filter(({ message }) => message.includes("transfers one call too often"))).toHaveLength(1);
    await hangUp(peer, stack, call);
  });

  it("to a tel number is told as it is", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await answered({ peer, stack });
    peer.inDialog(invite, "REFER", 1, { headers: referTo("<tel:+4940777>") });
    expect((await stack.fact(call, "sip.referred")).target).toMatchObject({
      uri: anyUri("tel:+4940777"),
      user: "+4940777",
    });
  });

  it("and a second one before the first is over: that one has to wait", async () => {
    const { peer, stack } = await rig();
    const { invite } = await referred({ peer, stack });
    peer.inDialog(invite, "REFER", 2, { headers: referTo() });
    expect((await peer.response("REFER")).message.statusCode).toBe(491);
  });

  it("on which nobody decides is accepted before the trunk gives up, and refused by NOTIFY then", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call } = await referred({ peer, stack });
    pass(16_000);
    expect((await peer.response("REFER")).message.statusCode).toBe(202);
    const trying = await peer.request("NOTIFY");
    expect(trying.message.body).toBe("SIP/2.0 100 Trying\r\n");
    peer.reply(trying, 200);
    stack.trunks.refuseRefer(call, 403);
    const last = await peer.request("NOTIFY");
    expect(last.message.body).toBe("SIP/2.0 403 Forbidden\r\n");
    expect(lines(last, "Subscription-State")).toEqual(["terminated;reason=noresource"]);
  });

  it("comes with the BYE behind it: the call is over, and the REFER refused", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    peer.inDialog(invite, "BYE", 2);
    expect((await peer.response("REFER")).message.statusCode).toBe(487);
    await stack.fact(call, "sip.hungUp");
  });

  it("outside of a call is refused: nobody rings a stranger for it", async () => {
    const { peer, caller } = await callerRig();
    const placed = caller.prepare();
    caller.send(
      placed.request("REFER", "<sip:us@us.example>", { lines: [`Refer-To: <${TARGET}>`, String(peer.contact)] }),
    );
    await placed.response(403, "REFER");
  });
});

describe("the call follows it", () => {
  it("and the third party answers: the trunk is told step by step, the old dialog ended, the new one is the call's", async () => {
    const { peer, stack } = await rig();
    const { call, invite } = await referred({ peer, stack });
    stack.trunks.replace(call, order("a@b;to-tag=t;from-tag=f"));
    const accepted = await peer.response("REFER");
    expect(accepted.message.statusCode).toBe(202);
    expect(lines(accepted, "Contact")).toEqual(lines(invite, "Contact"));
    const trying = await peer.request("NOTIFY");
    expect(trying.message.body).toBe("SIP/2.0 100 Trying\r\n");
    expect(trying.message.contentType?.type).toBe("message/sipfrag");
    expect(lines(trying, "Event")).toEqual(["refer"]);
    expect(lines(trying, "Subscription-State")).toEqual(["active;expires=180"]);
    expect(lines(trying, "Contact")).toHaveLength(1);
    peer.reply(trying, 200);
    const second = await peer.request("INVITE");
    expect(second.message.sipCallId).not.toBe(invite.message.sipCallId);
    expect(lines(second, "Replaces")).toEqual(["a@b;to-tag=t;from-tag=f"]);
    peer.reply(second, 180, { toTag: "third" });
    const ringing = await peer.request("NOTIFY");
    expect(ringing.message.body).toBe("SIP/2.0 180 Ringing\r\n");
    peer.reply(ringing, 200);
    peer.reply(second, 200, { sdp: ANSWER, toTag: "third" });
    const { description: sdp, dialog } = await stack.fact(call, "sip.replaced");
    expect(sdp).toBe(ANSWER);
    expect(dialog.remoteTag).toBe("third");
    const done = await peer.request("NOTIFY");
    expect(done.message.body).toBe("SIP/2.0 200 OK\r\n");
    expect(lines(done, "Subscription-State")).toEqual(["terminated;reason=noresource"]);
    expect(peer.count("BYE")).toBe(0);
    peer.reply(done, 200);
    const bye = await peer.request("BYE");
    expect(bye.message.sipCallId).toBe(invite.message.sipCallId);
    peer.reply(bye, 200);
    const last = await hangUp(peer, stack, call);
    expect(last.message.sipCallId).toBe(second.message.sipCallId);
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referred", "sip.replaced", "sip.ended"]);
  });

  it("on whose word it says to the third party", async () => {
    const { peer, stack } = await rig();
    const { call } = await referred({ peer, stack }, [
      ...referTo(),
      textHeader("Referred-By", "Boss <sip:boss@gw.example>;cid=1"),
    ]);
    stack.trunks.replace(call, order());
    const second = await peer.request("INVITE");
    expect(lines(second, "Referred-By")).toEqual(["<sip:boss@gw.example>"]);
    expect(lines(second, "Replaces")).toEqual([]);
  });

  it.each([486, 404, 503, 603])("and is answered %i: the trunk is told, the old call lives on", async (status) => {
    const { peer, stack } = await rig();
    const { call, second } = await followed({ peer, stack });
    peer.reply(second, status);
    expect(await stack.fact(call, "sip.replaceFailed")).toMatchObject({ status });
    const last = await peer.request("NOTIFY");
    expect(last.message.body).toMatch(new RegExp(`^SIP/2.0 ${status} `));
    expect(lines(last, "Subscription-State")).toEqual(["terminated;reason=noresource"]);
    peer.reply(last, 200);
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
    await hangUp(peer, stack, call);
  });

  it("and the trunk leaves meanwhile, as transferring telephones do: the call goes on with the third party", async () => {
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.inDialog(invite, "BYE", 2);
    expect((await peer.response("BYE")).message.statusCode).toBe(200);
    expect(stack.kinds(call)).not.toContain("sip.hungUp");
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.replaced");
    peer.reply(await peer.request("NOTIFY"), 481);
    await hangUp(peer, stack, call);
    expect(peer.log.filter(({ message }) => message.kind === "request" && message.method === "BYE")).toHaveLength(1);
  });

  it("and the trunk has left when the third party does not answer: the call is over", async () => {
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.inDialog(invite, "BYE", 2, { headers: [textHeader("Reason", "Q.850;cause=16")] });
    await peer.response("BYE");
    peer.reply(second, 486);
    expect(await stack.fact(call, "sip.hungUp")).toEqual({ kind: "sip.hungUp", q850: 16 });
    expect(stack.kinds(call)).toEqual(["sip.accepted", "sip.referred", "sip.replaceFailed", "sip.hungUp"]);
  });

  it("and the person hangs up: both ends are let go, and the call is over once both are", async () => {
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.reply(second, 180);
    await peer.request("NOTIFY");
    stack.trunks.bye(call, 16);
    const bye = await peer.request("BYE");
    expect(bye.message.sipCallId).toBe(invite.message.sipCallId);
    peer.reply(bye, 200);
    const cancel = await peer.request("CANCEL");
    expect(cancel.message.sipCallId).toBe(second.message.sipCallId);
    expect(stack.kinds(call)).not.toContain("sip.ended");
    peer.reply(cancel, 200);
    peer.reply(second, 487);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call).filter((kind) => kind === "sip.ended")).toHaveLength(1);
  });

  it("and the person hangs up in the moment in which the third party answers: that one is let go, too", async () => {
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.reply(second, 180);
    await peer.request("NOTIFY");
    stack.trunks.bye(call);
    peer.reply(second, 200, { sdp: ANSWER });
    const byes = [await peer.request("BYE"), await peer.request("BYE")];
    for (const bye of byes) peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(byes.map(({ message }) => message.sipCallId).toSorted()).toEqual(
      [invite.message.sipCallId, second.message.sipCallId].toSorted(),
    );
    expect(stack.kinds(call)).not.toContain("sip.replaced");
  });

  it("and the trunk answers no NOTIFY: the old dialog is ended all the same", async () => {
    const pass = standStill();
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.reply(second, 200, { sdp: ANSWER });
    await stack.fact(call, "sip.replaced");
    await peer.request("NOTIFY");
    pass(4_000);
    const bye = await peer.request("BYE");
    expect(bye.message.sipCallId).toBe(invite.message.sipCallId);
    peer.reply(bye, 200);
    await hangUp(peer, stack, call);
  });

  it("for a trunk that wants no NOTIFYs: it gets none (RFC 4488)", async () => {
    const { peer, stack } = await rig();
    const { call } = await referred({ peer, stack }, [...referTo(), textHeader("Refer-Sub", "false")]);
    stack.trunks.replace(call, order());
    const accepted = await peer.response("REFER");
    expect(accepted.message.statusCode).toBe(202);
    expect(lines(accepted, "Refer-Sub")).toEqual(["false"]);
    peer.reply(await peer.request("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.replaced");
    await peer.request("BYE");
    expect(peer.count("NOTIFY")).toBe(0);
  });

  it("a second time in the same dialog: the NOTIFYs say which REFER they are of", async () => {
    const { peer, stack } = await rig();
    const { call, invite, second } = await followed({ peer, stack });
    peer.reply(second, 486);
    await stack.fact(call, "sip.replaceFailed");
    peer.reply(await peer.request("NOTIFY"), 200);
    peer.inDialog(invite, "REFER", 7, { headers: referTo() });
    await stack.fact(call, "sip.referred");
    stack.trunks.replace(call, order());
    expect(lines(await peer.request("NOTIFY"), "Event")).toEqual(["refer;id=7"]);
  });

  it("without a REFER there is nothing to follow", async () => {
    const { peer, stack } = await rig();
    const { call } = await answered({ peer, stack });
    stack.trunks.replace(call, order());
    expect(await stack.fact(call, "sip.replaceFailed")).toMatchObject({ status: 481 });
    stack.trunks.refuseRefer(call, 603);
    await hangUp(peer, stack, call);
    expect(peer.count("INVITE")).toBe(1);
  });

  it("over a trunk that is not there: the trunk is told so, the call lives on", async () => {
    const { peer, stack } = await rig();
    const { call } = await referred({ peer, stack });
    stack.trunks.replace(call, { ...order(), trunk: "elsewhere" as typeof TRUNK });
    expect(await stack.fact(call, "sip.replaceFailed")).toMatchObject({ status: 500 });
    await hangUp(peer, stack, call);
  });
});
