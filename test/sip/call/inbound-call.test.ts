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

describe("an offer that is not acceptable", () => {
  const audio = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n";
  it.each([
    ["G.729 and GSM alone", `${audio}m=audio 4000 RTP/AVP 18 3\r\n`, /^305 \S+ "None of the codecs .*PCMA, PCMU"$/],
    ["video alone", `${audio}m=video 4000 RTP/AVP 31\r\n`, /^304 /],
    [
      "SRTP on a trunk without",
      `${audio}m=audio 4000 RTP/SAVP 8\r\n`,
      /^302 \S+ "RTP\/SAVP is not taken .*RTP\/AVP is"$/,
    ],
    [
      "a multicast address",
      `${audio.replace("c=IN IP4 127.0.0.1", "c=IN IP4 224.2.1.1/127")}m=audio 4000 RTP/AVP 8\r\n`,
      /^330 /,
    ],
    ["a text that is no SDP", "v=1\r\n", /^399 \S+ "SDP: /],
    ["what somebody else could not take", `${audio}m=audio 4000 RTP/AVP 8\r\n`, /^399 /],
  ])("is refused 488 with a Warning: %s", async (_what, sdp, warning) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ sdp });
    stack.trunks.reject((await stack.arrival()).call, 488);
    expect(lines(await placed.response(488), "Warning")).toEqual([expect.stringMatching(warning)]);
  });

  it.each([
    ["without a key", ""],
    ["with a key of a kind that nobody has", "a=crypto:1 ROT13 inline:c2VjcmV0\r\n"],
  ])("is refused 488 with a Warning on a trunk that must encrypt: SRTP %s", async (_what, key) => {
    const { stack, caller } = await callerRig("udp", { media: { codecs: ["PCMA"], srtp: "required" } });
    const placed = caller.invite({ sdp: `${audio}m=audio 4000 RTP/SAVP 8\r\n${key}` });
    stack.trunks.reject((await stack.arrival()).call, 488);
    expect(lines(await placed.response(488), "Warning")).toEqual([expect.stringMatching(/^306 \S+ "No SDES key/)]);
  });

  it("in a re-INVITE is refused with one as well", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.accept(call, ANSWER);
    const ok = await placed.response(200);
    placed.ack(ok);
    const more = [String(peer.contact), "Content-Type: application/sdp"];
    placed.inDialog(ok, "INVITE", 2, { lines: more, body: `${audio}m=audio 4000 RTP/AVP 18\r\n` });
    await stack.fact(call, "sip.offered");
    stack.trunks.refuseReoffer(call, 488);
    expect(lines(await placed.response(488), "Warning")).toEqual([expect.stringMatching(/^305 /)]);
  });

  it("refused for another reason has none", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    stack.trunks.reject((await stack.arrival()).call, 486);
    expect(lines(await placed.response(486), "Warning")).toEqual([]);
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

describe("an INVITE that comes again", () => {
  it("gets the last response again, and is one call", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    await placed.response(100);
    placed.again();
    await placed.response(100);
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    await placed.response(180);
    placed.again();
    await placed.response(180);
    stack.trunks.reject(call, 486);
    await placed.response(486);
    placed.again();
    placed.ack(await placed.response(486));
    await stack.fact(call, "sip.ended");
    expect(stack.arrivals).toHaveLength(1);
  });

  it("over another path gets 482, and the first stays as it was", async () => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    caller.send(placed.text.replace(placed.branch, "z9hG4bK-other-path"));
    await placed.response(482);
    stack.trunks.ring(call, 180);
    await placed.response(180);
    expect(stack.arrivals).toHaveLength(1);
  });

  it("with a tag of a dialog that is not there gets 481", async () => {
    const { stack, caller } = await callerRig();
    await caller.invite({ to: "<sip:+4930555@us.example>;tag=gone" }).response(481);
    expect(stack.arrivals).toEqual([]);
  });

  it("inside the dialog while the first one waits gets 500 and a time", async () => {
    const { peer, stack, caller } = await callerRig();
    const placed = caller.invite();
    const { call } = await stack.arrival();
    stack.trunks.ring(call, 180);
    const parts = ["Content-Type: application/sdp", peer.contact];
    placed.inDialog(await placed.response(180), "INVITE", 2, { lines: parts, body: OFFER });
    const later = await placed.response(500);
    expect(Number(lines(later, "Retry-After")[0])).toBeLessThanOrEqual(10);
  });
});

describe("the Request-URI", () => {
  it.each([
    ["sip:anybody@elsewhere.example", "anybody"],
    ["sips:+4930555@us.example", "+4930555"],
    ["tel:+49-30-555", "+4930555"],
    ["sip:us.example", ""],
  ])("%s is taken", async (uri, called) => {
    const { stack, caller } = await callerRig();
    const placed = caller.invite({ uri });
    const arrival = await stack.arrival();
    expect(arrival.called).toBe(called);
    stack.trunks.accept(arrival.call, ANSWER);
    placed.ack(await placed.response(200));
  });

  it("of another scheme gets 416", async () => {
    const { caller } = await callerRig();
    await caller.invite({ uri: "mailto:a@b.example" }).response(416);
  });

  it("may be our account, while the number stands elsewhere", async () => {
    const inbound = { calledFrom: "P-Called-Party-ID", reliableProvisionals: "off" } as const;
    const { stack, caller } = await callerRig("udp", { inbound });
    caller.invite({ uri: "sip:account@127.0.0.1", headers: ["P-Called-Party-ID: <sip:+4930888@us.example>"] });
    expect(await stack.arrival()).toMatchObject({ called: "+4930888" });
  });
});

describe("the body of an INVITE", () => {
  it("may hold the SDP among other parts", async () => {
    const { stack, caller } = await callerRig();
    const sdp = [
      "--b1",
      "Content-Type: application/isup;version=itu-t92+",
      "Content-Disposition: signal;handling=optional",
      "",
      "\u0001\u0011",
      "--b1",
      "Content-Type: application/sdp",
      "",
      `${OFFER}--b1--`,
      "",
    ].join("\r\n");
    caller.invite({ sdp, contentType: 'multipart/mixed;boundary="b1"' });
    expect((await stack.arrival()).sdp).toBe(OFFER);
  });

  it.each([
    ["of another type", { sdp: "hello", contentType: "text/plain" }],
    [
      "of several parts without SDP",
      { sdp: "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", contentType: "multipart/mixed;boundary=b" },
    ],
    ["that is packed", { headers: ["Content-Encoding: gzip"] }],
  ])("%s gets 415, and what would be taken", async (_what, parts) => {
    const { stack, caller } = await callerRig();
    const refusal = await caller.invite(parts).response(415);
    expect(lines(refusal, "Accept")).toEqual(["application/sdp"]);
    expect(stack.arrivals).toEqual([]);
  });

  it("that is no SDP is the media engine's to refuse", async () => {
    const { stack, caller } = await callerRig();
    caller.invite({ sdp: "v=nonsense" });
    expect((await stack.arrival()).sdp).toBe("v=nonsense");
  });
});

describe("an INVITE that requires", () => {
  it("what we do not know gets 420 and its name", async () => {
    const { stack, caller } = await callerRig();
    const refusal = await caller.invite({ headers: ["Require: 100rel, precondition"] }).response(420);
    expect(lines(refusal, "Unsupported")).toEqual(["precondition"]);
    expect(stack.arrivals).toEqual([]);
  });

  it("an answer in a language that is not SDP gets 406", async () => {
    const { caller } = await callerRig();
    await caller.invite({ headers: ["Accept: text/plain"] }).response(406);
  });
});
