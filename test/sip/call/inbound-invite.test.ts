// INVITEs of the trunk: what stands in them, what they require, and those that come twice.
import { describe, expect, it } from "vitest";
import { callerRig } from "../rig/caller.ts";
import { lines } from "../rig/peer.ts";
import { ANSWER, OFFER } from "../rig/stack.ts";

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
