// Offer and answer where the trunk begins, or both ends are trunks.
import { describe, expect, test } from "vitest";
import { crossings, crossingsWithDigits } from "../../../src/core/sdp/exchange/agreement.ts";
import {
  answered as answeredBy,
  crossed,
  described,
  digitFormat,
  newExchange as exchangeOf,
  offered,
} from "../../../src/core/sdp/exchange/exchange.ts";
import type { Exchange } from "../../../src/core/sdp/exchange/turn.ts";
import type { MediaEnd } from "../../../src/core/media-end.ts";
import type { Description } from "../../../src/core/sdp/description.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";
import { invite, newExchange, trunkOffered, clientAnswered, trunkAnswered, taken, numbers, answered } from "./turns.ts";

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
