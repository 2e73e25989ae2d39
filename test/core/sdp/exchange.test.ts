// Offer and answer through us: what the trunk is offered, what the client is answered, and what neither hears of.
import { describe, expect, test } from "vitest";
import { crossings } from "../../../src/core/sdp/exchange/agreement.ts";
import {
  described,
  isHeld,
  isOpen,
  digitFormat,
  newExchange as exchangeOf,
  settled,
} from "../../../src/core/sdp/exchange/exchange.ts";
import { newOrigin, say, trunkBody } from "../../../src/core/sdp/writer.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";
import {
  invite,
  hold,
  newExchange,
  clientOffered,
  trunkOffered,
  clientAnswered,
  trunkAnswered,
  taken,
  numbers,
  answered,
} from "./turns.ts";

describe("a trunk that takes keys in INFO alone", () => {
  const codecs = ["PCMA", "PCMU"];
  const exchange = exchangeOf({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs, events: false } });
  const gateway = parsed(gatewaySdp());
  test("is offered none in RTP, and answered none", () => {
    const turn = taken(clientOffered(exchange, invite));
    expect(numbers(turn)).not.toContain("telephone-event");
    const back = taken(trunkOffered(exchange, gateway));
    const answer = taken(clientAnswered(back.exchange, parsed(elementSdp("in-answer"))));
    expect(numbers(answer)).not.toContain("telephone-event");
  });
  test("although it lists them; the client still says its keys to us", () => {
    expect(gateway.audio.formats.map(({ name }) => name)).toContain("telephone-event");
    const offer = taken(clientOffered(exchange, invite));
    const answer = taken(trunkAnswered(offer.exchange, gateway));
    expect(numbers(answer)).toContain("telephone-event/8000");
    const { agreed } = answer.exchange;
    expect(agreed && digitFormat(agreed, "b")).toBeUndefined();
    expect(agreed && digitFormat(agreed, "a")).toBeDefined();
  });
});

describe("a new call of the client", () => {
  test("Element's invite becomes exactly this offer", () => {
    const turn = taken(clientOffered(newExchange(["PCMU", "PCMA", "G722", "opus"]), invite));
    const body = trunkBody({
      address: "192.0.2.50",
      port: 30_000,
      formats: turn.formats,
      direction: turn.direction,
      ptimeMs: 20,
      crypto: undefined,
      rtcpMux: false,
      frame: undefined,
    });
    expect(say(newOrigin("4711"), "192.0.2.50", body).sdp.split("\r\n")).toEqual([
      "v=0",
      "o=- 4711 1 IN IP4 192.0.2.50",
      "s=-",
      "c=IN IP4 192.0.2.50",
      "t=0 0",
      "m=audio 30000 RTP/AVP 0 8 9 111 101 102",
      "a=rtpmap:0 PCMU/8000",
      "a=rtpmap:8 PCMA/8000",
      "a=rtpmap:9 G722/8000",
      "a=rtpmap:111 opus/48000/2",
      "a=fmtp:111 minptime=10;usedtx=1;useinbandfec=1",
      "a=rtpmap:101 telephone-event/8000",
      "a=fmtp:101 0-15",
      "a=rtpmap:102 telephone-event/48000",
      "a=fmtp:102 0-15",
      "a=ptime:20",
      "a=sendrecv",
      "",
    ]);
  });

  test("with G.711 both sides have their own number for 8 kHz events, and no other event", () => {
    const turn = taken(
      trunkAnswered(taken(clientOffered(newExchange(["PCMU"]), invite)).exchange, parsed(gatewaySdp())),
    );
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "sendrecv" });
    expect(numbers(turn)).toBe("0 PCMU/8000, 126 telephone-event/8000");
    const agreed = turn.exchange.agreed;
    expect(agreed && crossings(agreed.passages, "a").get(126)?.payloadType).toBe(101);
    expect(agreed && crossings(agreed.passages, "b").get(101)?.payloadType).toBe(126);
    expect(agreed && crossings(agreed.passages, "a").get(13)).toBeUndefined();
  });

  test("with Opus the 48 kHz event goes with it", () => {
    const sdp = gatewaySdp({
      formats: "111 102",
      lines: ["a=rtpmap:111 opus/48000/2", "a=fmtp:111 maxplaybackrate=16000", "a=rtpmap:102 telephone-event/48000"],
    });
    const turn = taken(trunkAnswered(taken(clientOffered(newExchange(["opus"]), invite)).exchange, parsed(sdp)));
    expect(numbers(turn)).toBe("111 opus/48000, 110 telephone-event/48000");
    expect(turn.formats[0]?.parameters).toBe("maxplaybackrate=16000");
  });

  test("a gateway with Opus and 8 kHz events only still gets its digits, their clock converted", () => {
    const sdp = gatewaySdp({
      formats: "111 101",
      lines: ["a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"],
    });
    const offered = taken(clientOffered(newExchange(["opus", "PCMU"]), invite)).exchange;
    const { agreed } = taken(trunkAnswered(offered, parsed(sdp))).exchange;
    const crossing = agreed && crossings(agreed.passages, "a").get(110);
    expect(crossing).toMatchObject({ payloadType: 101, fromClockRate: 48_000, toClockRate: 8000 });
  });

  test("no codec in common is refused", () => {
    expect(clientOffered(newExchange(["opus"]), parsed(elementSdp("in-answer")))).toMatchObject({
      kind: "refusal",
      fault: "no-common-codec",
    });
    const offered = taken(clientOffered(newExchange(["PCMU"]), invite)).exchange;
    const g729 = parsed(gatewaySdp({ formats: "18 101" }));
    expect(trunkAnswered(offered, g729)).toMatchObject({ kind: "refusal", fault: "no-common-codec" });
  });

  test("a gateway that answers with a number of its own is sent that, and heard by the offered one", () => {
    const sdp = gatewaySdp({ formats: "0 97", lines: ["a=rtpmap:97 telephone-event/8000"] });
    const { agreed } = answered(["PCMU"], sdp);
    expect(agreed && crossings(agreed.passages, "a").get(126)?.payloadType).toBe(97);
    expect(agreed && crossings(agreed.passages, "b").get(101)?.payloadType).toBe(126);
    expect(agreed && crossings(agreed.passages, "b").get(97)?.payloadType).toBe(126);
  });

  test("the final answer may differ from the early one", () => {
    const early = answered(["PCMU", "PCMA"], gatewaySdp({ formats: "0 101" }));
    const turn = taken(trunkAnswered(early, parsed(gatewaySdp({ formats: "8 101", port: 50_000 }))));
    expect(numbers(turn)).toBe("8 PCMA/8000, 126 telephone-event/8000");
    expect(turn.exchange.agreed?.b.audio.port).toBe(50_000);
  });

  test("an answer to nothing is refused", () => {
    expect(trunkAnswered(newExchange(["PCMU"]), parsed(gatewaySdp())).kind).toBe("refusal");
    expect(clientAnswered(newExchange(["PCMU"]), parsed(elementSdp("in-answer"))).kind).toBe("refusal");
  });
});

describe("inside a call", () => {
  test("the client's hold reaches the trunk, and its answer the client", () => {
    const offer = taken(clientOffered(answered(["PCMU"]), hold));
    expect(offer).toMatchObject({ kind: "offer", to: "b", direction: "sendonly" });
    expect(numbers(offer)).toBe("0 PCMU/8000, 101 telephone-event/8000");
    const lines = ["a=rtpmap:101 telephone-event/8000", "a=recvonly"];
    const answer = taken(trunkAnswered(offer.exchange, parsed(gatewaySdp({ lines }))));
    expect(answer).toMatchObject({ kind: "answer", to: "a", direction: "recvonly" });
    const { agreed } = answer.exchange;
    expect(agreed && [isOpen(agreed, "a"), isOpen(agreed, "b"), isHeld(agreed)]).toEqual([true, false, true]);
  });

  test("and so does the resume", () => {
    const held = taken(trunkAnswered(taken(clientOffered(answered(["PCMU"]), hold)).exchange, parsed(gatewaySdp())));
    const offer = taken(clientOffered(held.exchange, parsed(elementSdp("out-unhold-negotiate"))));
    expect(offer).toMatchObject({ kind: "offer", to: "b", direction: "sendrecv" });
    const { agreed } = taken(trunkAnswered(offer.exchange, parsed(gatewaySdp()))).exchange;
    expect(agreed && [isOpen(agreed, "a"), isOpen(agreed, "b"), isHeld(agreed)]).toEqual([true, true, false]);
  });

  test("a hold the trunk refuses is answered by us, and the client hears nothing more", () => {
    const offer = taken(clientOffered(answered(["PCMU"]), hold));
    const turn = taken(settled(offer.exchange, "a"));
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "recvonly" });
    const { agreed } = turn.exchange;
    expect(agreed && isOpen(agreed, "b")).toBe(false);
    expect(settled(turn.exchange, "a").kind).toBe("refusal");
  });

  test("an ICE restart alone is none of the trunk's business", () => {
    const restart = parsed(elementSdp("out-unhold-negotiate").replace("ice-ufrag:afOz", "ice-ufrag:Neu1"));
    expect(taken(clientOffered(answered(["PCMU"]), restart))).toMatchObject({ kind: "answer", to: "a" });
  });

  test("video asked for in the call is settled too", () => {
    const turn = taken(clientOffered(answered(["PCMU"]), parsed(elementSdp("out-video-invite"))));
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "sendrecv" });
  });

  test.each([
    ["sendonly", "recvonly"],
    ["inactive", "inactive"],
    ["recvonly", "sendonly"],
    ["sendrecv", "sendrecv"],
  ])("the trunk's %s is answered %s without the client", (offered, expected) => {
    const lines = ["a=rtpmap:101 telephone-event/8000", `a=${offered}`];
    const turn = taken(trunkOffered(answered(["PCMU"]), parsed(gatewaySdp({ lines, port: 50_000 }))));
    expect(turn).toMatchObject({ kind: "answer", to: "b", direction: expected });
    expect(turn.exchange.agreed?.b.audio.port).toBe(50_000);
  });

  test("the trunk's old hold with 0.0.0.0 is answered recvonly", () => {
    const turn = taken(trunkOffered(answered(["PCMU"]), parsed(gatewaySdp({ address: "0.0.0.0" }))));
    expect(turn).toMatchObject({ kind: "answer", to: "b", direction: "recvonly" });
  });

  test("both on hold is inactive", () => {
    const lines = ["a=rtpmap:101 telephone-event/8000", "a=recvonly"];
    const offer = taken(clientOffered(answered(["PCMU"]), hold));
    const held = taken(trunkAnswered(offer.exchange, parsed(gatewaySdp({ lines })))).exchange;
    const turn = taken(trunkOffered(held, parsed(gatewaySdp({ lines: ["a=sendonly"] }))));
    expect(turn.direction).toBe("inactive");
  });

  test("a client that resumes, or is answered, while the trunk holds still speaks when the trunk is back", () => {
    const held = { lines: ["a=rtpmap:101 telephone-event/8000", "a=sendonly"] };
    const offered = taken(clientOffered(newExchange(["PCMU"]), invite)).exchange;
    const turn = taken(trunkAnswered(offered, parsed(gatewaySdp(held))));
    // The trunk's resume is answered without the client, which therefore must not have been told to be silent.
    expect(turn).toMatchObject({ kind: "answer", to: "a", direction: "sendrecv" });
    expect(turn.exchange.agreed && isHeld(turn.exchange.agreed)).toBe(true);
    const back = taken(trunkOffered(turn.exchange, parsed(gatewaySdp())));
    expect(back).toMatchObject({ kind: "answer", to: "b", direction: "sendrecv" });
    expect(back.exchange.agreed && isOpen(back.exchange.agreed, "a")).toBe(true);
  });

  test("music on hold in another codec does not silence the client for good", () => {
    const held = { formats: "8 101", lines: ["a=rtpmap:101 telephone-event/8000", "a=sendonly"] };
    const exchange = answered(["PCMU", "PCMA"], gatewaySdp({ formats: "0 101" }));
    const offer = taken(trunkOffered(exchange, parsed(gatewaySdp(held))));
    expect(offer).toMatchObject({ kind: "offer", to: "a", direction: "sendonly" });
    const answer = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-remote-hold-answer-sendonly"))));
    expect(answer).toMatchObject({ kind: "answer", to: "b", direction: "recvonly" });
    const back = taken(trunkOffered(answer.exchange, parsed(gatewaySdp({ formats: "8 101" }))));
    expect(back).toMatchObject({ kind: "answer", to: "b", direction: "sendrecv" });
  });

  test("keys pass again after music on hold that took none", () => {
    const held = parsed(gatewaySdp({ formats: "0", lines: ["a=sendonly"] }));
    const hold = taken(trunkOffered(answered(["PCMU"]), held)).exchange;
    expect(hold.agreed && crossings(hold.agreed.passages, "a").get(126)).toBeUndefined();
    const back = taken(trunkOffered(hold, parsed(gatewaySdp())));
    expect(numbers(back)).toBe("0 PCMU/8000, 101 telephone-event/8000");
    const { agreed } = back.exchange;
    expect(agreed && crossings(agreed.passages, "a").get(126)?.payloadType).toBe(101);
    expect(agreed && crossings(agreed.passages, "b").get(101)?.payloadType).toBe(126);
  });

  test("the trunk's other numbers for the same codec are mapped", () => {
    const sdp = gatewaySdp({ formats: "8 0 96", lines: ["a=rtpmap:96 telephone-event/8000"] });
    const turn = taken(trunkOffered(answered(["PCMU", "PCMA"], gatewaySdp({ formats: "0 101" })), parsed(sdp)));
    expect(numbers(turn)).toBe("0 PCMU/8000, 96 telephone-event/8000");
    const { agreed } = turn.exchange;
    expect(agreed && crossings(agreed.passages, "a").get(126)?.payloadType).toBe(96);
  });

  test("a codec the client had offered, but does not speak, becomes an offer to the client", () => {
    const exchange = answered(["PCMU", "PCMA"], gatewaySdp({ formats: "0 101" }));
    const offer = taken(trunkOffered(exchange, parsed(gatewaySdp({ formats: "8 101" }))));
    expect(offer).toMatchObject({ kind: "offer", to: "a" });
    expect(numbers(offer)).toBe("8 PCMA/8000, 126 telephone-event/8000");
    const turn = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-answer"))));
    expect(turn).toMatchObject({ kind: "answer", to: "b" });
    expect(numbers(turn)).toBe("8 PCMA/8000, 101 telephone-event/8000");
  });

  test("a codec the client never had is refused, and the call goes on as it was", () => {
    const exchange = answered(["PCMU", "PCMA"]);
    expect(trunkOffered(exchange, parsed(gatewaySdp({ formats: "18" })))).toMatchObject({ fault: "no-common-codec" });
  });

  test("a trunk that asks for an offer gets what is agreed, and its answer counts", () => {
    const offer = taken(described(answered(["PCMU", "PCMA"]), "b"));
    expect(offer).toMatchObject({ kind: "offer", to: "b", direction: "sendrecv" });
    expect(numbers(offer)).toBe("0 PCMU/8000, 101 telephone-event/8000");
    const answer = trunkAnswered(offer.exchange, parsed(gatewaySdp({ port: 50_002, lines: ["a=sendonly"] })));
    if (answer.kind !== "settled") throw new Error(answer.kind);
    expect(answer.exchange.agreed?.b.audio.port).toBe(50_002);
    expect(answer.exchange.agreed?.directions.b).toBe("sendonly");
  });
});
