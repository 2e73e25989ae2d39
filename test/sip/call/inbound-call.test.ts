// A call from the trunk: what the caller's telephone hears on the wire, and what the call hears of the caller.
import { describe, expect, it } from "vitest";
import { sipCallId } from "../../../src/core/ids.ts";
import { header } from "../../../src/sip/wire/message.ts";
import { callerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { standStill, TRANSACTION_MS } from "../rig/rig.ts";
import { ANSWER, OFFER, TRUNK } from "../rig/stack.ts";

const HOLD = OFFER.replace("1 1 IN", "1 2 IN") + "a=sendonly\r\n";

/** Retransmissions are within milliseconds. */
const FAST = { timers: { t1Ms: 10, t2Ms: 40 } };

describe("a call that is answered", () => {
  it.each(["udp", "tcp", "tls", "ws"] as const)("over %s: 100, 180, 200, ACK, and the caller hangs up", async (by) => {
    const { stack, caller } = await callerRig(by);
    const placed = caller.invite();
    await placed.response(100);
    const { call, ...arrival } = await stack.arrival();
    expect(arrival).toMatchObject({
      trunk: TRUNK,
      called: "+4930555",
      sdp: OFFER,
      replaces: undefined,
      diversions: [],
      identity: { from: { user: "+4940777" }, asserted: [], privacy: [] },
    });
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    expect(answer.message.body).toBe(ANSWER);
    expect(lines(answer, "Supported")).toEqual(["100rel, replaces, timer"]);
    expect(lines(answer, "Allow")).toHaveLength(1);
    // The tag is the same from the first to the last, and the bridge knew it before anybody.
    const tags = [ringing, answer].map(({ message }) => message.toTag);
    expect(new Set([...tags, arrival.dialog.localTag])).toHaveProperty("size", 1);
    expect(arrival.incoming.to).toBe(header(answer.message, "To"));
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2, { lines: ["Reason: Q.850;cause=16"] });
    await placed.response(200, "BYE");
    expect(await stack.fact(call, "sip.hungUp")).toEqual({ kind: "sip.hungUp", q850: 16 });
    expect(stack.kinds(call)).toEqual(["sip.hungUp"]);
    expect(stack.log.filter(({ level }) => level === "error")).toEqual([]);
  });

  it("has its Timestamp back with the 100", async () => {
    const { stack, caller } = await callerRig();
    const stamped = caller.invite({ headers: ["Timestamp: 54.21"] });
    expect(lines(await stamped.response(100), "Timestamp")).toEqual(["54.21"]);
    const plain = caller.invite();
    expect(lines(await plain.response(100), "Timestamp")).toEqual([]);
    for (let times = 0; times < 2; times++) stack.trunks.reject((await stack.arrival()).call, 480);
  });

  it("is ended by us in the dialog that its arrival told of", async () => {
    const { stack, caller } = await callerRig();
    const headers = [
      "Record-Route: <sip:p1.example;lr>, <sip:127.0.0.1:PORT;lr>".replace("PORT", `${caller.peer.port}`),
    ];
    const placed = caller.invite({ headers });
    const { call, dialog } = await stack.arrival();
    expect(dialog).toMatchObject({
      trunk: TRUNK,
      sipCallId: sipCallId(placed.sipCallId),
      remoteTag: expect.stringMatching(/^from-/) as string,
      localUri: "sip:+4930555@us.example",
      remoteUri: "sip:+4940777@gw.example",
      routeSet: ["<sip:p1.example;lr>", `<sip:127.0.0.1:${caller.peer.port};lr>`],
      localCSeq: 0,
      remoteCSeq: 1,
    });
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    expect(lines(answer, "Record-Route")).toHaveLength(2);
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2);
    await stack.fact(call, "sip.hungUp");
  });

  it("cannot be hung up before its ACK is here, and is then (RFC 3261 s15)", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    stack.trunks.bye(call, 16);
    placed.ack(answer);
    const bye = await placed.asked("BYE");
    expect(header(bye.message, "Reason")).toBe("Q.850;cause=16");
    expect(bye.message).toMatchObject({ fromTag: answer.message.toTag, cseq: { number: 1 } });
    peer.reply(bye, 200);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it.each(["udp", "tcp"] as const)("over %s repeats its 200 until the ACK comes", async (by) => {
    const { stack, caller } = await callerRig(by, {}, FAST);
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    await expect.poll(() => placed.statuses.filter((status) => status === 200).length).toBeGreaterThan(3);
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2);
    await stack.fact(call, "sip.hungUp");
  });

  it("and never acknowledged is over after 64*T1, with a BYE", async () => {
    const pass = standStill();
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    await placed.response(200);
    pass(TRANSACTION_MS);
    peer.reply(await placed.asked("BYE"), 200);
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call)).toEqual(["sip.hungUp"]);
    expect(peer.count("BYE")).toBe(1);
  });

  it("by an ACK that has the branch of its INVITE, as old telephones write it, stays up", async () => {
    const pass = standStill();
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    caller.send(placed.request("ACK", header(answer.message, "To") ?? ""));
    placed.inDialog(answer, "OPTIONS", 2);
    await placed.response(200, "OPTIONS");
    pass(2 * TRANSACTION_MS);
    expect(peer.count("BYE")).toBe(0);
    placed.inDialog(answer, "BYE", 3);
    await stack.fact(call, "sip.hungUp");
  });

  it("of a telephone of RFC 2543, without any tag, works as well", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ from: "<sip:+4940777@gw.example>", branch: "1" });
    const { call, dialog } = await stack.arrival();
    expect(dialog.remoteTag).toBe("");
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2);
    await stack.fact(call, "sip.hungUp");
  });

  it("without an offer gets ours, and answers it in the ACK", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ sdp: null });
    const { call, sdp } = await stack.arrival();
    expect(sdp).toBeUndefined();
    stack.trunks.accept(call, OFFER);
    const answer = await placed.response(200);
    expect(answer.message.body).toBe(OFFER);
    placed.ack(answer, ANSWER);
    expect(await stack.fact(call, "sip.reanswered")).toEqual({ kind: "sip.reanswered", description: ANSWER });
  });

  it("without an offer and without an answer in the ACK is told so", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ sdp: null });
    const { call } = await stack.arrival();
    stack.trunks.accept(call, OFFER);
    placed.ack(await placed.response(200));
    expect(await stack.fact(call, "sip.offerRefused")).toEqual({ kind: "sip.offerRefused", status: 488 });
  });

  it("may be put on hold by either side", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    placed.ack(answer);
    placed.inDialog(answer, "INVITE", 2, { lines: ["Content-Type: application/sdp", peer.contact], body: HOLD });
    await stack.fact(call, "sip.offered");
    stack.trunks.answerReoffer(call, ANSWER);
    await placed.response(200);
    placed.inDialog(answer, "ACK", 2);
    placed.inDialog(answer, "OPTIONS", 3);
    await placed.response(200, "OPTIONS");
    stack.trunks.reoffer(call, OFFER);
    peer.reply(await placed.asked("INVITE"), 200, { sdp: ANSWER });
    await stack.fact(call, "sip.reanswered");
  });
});

describe("a call that rings", () => {
  it("may turn out to be somebody else's: an UPDATE is answered, and told once", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite({ headers: ["P-Asserted-Identity: <tel:+4940777>"] });
    const { call, dialog } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const ringing = await placed.response(180);
    const parts = [peer.contact, 'P-Asserted-Identity: "Bob" <tel:+4940888>'];
    for (const cseq of [2, 3]) {
      placed.inDialog(ringing, "UPDATE", cseq, { lines: parts });
      await placed.response(200, "UPDATE");
    }
    const { identity } = await stack.fact(call, "sip.identified");
    expect(identity.asserted).toMatchObject([{ user: "+4940888", displayName: "Bob" }]);
    expect(stack.kinds(call)).toEqual(["sip.identified"]);
    expect(stack.facts.get(call)?.at(-1)).toMatchObject({ dialog: { localTag: dialog.localTag, remoteCSeq: 3 } });
    stack.trunks.accept(call, ANSWER);
    placed.ack(await placed.response(200));
  });

  it("shows nobody a second offer while the first one waits: 500 and a time", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const parts = [peer.contact, "Content-Type: application/sdp"];
    placed.inDialog(await placed.response(180), "UPDATE", 2, { lines: parts, body: OFFER });
    expect(lines(await placed.response(500, "UPDATE"), "Retry-After")).toHaveLength(1);
    expect(stack.kinds(call)).toEqual([]);
  });
});

describe("a call that is not answered", () => {
  it.each([404, 480, 486, 500, 603])("is refused with %i until that is acknowledged", async (status) => {
    const { stack, caller } = await callerRig("udp", {}, FAST);
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    stack.trunks.reject(call, status, status === 486 ? 17 : undefined);
    const refusal = await placed.response(status);
    expect(header(refusal.message, "Reason")).toBe(status === 486 ? "Q.850;cause=17" : undefined);
    await expect.poll(() => placed.statuses.filter((each) => each === status).length).toBeGreaterThan(2);
    expect(stack.kinds(call)).toEqual([]);
    placed.ack(refusal);
    await stack.fact(call, "sip.ended");
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });

  it("is over for us after 64*T1 if the refusal is never acknowledged", async () => {
    const pass = standStill();
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.reject(call, 486);
    await placed.response(486);
    pass(TRANSACTION_MS);
    await stack.fact(call, "sip.ended");
  });

  it("over TCP is refused once, and over when that is acknowledged", async () => {
    const { stack, caller } = await callerRig("tcp");
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.reject(call, 486);
    placed.ack(await placed.response(486));
    await stack.fact(call, "sip.ended");
    expect(placed.statuses).toEqual([100, 486]);
  });

  it("is refused whichever order ends it", async () => {
    const { stack, caller } = await callerRig();
    for (const end of ["bye", "cancel"] as const) {
      const placed = caller.invite();
      const { call } = await stack.arrival();
      stack.trunks[end](call);
      placed.ack(await placed.response(480));
      await stack.fact(call, "sip.ended");
    }
  });

  it("an order that nobody can carry out is an internal error to the caller, not silence", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.reject(call, 302);
    placed.ack(await placed.response(500));
    await stack.fact(call, "sip.ended");
  });

  it("when the bridge does not take it, gets 500", async () => {
    const refuse = (): never => {
      throw new Error("full");
    };
    const { caller } = await callerRig("udp", {}, { invited: refuse });
    await caller.invite().response(500);
  });

  it("and is still ringing when the bridge stops, gets 503", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    const stopped = stack.stop();
    placed.ack(await placed.response(503));
    await stopped;
    expect(stack.kinds(call)).toEqual(["sip.ended"]);
  });
});

describe("a caller that gives up", () => {
  it.each([
    ["with no word", [], false],
    ["because somebody else answered", ['Reason: SIP;cause=200;text="Call completed elsewhere"'], true],
    ["because another telephone was chosen", ["Reason: Q.850;cause=26"], true],
    ["for its own reason", ["Reason: Q.850;cause=16"], false],
  ])("%s: 200 to the CANCEL, 487 to the INVITE", async (_why, reason, elsewhere) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    await placed.response(180);
    placed.cancel(...reason);
    const done = await placed.response(200, "CANCEL");
    const terminated = await placed.response(487);
    // RFC 3261 s9.2: both are of one dialog.
    expect(done.message.toTag).toBe(terminated.message.toTag);
    placed.ack(terminated);
    expect(await stack.fact(call, "sip.cancelled")).toEqual({ kind: "sip.cancelled", elsewhere });
    // Orders that crossed it do nothing but say that it is over.
    stack.trunks.ring(call, 183);
    stack.trunks.accept(call, ANSWER);
    await caller.invite().response(100);
    expect(placed.statuses).toEqual([100, 180, 487]);
    expect(stack.kinds(call)).toEqual(["sip.cancelled"]);
  });

  it("too late: the CANCEL is answered 200, and the call stays up", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const answer = await placed.response(200);
    placed.cancel();
    await placed.response(200, "CANCEL");
    placed.ack(answer);
    placed.inDialog(answer, "BYE", 2);
    await stack.fact(call, "sip.hungUp");
    expect(stack.kinds(call)).toEqual(["sip.hungUp"]);
  });

  it("by a BYE while it rings: 200 to the BYE, 487 to the INVITE", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    placed.inDialog(await placed.response(180), "BYE", 2, { lines: ["Reason: Q.850;cause=31"] });
    await placed.response(200, "BYE");
    placed.ack(await placed.response(487));
    expect(await stack.fact(call, "sip.hungUp")).toEqual({ kind: "sip.hungUp", q850: 31 });
    expect(stack.kinds(call)).toEqual(["sip.hungUp"]);
  });

  it("when the time is over that its INVITE gave (Expires)", async () => {
    const pass = standStill();
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ headers: ["Expires: 20"] });
    const { call } = await stack.arrival();
    pass(20_000);
    placed.ack(await placed.response(487));
    expect(await stack.fact(call, "sip.cancelled")).toEqual({ kind: "sip.cancelled", elsewhere: false });
  });

  it("and a CANCEL for nothing gets 481", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.prepare();
    placed.cancel();
    await placed.response(481, "CANCEL");
    expect(stack.arrivals).toEqual([]);
  });
});
