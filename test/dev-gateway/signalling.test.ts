// The gateway's SIP, seen from a raw socket: what a telephone on the wire gets for what it sends.
import { describe, expect, it } from "vitest";
import type { GatewayNumber, GatewayOptions } from "../../dev/gateway/gateway.ts";
import { ALLOW } from "../../dev/gateway/wire/message-text.ts";
import { ending, rig } from "./gateway-rig.ts";
import { offerOf, rawPeer } from "./raw-peer.ts";

const to = (number: string) => `sip:${number}@127.0.0.1`;
const OFFER = offerOf(40_000);

const ANSWERS_IN_SILENCE: readonly GatewayNumber[] = [
  { ending: "", what: "", script: [{ do: "answer", sound: "silence" }] },
];

describe.each(["UDP", "TCP"] as const)("a call over %s", (transport) => {
  it("rings, is answered, and ends when the caller hangs up", async () => {
    const { gateway, peer } = await rig({}, transport);
    peer.request("INVITE", { uri: to("+442079460102"), body: OFFER, headers: ["P-Asserted-Identity: <tel:+4420>"] });
    await peer.status(180);
    const accepted = await peer.status(200);
    expect(accepted.body).toMatch(/m=audio \d+ RTP\/AVP 0 101\r\n/);
    expect(accepted.header("Contact")).toContain(transport === "TCP" ? ";transport=tcp>" : `:${gateway.port}>`);
    peer.request("ACK", { toTag: accepted.toTag });
    peer.request("BYE", { toTag: accepted.toTag, cseq: 2, headers: ['Reason: Q.850;cause=16;text="done"'] });
    await peer.status(200, "2 BYE");
    const call = await gateway.until(([call]) => call?.end && call);
    expect(call).toMatchObject({ number: "+442079460102", transport, codec: "PCMU", state: "ended" });
    expect(call.end).toEqual({ by: "caller", how: "bye", status: undefined, reason: 'Q.850;cause=16;text="done"' });
    expect(call.headers("P-Asserted-Identity")).toEqual(["<tel:+4420>"]);
    expect(call.requests).toEqual(["INVITE", "ACK", "BYE"]);
  });

  it("ends when the gateway hangs up", async () => {
    const numbers = [
      { ending: "", what: "", script: [{ do: "answer", sound: "silence" }, { do: "hang up" }] as const },
    ];
    const { gateway, peer } = await rig({ numbers }, transport);
    peer.request("INVITE", { body: OFFER });
    const { toTag } = await peer.status(200);
    peer.request("ACK", { toTag });
    const bye = await peer.until((message) => message.startLine.startsWith("BYE "));
    expect(bye.header("To")).toContain(";tag=peer");
    expect(bye.header("From")).toContain(`;tag=${toTag}`);
    await gateway.until(([call]) => call?.end?.by === "gateway" && call.end.how === "bye");
  });
});

describe("before the answer", () => {
  it.each([
    ["02079460486", 486, "Busy Here"],
    ["0207 946 0404", 404, "Not Found"],
    ["+442079460603", 603, "Decline"],
    ["02079460503", 503, "Service Unavailable"],
    ["999", 404, "Not Found"],
  ])("%s is refused with %i", async (number, status, reason) => {
    const { gateway, peer } = await rig();
    const branch = "z9hG4bKrefused";
    peer.request("INVITE", { uri: to(encodeURIComponent(number)), body: OFFER, branch });
    const refusal = await peer.status(status);
    expect(refusal.startLine).toBe(`SIP/2.0 ${status} ${reason}`);
    peer.request("ACK", { toTag: refusal.toTag, branch });
    expect(gateway.calls[0]?.end).toEqual({ by: "gateway", how: "refused", status, reason: undefined });
  });

  it("repeats its refusal until it is acknowledged", async () => {
    const { peer } = await rig({ t1Ms: 20 });
    const branch = "z9hG4bKrepeat";
    peer.request("INVITE", { uri: to("486"), body: OFFER, branch });
    const again = await peer.until((message) => message.status === 486, 2);
    peer.request("ACK", { toTag: again.toTag, branch });
    // Whatever is answered after the ACK shows that the refusals before it were all.
    peer.request("OPTIONS", { cseq: 7 });
    await peer.status(200, "7 OPTIONS");
    const before = peer.received.length;
    peer.request("OPTIONS", { cseq: 8 });
    await peer.status(200, "8 OPTIONS");
    expect(peer.received.slice(before).every((message) => message.status === 200)).toBe(true);
  });

  it("rings until the caller gives up: 200 to the CANCEL, 487 to the INVITE", async () => {
    const { gateway, peer } = await rig();
    const branch = "z9hG4bKgivesup";
    peer.request("INVITE", { uri: to("180"), body: OFFER, branch });
    await peer.status(180);
    peer.request("CANCEL", { uri: to("180"), branch });
    await peer.status(200, "1 CANCEL");
    await peer.status(487, "1 INVITE");
    expect(gateway.calls[0]?.end).toMatchObject({ by: "caller", how: "cancel", status: 487 });
  });

  it("answers a CANCEL after the 200 with 200, and the call goes on", async () => {
    const { gateway, peer } = await rig({
      numbers: ANSWERS_IN_SILENCE,
    });
    const branch = "z9hG4bKlate";
    peer.request("INVITE", { body: OFFER, branch });
    await peer.status(200, "1 INVITE");
    peer.request("CANCEL", { branch });
    await peer.status(200, "1 CANCEL");
    expect(gateway.calls[0]?.state).toBe("answered");
  });

  it("knows nothing of a CANCEL without an INVITE", async () => {
    const { peer } = await rig();
    peer.request("CANCEL");
    await peer.status(481, "1 CANCEL");
  });

  it("sends early media with 183 and the same session in the 200", async () => {
    const script = [
      { do: "early", sound: "silence" },
      { do: "answer", sound: "silence" },
    ] as const;
    const { peer } = await rig({ numbers: [{ ending: "", what: "", script }] });
    peer.request("INVITE", { body: OFFER });
    const [early, accepted] = [await peer.status(183), await peer.status(200)];
    expect(early.toTag).toBe(accepted.toTag);
    expect(accepted.body).toBe(early.body);
  });
});

describe("a message that comes twice", () => {
  it("is one call, and gets the last answer again", async () => {
    const { gateway, peer } = await rig();
    const invite = peer.request("INVITE", { uri: to("180"), body: OFFER });
    await peer.status(180);
    peer.send(invite);
    await peer.until((message) => message.status === 180, 1);
    expect(gateway.calls).toHaveLength(1);
  });

  it("repeats its 200 until the ACK", async () => {
    const { peer } = await rig({
      t1Ms: 20,
      numbers: ANSWERS_IN_SILENCE,
    });
    peer.request("INVITE", { body: OFFER });
    const { toTag } = await peer.until((message) => message.status === 200, 2);
    peer.request("ACK", { toTag });
    peer.request("BYE", { toTag, cseq: 2 });
    await peer.status(200, "2 BYE");
  });

  it("ends a call that is never acknowledged with BYE", async () => {
    const { gateway, peer } = await rig({
      t1Ms: 5,
      numbers: ANSWERS_IN_SILENCE,
    });
    peer.request("INVITE", { body: OFFER });
    await peer.until((message) => message.startLine.startsWith("BYE "));
    expect(gateway.calls[0]?.end?.how).toBe("unacknowledged");
  });

  it("is a loop where it came by another way", async () => {
    const { peer } = await rig();
    peer.request("INVITE", { uri: to("180"), body: OFFER });
    await peer.status(180);
    peer.request("INVITE", { uri: to("180"), body: OFFER });
    await peer.status(482);
  });
});

async function answered(options: GatewayOptions = {}) {
  const { gateway, peer } = await rig({ numbers: ANSWERS_IN_SILENCE, ...options });
  peer.request("INVITE", { body: OFFER });
  const { toTag } = await peer.status(200);
  peer.request("ACK", { toTag });
  const call = await gateway.until(([call]) => call?.requests.includes("ACK") && call);
  return { gateway, peer, toTag, call };
}

describe("inside a call", () => {
  it.each([
    ["sendonly", "recvonly"],
    ["recvonly", "sendonly"],
    ["inactive", "inactive"],
    ["sendrecv", "sendrecv"],
  ])("answers an offer that is %s with %s", async (offered, answer) => {
    const { peer, toTag, call } = await answered();
    peer.request("INVITE", { toTag, cseq: 2, body: offerOf(40_000, [`a=${offered}`]) });
    const accepted = await peer.status(200, "2 INVITE");
    peer.request("ACK", { toTag, cseq: 2 });
    expect(accepted.body).toContain(`a=${answer}\r\n`);
    expect(call.peerDirection).toBe(offered);
  });

  it("takes c=0.0.0.0 for hold", async () => {
    const { peer, toTag } = await answered();
    peer.request("INVITE", { toTag, cseq: 2, body: OFFER.replace("c=IN IP4 127.0.0.1", "c=IN IP4 0.0.0.0") });
    expect((await peer.status(200, "2 INVITE")).body).toContain("a=inactive\r\n");
  });

  it("offers itself where a re-INVITE has no offer, and takes the answer from the ACK", async () => {
    const { gateway, peer, toTag, call } = await answered();
    peer.request("INVITE", { toTag, cseq: 2 });
    expect((await peer.status(200, "2 INVITE")).body).toContain("a=sendrecv\r\n");
    peer.request("ACK", { toTag, cseq: 2, body: offerOf(40_000, ["a=recvonly"]) });
    await gateway.until(() => call.peerDirection === "recvonly");
  });

  it("keeps the call when it cannot take an offer", async () => {
    const { peer, toTag, call } = await answered();
    peer.request("INVITE", { toTag, cseq: 2, body: offerOf(40_000, [], "18") });
    await peer.status(488, "2 INVITE");
    expect(call.state).toBe("answered");
  });

  it("refuses streams that it does not have, in their place", async () => {
    const { peer, toTag } = await answered();
    const body = `${OFFER.replace("m=audio", "m=video 9 RTP/AVP 96\r\nm=audio")}m=image 9 udptl t38\r\n`;
    peer.request("INVITE", { toTag, cseq: 2, body });
    const accepted = await peer.status(200, "2 INVITE");
    expect(accepted.body.match(/^m=\S+ \d+/gm)).toEqual([
      "m=video 0",
      expect.stringMatching(/^m=audio [1-9]/),
      "m=image 0",
    ]);
  });

  it("refuses what is out of order, unknown or not a call's", async () => {
    const { peer, toTag } = await answered();
    peer.request("BYE", { toTag, cseq: 1 });
    await peer.status(500, "1 BYE");
    peer.request("BYE", { toTag: "nobody", cseq: 2 });
    await peer.status(481, "2 BYE");
    peer.request("PUBLISH", { toTag, cseq: 3 });
    expect((await peer.status(405, "3 PUBLISH")).header("Allow")).toContain("INVITE");
    peer.request("OPTIONS", { toTag, cseq: 4 });
    await peer.status(200, "4 OPTIONS");
  });

  it("holds the caller and comes back", async () => {
    const script = [{ do: "answer", sound: "silence" }, { do: "hold" }, { do: "resume" }] as const;
    const { gateway, peer } = await answered({ numbers: [{ ending: "", what: "", script }] });
    const hold = await peer.until((message) => message.startLine.startsWith("INVITE "));
    expect(hold.body).toContain("a=sendonly\r\n");
    peer.answer(hold, "200 OK", offerOf(40_000, ["a=recvonly"]));
    // The first one may come again before its answer is read.
    const resume = await peer.until(
      (message) => message.startLine.startsWith("INVITE ") && message.header("CSeq") !== hold.header("CSeq"),
    );
    expect(resume.body).toContain("a=sendrecv\r\n");
    expect(/o=\S+ \S+ (\d+)/.exec(resume.body)?.[1]).toBe("3");
    peer.answer(resume, "200 OK", OFFER);
    await peer.until((message) => message.header("CSeq") === "2 ACK");
    await gateway.until(([call]) => call?.peerDirection === "sendrecv");
  });

  it("tries again when both sides offer at once", async () => {
    const script = [{ do: "answer", sound: "silence" }, { do: "hold" }] as const;
    const { peer, toTag } = await answered({ numbers: [{ ending: "", what: "", script }] });
    const hold = await peer.until((message) => message.startLine.startsWith("INVITE "));
    peer.request("INVITE", { toTag, cseq: 2, body: OFFER });
    await peer.status(491, "2 INVITE");
    peer.answer(hold, "491 Request Pending");
    const again = await peer.until((message) => message.header("CSeq") === "2 INVITE" && message.status === 0);
    expect(again.body).toContain("a=sendonly\r\n");
    peer.answer(again, "200 OK", offerOf(40_000, ["a=recvonly"]));
  });
});

describe("outside of a call", () => {
  it("answers OPTIONS", async () => {
    const { peer } = await rig();
    peer.request("OPTIONS");
    expect((await peer.status(200)).header("Allow")).toBe(ALLOW);
  });

  it.each([
    ["an unknown method", "SUBSCRIBE", {}, 405],
    ["a BYE for nothing", "BYE", {}, 481],
    ["an extension that it does not have", "INVITE", { headers: ["Require: 100rel"], body: OFFER }, 420],
    ["a body that it cannot read", "INVITE", { headers: ["Content-Type: text/plain"] }, 404],
    ["a codec that it does not have", "INVITE", { body: offerOf(40_000, [], "18") }, 488],
    ["another scheme", "INVITE", { uri: "mailto:a@example.org", body: OFFER }, 416],
  ])("refuses %s", async (_what, method, parts, status) => {
    const { peer } = await rig();
    peer.request(method, {
      uri: "sip:102@127.0.0.1",
      ...(status === 404 ? { uri: "sip:404@127.0.0.1" } : {}),
      ...parts,
    });
    await peer.status(status);
  });

  it("says what is wrong with a request that cannot be read, and survives what is no SIP", async () => {
    const { peer } = await rig();
    peer.send("\r\n\r\n");
    peer.send("GET / HTTP/1.1\r\n\r\n");
    peer.send("\u0000\u0001");
    peer.request("INVITE", { headers: ["CSeq: 2 INVITE"] });
    await peer.status(400);
  });
});

/** Numbers below a bound, the same ones in each run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe("whatever comes", () => {
  /** A message with a few of its characters changed, doubled or taken away. */
  const mutant = (text: string, random: (below: number) => number): string => {
    let result = text;
    for (let edit = 0; edit <= random(4); edit += 1) {
      const at = random(result.length);
      const put = ["", "\r\n", ";", ":", "<", ">", "@", "0", "%", '"', "\u0000", "é", result.slice(at, at + 20)][
        random(13)
      ];
      result = result.slice(0, at) + put + result.slice(at + random(3));
    }
    return result;
  };

  it("is survived as an answer too, and the next call is made", async () => {
    const { peer, gateway } = await rig({ t1Ms: 5 });
    const random = seeded(20_261_123);
    const contact = /Contact: <([^>]+)>/.exec(peer.request("OPTIONS", { cseq: 9 }))?.[1] ?? "";
    const at = { host: "127.0.0.1", port: Number(/:(\d+)$/.exec(contact)?.[1]) };
    for (let count = 0; count < 100; count += 1) {
      const call = await gateway.call({ to: "1", from: "2", at });
      const invite = await peer.until((message) => message.header("Call-ID") === call.sipCallId);
      const echoed = ["Via", "From", "To", "Call-ID", "CSeq"].map((name) => `${name}: ${invite.header(name)}`);
      const answer = (status: string): string =>
        [
          `SIP/2.0 ${status}`,
          ...echoed.map((line) => (line.startsWith("To:") ? `${line};tag=peer` : line)),
          `Contact: <${contact}>`,
          "Record-Route: <sip:127.0.0.1:0;lr>",
          'WWW-Authenticate: Digest realm="r", nonce="n", qop="auth"',
          "Content-Type: application/sdp",
          `Content-Length: ${OFFER.length}`,
          "",
          OFFER,
        ].join("\r\n");
      for (const status of ["100 Trying", "183 Session Progress", "401 Unauthorized", "200 OK", "486 Busy Here"]) {
        peer.send(mutant(answer(status), random));
      }
      void call.hangUp();
    }
    const next = await gateway.call({ to: "1", from: "2", at });
    await peer.until((message) => message.header("Call-ID") === next.sipCallId);
  });

  it("is survived, and the next call is answered", async () => {
    const { peer, gateway } = await rig({ numbers: ANSWERS_IN_SILENCE, t1Ms: 5 });
    const random = seeded(20_261_122);
    const whole = peer.request("INVITE", {
      body: offerOf(65_535, ["a=sendrecv", "a=rtcp:0"]),
      headers: [
        "Record-Route: <sip:127.0.0.1:0;lr>",
        "Refer-To: <sip:102@127.0.0.1?Replaces=a%3Bto-tag=1%3Bfrom-tag=2>",
        "Expires: 60",
      ],
    });
    const { toTag } = await peer.status(200);
    const methods = ALLOW.split(", ");
    for (let count = 0; count < 2_000; count += 1) {
      const text = random(3) === 0 ? whole.replace("To: <sip:gateway@example.org>", `$&;tag=${toTag}`) : whole;
      peer.send(mutant(text.replaceAll("INVITE", methods[random(methods.length)] ?? ""), random));
      // The socket's buffer is small: an answer now and then keeps us in step.
      if (count % 50 === 0) {
        peer.request("OPTIONS", { cseq: 10_000 + count });
        await peer.status(200, `${10_000 + count} OPTIONS`);
      }
    }
    const next = await rawPeer(gateway, "UDP");
    ending.push(() => next.close());
    next.request("INVITE", { body: OFFER });
    await next.status(200);
  });
});
