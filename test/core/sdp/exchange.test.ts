// Offer and answer through us: what the trunk is offered, what the client is answered, and what neither hears of.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  crossings,
  crossingsWithDigits,
  pairFormats,
  trunkCapability,
} from "../../../src/core/sdp/exchange/agreement.ts";
import { convertible, priceOf, type Conversion } from "../../../src/core/sdp/exchange/conversion.ts";
import {
  answered as answeredBy,
  crossed,
  described,
  isHeld,
  isOpen,
  digitFormat,
  newExchange as exchangeOf,
  offered,
  settled,
} from "../../../src/core/sdp/exchange/exchange.ts";
import type { AnswerTurn, Exchange, OfferTurn, Refusal, Turn } from "../../../src/core/sdp/exchange/turn.ts";
import { newOrigin, say, trunkBody } from "../../../src/core/sdp/writer.ts";
import type { MediaEnd } from "../../../src/core/media-end.ts";
import type { Description } from "../../../src/core/sdp/description.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

const invite = parsed(elementSdp("out-invite"));
const hold = parsed(elementSdp("out-hold-negotiate"));

const newExchange = (codecs: readonly string[]): Exchange =>
  exchangeOf({ a: { kind: "client", codecs }, b: { kind: "trunk", codecs } });
const clientOffered = (exchange: Exchange, sdp: Description): Turn | Refusal => offered(exchange, "a", sdp);
const trunkOffered = (exchange: Exchange, sdp: Description): Turn | Refusal => offered(exchange, "b", sdp);
const clientAnswered = (exchange: Exchange, sdp: Description): Turn | Refusal => answeredBy(exchange, "a", sdp);
const trunkAnswered = (exchange: Exchange, sdp: Description): Turn | Refusal => answeredBy(exchange, "b", sdp);

function taken(turn: Turn | Refusal): OfferTurn | AnswerTurn {
  if (turn.kind === "refusal") throw new Error(turn.message);
  if (turn.kind === "settled") throw new Error("nothing to write");
  return turn;
}

function numbers(turn: OfferTurn | AnswerTurn): string {
  return turn.formats.map((format) => `${format.payloadType} ${format.name}/${format.clockRate}`).join(", ");
}

/** A call of Element's that the gateway has answered. */
function answered(codecs: readonly string[], answer = gatewaySdp()): Exchange {
  const offered = taken(clientOffered(newExchange(codecs), invite)).exchange;
  return taken(trunkAnswered(offered, parsed(answer))).exchange;
}

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

/** Both as one would hear of it: the numbers of a side, and what goes through. */
function passing(exchange: Exchange, from: MediaEnd): Record<string, string> {
  const { agreed } = exchange;
  if (agreed === undefined) return {};
  const map = crossingsWithDigits(agreed.passages, from, agreed.formats[from]);
  return Object.fromEntries(
    [...map].map(([number, { payloadType, name, isRelayed }]) => [number, isRelayed ? `${payloadType} ${name}` : name]),
  );
}

describe("a call from the trunk", () => {
  test("without events asks the client for keys all the same: they are heard, and go no further", () => {
    const sdp = parsed(gatewaySdp({ formats: "0", lines: ["a=sendrecv"] }));
    const offer = taken(trunkOffered(newExchange(["PCMU"]), sdp));
    expect(numbers(offer)).toBe("0 PCMU/8000, 126 telephone-event/8000");
    const turn = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-answer"))));
    expect(numbers(turn)).toBe("0 PCMU/8000");
    expect(passing(turn.exchange, "a")).toEqual({ 0: "0 PCMU", 126: "telephone-event" });
    const { agreed } = turn.exchange;
    expect(agreed && digitFormat(agreed, "b")).toBeUndefined();
    expect(agreed && digitFormat(agreed, "a")?.payloadType).toBe(126);
  });

  test.each([
    ["sendonly", "198.51.100.7", "recvonly"],
    ["inactive", "198.51.100.7", "inactive"],
    ["sendrecv", "0.0.0.0", "recvonly"],
  ])("that begins on hold (%s, %s) is answered %s", (direction, address, expected) => {
    const lines = ["a=rtpmap:101 telephone-event/8000", `a=${direction}`];
    const offer = taken(trunkOffered(newExchange(["PCMU"]), parsed(gatewaySdp({ lines, address }))));
    expect(offer.direction).toBe("sendrecv");
    const turn = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-answer"))));
    expect(turn.direction).toBe(expected);
    const back = taken(trunkOffered(turn.exchange, parsed(gatewaySdp())));
    expect(back).toMatchObject({ kind: "answer", to: "b", direction: "sendrecv" });
  });

  test("is answered once: what a second device says comes too late", () => {
    const offer = taken(trunkOffered(newExchange(["PCMU"]), parsed(gatewaySdp())));
    const turn = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-answer"))));
    expect(clientAnswered(turn.exchange, parsed(elementSdp("in-answer")))).toMatchObject({ kind: "refusal" });
  });

  test("that crosses the person's own ends with an answer for each", () => {
    const lines = ["a=rtpmap:96 telephone-event/8000", "a=sendrecv"];
    const offer = taken(trunkOffered(newExchange(["PCMU", "PCMA"]), parsed(gatewaySdp({ formats: "8 0 96", lines }))));
    const turns = crossed(offer.exchange, "a", invite);
    if (turns.kind === "refusal") throw new Error(turns.message);
    expect(numbers(turns.a)).toBe("8 PCMA/8000, 126 telephone-event/8000");
    expect(numbers(turns.b)).toBe("8 PCMA/8000, 96 telephone-event/8000");
    expect(passing(turns.b.exchange, "a")).toEqual({ 8: "8 PCMA", 126: "96 telephone-event" });
    expect(clientAnswered(turns.a.exchange, parsed(elementSdp("in-answer"))).kind).toBe("refusal");
    expect(crossed(turns.a.exchange, "a", invite).kind).toBe("refusal");
    expect(crossed(newExchange(["PCMU"]), "a", invite).kind).toBe("refusal");
  });
});

describe("a trunk that leaves the offer to us", () => {
  test("gets what the client made of ours, and completes it", () => {
    const first = taken(described(newExchange(["PCMU", "G722"]), "a"));
    expect(first).toMatchObject({ kind: "offer", to: "a", direction: "sendrecv" });
    expect(numbers(first)).toBe("0 PCMU/8000, 9 G722/8000, 126 telephone-event/8000");
    const second = taken(clientAnswered(first.exchange, parsed(elementSdp("in-answer"))));
    expect(second).toMatchObject({ kind: "offer", to: "b" });
    expect(numbers(second)).toContain("0 PCMU/8000");
    const turn = trunkAnswered(second.exchange, parsed(gatewaySdp()));
    expect(turn.kind).toBe("settled");
    if (turn.kind !== "settled") return;
    expect(passing(turn.exchange, "a")).toMatchObject({ 0: "0 PCMU", 126: "101 telephone-event" });
    expect(passing(turn.exchange, "b")).toMatchObject({ 0: "0 PCMU", 101: "126 telephone-event" });
    expect(described(first.exchange, "a").kind).toBe("refusal");
  });

  test("inside a call is offered the codec in use alone, and keys even if the last peer took none", () => {
    const before = answered(["PCMU", "PCMA"], gatewaySdp({ formats: "8 0", lines: ["a=sendrecv"] }));
    const offer = taken(described(before, "b"));
    expect(numbers(offer)).toBe("8 PCMA/8000, 101 telephone-event/8000");
    const sdp = gatewaySdp({ formats: "8 97", lines: ["a=rtpmap:97 telephone-event/8000"], port: 50_004 });
    const turn = trunkAnswered(offer.exchange, parsed(sdp));
    if (turn.kind !== "settled") throw new Error(turn.kind);
    expect(passing(turn.exchange, "a")).toMatchObject({ 8: "8 PCMA", 126: "97 telephone-event" });
    expect(turn.exchange.agreed?.b.audio.port).toBe(50_004);
    expect(trunkAnswered(offer.exchange, parsed(gatewaySdp({ formats: "0" }))).kind).toBe("refusal");
  });
});

describe("two trunks", () => {
  const joined = (): Exchange =>
    exchangeOf({
      a: { kind: "trunk", codecs: ["PCMA", "PCMU"] },
      b: { kind: "trunk", codecs: ["PCMU", "PCMA"] },
    });
  const other = (words: Parameters<typeof gatewaySdp>[0] = {}): Description =>
    parsed(gatewaySdp({ formats: "8 0 96", lines: ["a=rtpmap:96 telephone-event/8000", "a=sendrecv"], ...words }));

  function talking(): Exchange {
    const first = taken(described(joined(), "b"));
    const second = taken(answeredBy(first.exchange, "b", parsed(gatewaySdp())));
    expect(second).toMatchObject({ kind: "offer", to: "a", direction: "sendrecv" });
    expect(numbers(second)).toBe("0 PCMU/8000, 101 telephone-event/8000");
    const turn = answeredBy(second.exchange, "a", other({ formats: "0 96" }));
    if (turn.kind !== "settled") throw new Error(turn.kind);
    return turn.exchange;
  }

  test("are brought together by our offer to the one and then to the other", () => {
    const exchange = talking();
    expect(passing(exchange, "b")).toMatchObject({ 0: "0 PCMU", 101: "96 telephone-event" });
    expect(passing(exchange, "a")).toMatchObject({ 0: "0 PCMU", 101: "101 telephone-event" });
  });

  test("are each told by their own numbers, also after the other was offered anew by us", () => {
    const offer = taken(described(talking(), "b"));
    const turn = answeredBy(offer.exchange, "b", parsed(gatewaySdp({ port: 50_006 })));
    if (turn.kind !== "settled") throw new Error(turn.kind);
    expect(passing(turn.exchange, "b")).toEqual({ 0: "0 PCMU", 101: "96 telephone-event" });
    expect(passing(turn.exchange, "a")).toMatchObject({ 0: "0 PCMU", 101: "101 telephone-event" });
  });

  test.each(["a", "b"] as const)("hear of the hold and of its end: %s holds", (end) => {
    const lines = ["a=rtpmap:101 telephone-event/8000"];
    const held = taken(offered(talking(), end, parsed(gatewaySdp({ lines: [...lines, "a=sendonly"] }))));
    expect(held).toMatchObject({ kind: "offer", to: end === "a" ? "b" : "a", direction: "sendonly" });
    if (held.kind !== "offer") return;
    const answer = taken(answeredBy(held.exchange, held.to, parsed(gatewaySdp({ lines: [...lines, "a=recvonly"] }))));
    expect(answer).toMatchObject({ kind: "answer", to: end, direction: "recvonly" });
    const refresh = taken(offered(answer.exchange, end, parsed(gatewaySdp({ lines: [...lines, "a=sendonly"] }))));
    expect(refresh).toMatchObject({ kind: "answer", to: end });
    const back = taken(offered(refresh.exchange, end, parsed(gatewaySdp())));
    expect(back).toMatchObject({ kind: "offer", direction: "sendrecv" });
  });
});

describe("a call from the trunk, with a client that lists more than one codec", () => {
  test("becomes an offer with a browser's numbers, and the client's answer goes back with the trunk's", () => {
    const offer = taken(
      trunkOffered(
        newExchange(["PCMA", "PCMU"]),
        parsed(gatewaySdp({ formats: "8 0 18 96", lines: ["a=rtpmap:96 telephone-event/8000"] })),
      ),
    );
    expect(offer).toMatchObject({ kind: "offer", to: "a", direction: "sendrecv" });
    expect(numbers(offer)).toBe("8 PCMA/8000, 0 PCMU/8000, 126 telephone-event/8000");
    const turn = taken(clientAnswered(offer.exchange, parsed(elementSdp("in-answer"))));
    expect(numbers(turn)).toBe("0 PCMU/8000, 96 telephone-event/8000");
    const { agreed } = turn.exchange;
    expect(agreed && crossings(agreed.passages, "b").get(96)?.payloadType).toBe(126);
  });
});

/** All that an engine of ours can, or nothing. */
const conversions = fc.constantFrom<readonly Conversion[]>(
  [],
  [
    { between: ["opus", "PCMU"], price: 3 },
    { between: ["opus", "PCMA"], price: 3 },
    { between: ["PCMA", "PCMU"], price: 1 },
  ],
);
const opus = "a=rtpmap:111 opus/48000/2";

test("whatever is offered in whatever order, only what both sides listed goes through, or can be made of it", () => {
  const names = fc.constantFrom("PCMU", "PCMA", "G722", "opus", "telephone-event", "red", "CN", "iLBC");
  const rate = fc.constantFrom(8000, 16_000, 48_000);
  const format = fc.record({
    payloadType: fc.nat(127),
    name: names,
    clockRate: rate,
    channels: fc.constantFrom(1, 2),
    parameters: fc.constant(""),
  });
  const list = fc.uniqueArray(format, { selector: (each) => each.payloadType, maxLength: 12 });
  fc.assert(
    fc.property(list, list, fc.constantFrom("a" as const, "b" as const), conversions, (a, b, leader, able) => {
      const passages = pairFormats({ a, b }, leader, able);
      for (const end of ["a", "b"] as const) {
        const listed = { a, b }[end];
        const other = { a: b, b: a }[end];
        for (const [number, crossing] of crossings(passages, end)) {
          const from = listed.find((each) => each.payloadType === number);
          const to = other.find((each) => each.payloadType === crossing.payloadType);
          expect(["PCMU", "PCMA", "G722", "opus", "telephone-event"]).toContain(from?.name);
          expect(crossing.converts?.from).toBe(from?.name === to?.name ? undefined : from?.name);
          if (crossing.converts !== undefined)
            expect(priceOf(able, from?.name ?? "", to?.name ?? "")).toBeGreaterThan(0);
          else if (from?.name !== "telephone-event") expect(from?.clockRate).toBe(to?.clockRate);
        }
      }
    }),
  );
});

test("whoever says what, and whenever: nobody is told what it has not listed, and what is refused changes nothing", () => {
  const side = fc.constantFrom("a" as const, "b" as const);
  const word = fc.record({
    do: fc.constantFrom("offer", "answer", "settle", "describe", "cross"),
    side,
    formats: fc.shuffledSubarray(["0", "8", "9", "18", "96", "101", "111"], { minLength: 1 }),
    direction: fc.constantFrom("sendrecv", "sendonly", "recvonly", "inactive"),
  });
  const client = fc.boolean();
  fc.assert(
    fc.property(client, fc.array(word, { maxLength: 12 }), conversions, (isClient, words, able) => {
      const codecs = ["PCMU", "PCMA", "G722"];
      let exchange = exchangeOf(
        {
          a: { kind: isClient ? "client" : "trunk", codecs: convertible(codecs, able) },
          b: { kind: "trunk", codecs },
        },
        able,
      );
      for (const { formats, direction, ...each } of words) {
        const lines = [
          "a=rtpmap:96 telephone-event/8000",
          "a=rtpmap:101 telephone-event/48000",
          opus,
          `a=${direction}`,
        ];
        const sdp = parsed(gatewaySdp({ formats: formats.join(" "), lines }));
        const before = exchange;
        const turn =
          each.do === "offer"
            ? offered(before, each.side, sdp)
            : each.do === "answer"
              ? answeredBy(before, each.side, sdp)
              : each.do === "settle"
                ? settled(before, each.side)
                : each.do === "describe"
                  ? described(before, each.side)
                  : crossed(before, "a", sdp);
        if (turn.kind === "refusal") continue;
        for (const said of turn.kind === "crossed" ? [turn.a, turn.b] : [turn]) {
          exchange = said.exchange;
          if (said.kind === "settled") continue;
          expect(said.formats.length).toBeGreaterThan(0);
          expect(said.formats[0]?.name).not.toBe("telephone-event");
          if (said.kind !== "answer") continue;
          const listed = said.offer.audio.formats.map(({ payloadType, name }) => `${payloadType} ${name}`);
          for (const { payloadType, name } of said.formats) expect(listed).toContain(`${payloadType} ${name}`);
        }
        const { agreed } = exchange;
        if (agreed === undefined) continue;
        expect(agreed.passages.length).toBeGreaterThan(0);
        for (const from of ["a", "b"] as const)
          expect([...crossingsWithDigits(agreed.passages, from, agreed.formats[from]).values()][0]?.isEvent).toBe(
            false,
          );
      }
    }),
  );
});

test("the trunk is never offered events alone", () => {
  const { formats } = parsed(gatewaySdp({ formats: "18 101" })).audio;
  expect(pairFormats({ a: formats, b: trunkCapability(["PCMU"]) }, "b", [])).toEqual([]);
});
