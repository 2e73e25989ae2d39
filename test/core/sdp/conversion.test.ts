// Offers and answers where the two ends share no codec, and the engine can turn one into the other.
import { describe, expect, test } from "vitest";
import { crossings } from "../../../src/core/sdp/exchange/agreement.ts";
import { convertible, type Conversion } from "../../../src/core/sdp/exchange/conversion.ts";
import {
  answered,
  described,
  digitFormat,
  newExchange,
  offered,
  untold,
} from "../../../src/core/sdp/exchange/exchange.ts";
import { flowsOf } from "../../../src/core/sdp/exchange/flows.ts";
import type { AnswerTurn, Exchange, OfferTurn, Refusal, Turn } from "../../../src/core/sdp/exchange/turn.ts";
import { elementSdp, gatewaySdp, parsed } from "./samples.ts";

const able: readonly Conversion[] = [
  { between: ["PCMA", "PCMU"], price: 1 },
  { between: ["opus", "PCMA"], price: 2 },
  { between: ["opus", "PCMU"], price: 2 },
  { between: ["G722", "PCMA"], price: 2 },
  { between: ["G722", "PCMU"], price: 2 },
  { between: ["opus", "G722"], price: 4 },
];

function call(codecs: readonly string[], conversions = able): Exchange {
  const client = { kind: "client" as const, codecs: convertible(codecs, conversions) };
  return newExchange({ a: client, b: { kind: "trunk", codecs } }, conversions);
}

function taken(turn: Turn | Refusal): OfferTurn | AnswerTurn {
  if (turn.kind === "refusal") throw new Error(turn.message);
  if (turn.kind === "settled") throw new Error("nothing to write");
  return turn;
}

const names = (turn: OfferTurn | AnswerTurn): string =>
  turn.formats.map(({ payloadType, name, clockRate }) => `${payloadType} ${name}/${clockRate}`).join(", ");

const opusAlone = parsed(
  gatewaySdp({
    formats: "96 97",
    lines: ["a=rtpmap:96 opus/48000/2", "a=fmtp:96 useinbandfec=1", "a=rtpmap:97 telephone-event/48000", "a=ptime:60"],
  }),
);
const g711Alone = parsed(gatewaySdp({ formats: "8 101" }));
const usual = ["PCMA", "PCMU", "G722", "opus"];

describe("a client that has Opus alone", () => {
  test("calls: the trunk is offered Opus first, then what can be made of it, and events in both clocks", () => {
    const turn = taken(offered(call(usual), "a", opusAlone));
    expect(names(turn)).toBe(
      "111 opus/48000, 8 PCMA/8000, 0 PCMU/8000, 9 G722/8000, 102 telephone-event/48000, 101 telephone-event/8000",
    );
  });

  test("is answered its own codec when the trunk takes the other, with what is worth sending", () => {
    const offer = taken(offered(call(usual), "a", opusAlone));
    const turn = taken(answered(offer.exchange, "b", g711Alone));
    expect(names(turn)).toBe("96 opus/48000, 97 telephone-event/48000");
    expect(turn.formats[0]?.parameters).toBe("maxplaybackrate=8000;sprop-maxcapturerate=8000;useinbandfec=1");
    const { agreed } = turn.exchange;
    if (agreed === undefined) throw new Error("not agreed");
    expect(flowsOf(agreed)).toMatchObject({ codecs: { a: "opus", b: "PCMA" } });
    expect(crossings(agreed.passages, "a", 20).get(96)).toMatchObject({
      payloadType: 8,
      converts: { from: "opus", wishes: "", ptimeMs: 20 },
    });
    expect(flowsOf(agreed).b.crossings.get(8)).toMatchObject({
      payloadType: 96,
      fromClockRate: 8000,
      toClockRate: 48_000,
      converts: { from: "PCMA", wishes: "useinbandfec=1", ptimeMs: 60 },
    });
    expect(flowsOf(agreed).a.crossings.get(97)).toMatchObject({
      payloadType: 101,
      fromClockRate: 48_000,
      toClockRate: 8000,
    });
    expect([digitFormat(agreed, "a")?.clockRate, digitFormat(agreed, "b")?.clockRate]).toEqual([48_000, 8000]);
  });

  test("is answered as it offered where the trunk has Opus too", () => {
    const offer = taken(offered(call(usual), "a", opusAlone));
    const both = gatewaySdp({
      formats: "8 111 101",
      lines: ["a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"],
    });
    const turn = taken(answered(offer.exchange, "b", parsed(both)));
    expect(turn.exchange.agreed && flowsOf(turn.exchange.agreed).codecs).toEqual({ a: "opus", b: "opus" });
  });

  test("is called and may say digits in either clock", () => {
    const offer = taken(offered(call(["PCMA"]), "b", g711Alone));
    const lines = [
      "a=rtpmap:111 opus/48000/2",
      "a=rtpmap:126 telephone-event/8000",
      "a=rtpmap:110 telephone-event/48000",
    ];
    const turn = taken(answered(offer.exchange, "a", parsed(gatewaySdp({ formats: "111 126 110", lines }))));
    expect(names(turn)).toBe("8 PCMA/8000, 101 telephone-event/8000");
    const { agreed } = turn.exchange;
    if (agreed === undefined) throw new Error("not agreed");
    for (const [number, fromClockRate] of [
      [110, 48_000],
      [126, 8000],
    ] as const)
      expect(flowsOf(agreed).a.crossings.get(number)).toMatchObject({
        payloadType: 101,
        fromClockRate,
        toClockRate: 8000,
      });
    expect(flowsOf(agreed).b.crossings.get(101)).toMatchObject({ payloadType: 110, toClockRate: 48_000 });
    expect(flowsOf(agreed).a.digits).toEqual({ payloadType: 110, clockRate: 48_000 });
  });

  test("is called: it is offered the call once more, for digits in the clock of Opus alone, and then no more", () => {
    const offer = taken(offered(call(["PCMA"]), "b", g711Alone));
    const lines = [
      "a=rtpmap:111 opus/48000/2",
      "a=rtpmap:126 telephone-event/8000",
      "a=rtpmap:110 telephone-event/48000",
    ];
    const { exchange } = taken(answered(offer.exchange, "a", parsed(gatewaySdp({ formats: "111 126 110", lines }))));
    expect(untold(exchange)).toBe("sendrecv");
    const again = taken(described(exchange, "a"));
    expect(names(again)).toBe("111 opus/48000, 110 telephone-event/48000");
    const after = answered(again.exchange, "a", parsed(gatewaySdp({ formats: "111 110", lines })));
    if (after.kind !== "settled") throw new Error(after.kind);
    expect(untold(after.exchange)).toBeUndefined();
    expect(after.exchange.agreed && flowsOf(after.exchange.agreed).codecs).toEqual({ a: "opus", b: "PCMA" });
    // Whatever it is offered later keeps to that.
    const held = taken(offered(after.exchange, "b", parsed(gatewaySdp({ formats: "8 101", lines: ["a=sendonly"] }))));
    expect(untold(held.exchange)).toBe("sendonly");
    expect(names(taken(described(held.exchange, "a")))).toBe("111 opus/48000, 110 telephone-event/48000");
  });

  test("hears a trunk that has answered with Opus and A-law, whichever of them it speaks", () => {
    const offer = taken(offered(call(usual), "a", opusAlone));
    const lines = ["a=rtpmap:111 opus/48000/2", "a=rtpmap:101 telephone-event/8000"];
    const { agreed } = taken(
      answered(offer.exchange, "b", parsed(gatewaySdp({ formats: "8 111 101", lines }))),
    ).exchange;
    if (agreed === undefined) throw new Error("not agreed");
    expect(flowsOf(agreed).codecs).toEqual({ a: "opus", b: "opus" });
    expect(flowsOf(agreed).a.crossings.get(96)).toMatchObject({ payloadType: 111, converts: undefined });
    expect(flowsOf(agreed).b.crossings.get(111)).toMatchObject({ payloadType: 96, converts: undefined });
    expect(flowsOf(agreed).b.crossings.get(8)).toMatchObject({ payloadType: 96, converts: { from: "PCMA" } });
  });

  test("talks in wideband with a trunk that has G.722 alone", () => {
    const offer = taken(offered(call(["G722"]), "a", opusAlone));
    expect(names(offer)).toBe("9 G722/8000, 101 telephone-event/8000");
    const turn = taken(answered(offer.exchange, "b", parsed(gatewaySdp({ formats: "9 101" }))));
    expect(turn.formats[0]?.parameters).toBe("maxplaybackrate=16000;sprop-maxcapturerate=16000;useinbandfec=1");
    expect(turn.exchange.agreed && flowsOf(turn.exchange.agreed).codecs).toEqual({ a: "opus", b: "G722" });
  });

  test.each([
    [["G722", "PCMA", "opus"], "111 opus/48000, 9 G722/8000, 8 PCMA/8000", "9 8 101", "G722"],
    [["PCMA", "G722"], "8 PCMA/8000, 9 G722/8000", "8 9 101", "PCMA"],
    [["PCMA", "G722"], "8 PCMA/8000, 9 G722/8000", "9 8 101", "G722"],
    [["opus", "PCMA", "G722"], "111 opus/48000, 8 PCMA/8000, 9 G722/8000", "9 101", "G722"],
  ] as const)(
    "with a trunk that has G.722 and G.711 talks as its list would have it: %j",
    (codecs, listed, answer, codec) => {
      const offer = taken(offered(call(codecs), "a", opusAlone));
      expect(names(offer).startsWith(listed)).toBe(true);
      const turn = taken(answered(offer.exchange, "b", parsed(gatewaySdp({ formats: answer }))));
      expect(turn.exchange.agreed && flowsOf(turn.exchange.agreed).codecs).toEqual({ a: "opus", b: codec });
    },
  );

  test.each([
    ["9 8 0 101", "9 G722/8000", 16_000],
    ["8 9 0 101", "8 PCMA/8000", 8000],
  ])("is called by a trunk that offers %s, and talks as that prefers", (formats, answer, rate) => {
    const offer = taken(offered(call(usual), "b", parsed(gatewaySdp({ formats }))));
    expect(offer.formats.find(({ name }) => name === "opus")?.parameters).toMatch(`maxplaybackrate=${rate};`);
    const turn = taken(answered(offer.exchange, "a", opusAlone));
    expect(names(turn)).toBe(`${answer}, 101 telephone-event/8000`);
  });

  test("is called by a trunk that has G.722 alone", () => {
    const offer = taken(offered(call(["G722"]), "b", parsed(gatewaySdp({ formats: "9 101" }))));
    expect(names(offer)).toMatch(/^9 G722\/8000, 111 opus\/48000, 126 /);
    const turn = taken(answered(offer.exchange, "a", opusAlone));
    expect(turn.exchange.agreed && flowsOf(turn.exchange.agreed).codecs).toEqual({ a: "opus", b: "G722" });
  });

  test("is called: it is offered the trunk's codec first, then Opus", () => {
    const offer = taken(offered(call(["PCMA"]), "b", g711Alone));
    expect(names(offer)).toBe("8 PCMA/8000, 111 opus/48000, 126 telephone-event/8000, 110 telephone-event/48000");
    const turn = taken(answered(offer.exchange, "a", opusAlone));
    expect(names(turn)).toBe("8 PCMA/8000, 101 telephone-event/8000");
    const { agreed } = turn.exchange;
    expect(agreed && crossings(agreed.passages, "a").get(111)).toMatchObject({
      payloadType: 8,
      converts: { from: "opus" },
    });
  });

  test("keeps its codec when the trunk changes its own in the call, and gives it up for one in common", () => {
    const offer = taken(offered(call(usual), "a", opusAlone));
    const { exchange } = taken(answered(offer.exchange, "b", g711Alone));
    const other = taken(offered(exchange, "b", parsed(gatewaySdp({ formats: "0 101" }))));
    expect(other).toMatchObject({ kind: "answer", to: "b" });
    expect(other.exchange.agreed && flowsOf(other.exchange.agreed).codecs).toEqual({ a: "opus", b: "PCMU" });
    const back = taken(offered(exchange, "a", parsed(elementSdp("out-invite"))));
    expect(back).toMatchObject({ kind: "answer", to: "a" });
    expect(back.exchange.agreed && flowsOf(back.exchange.agreed).codecs).toEqual({ a: "PCMA", b: "PCMA" });
  });

  test("leaves its trunk to another client, which may have what the trunk speaks", () => {
    const offer = taken(offered(call(usual), "a", opusAlone));
    const { exchange } = taken(answered(offer.exchange, "b", g711Alone));
    expect(names(taken(described(exchange, "b")))).toMatch(/^111 opus\/48000, 8 PCMA\/8000, /);
  });

  test("is refused where nothing may be converted", () => {
    expect(offered(call(["PCMA"], []), "a", opusAlone)).toMatchObject({ kind: "refusal", fault: "no-common-codec" });
  });
});

test("nothing is converted where the ends have a codec in common, and none is offered for it", () => {
  const offer = taken(offered(call(["PCMA"]), "a", parsed(elementSdp("out-invite"))));
  expect(names(offer)).toBe("8 PCMA/8000, 101 telephone-event/8000");
  const { agreed } = taken(answered(offer.exchange, "b", g711Alone)).exchange;
  expect(agreed && flowsOf(agreed).codecs).toEqual({ a: "PCMA", b: "PCMA" });
});

test("a browser that answers with Opus as well may speak it, although the trunk's codec is taken", () => {
  const offer = taken(offered(call(["PCMA"]), "b", g711Alone));
  const lines = ["a=rtpmap:111 opus/48000/2", "a=rtpmap:126 telephone-event/8000"];
  const turn = taken(answered(offer.exchange, "a", parsed(gatewaySdp({ formats: "111 8 126", lines }))));
  expect(names(turn)).toBe("8 PCMA/8000, 101 telephone-event/8000");
  const { agreed } = turn.exchange;
  if (agreed === undefined) throw new Error("not agreed");
  expect(flowsOf(agreed).codecs).toEqual({ a: "PCMA", b: "PCMA" });
  expect(flowsOf(agreed).a.crossings.get(111)).toMatchObject({ payloadType: 8, converts: { from: "opus" } });
  expect(flowsOf(agreed).b.crossings.get(8)).toMatchObject({ payloadType: 8, converts: undefined });
});

test("a browser that speaks Opus with a trunk that has it too, and could say digits in both clocks, is heard in either and asked for one", () => {
  const both = gatewaySdp({
    formats: "111 8 102 101",
    lines: ["a=rtpmap:111 opus/48000/2", "a=rtpmap:102 telephone-event/48000", "a=rtpmap:101 telephone-event/8000"],
  });
  const offer = taken(offered(call(["opus", "PCMA"]), "b", parsed(both)));
  expect(names(offer)).toMatch(/^111 opus\/48000, 8 PCMA\/8000, /);
  const lines = [
    "a=rtpmap:111 opus/48000/2",
    "a=rtpmap:110 telephone-event/48000",
    "a=rtpmap:126 telephone-event/8000",
  ];
  const { exchange } = taken(answered(offer.exchange, "a", parsed(gatewaySdp({ formats: "111 8 110 126", lines }))));
  expect(exchange.agreed && flowsOf(exchange.agreed).a.crossings.get(126)).toMatchObject({
    payloadType: 102,
    fromClockRate: 8000,
    toClockRate: 48_000,
  });
  expect(untold(exchange)).toBe("sendrecv");
  expect(names(taken(described(exchange, "a")))).toBe("111 opus/48000, 110 telephone-event/48000");
});

test("a browser that speaks the trunk's G.711 is asked nothing more", () => {
  const offer = taken(offered(call(["PCMA"]), "b", g711Alone));
  const lines = [
    "a=rtpmap:111 opus/48000/2",
    "a=rtpmap:126 telephone-event/8000",
    "a=rtpmap:110 telephone-event/48000",
  ];
  const { exchange } = taken(answered(offer.exchange, "a", parsed(gatewaySdp({ formats: "8 111 126 110", lines }))));
  expect(untold(exchange)).toBeUndefined();
});

test("a trunk that changes its codec is not converted for a client that has the new one: that is asked", () => {
  const offer = taken(offered(call(usual), "a", parsed(elementSdp("out-invite"))));
  const { exchange } = taken(answered(offer.exchange, "b", g711Alone));
  const turn = taken(offered(exchange, "b", parsed(gatewaySdp({ formats: "0 101" }))));
  expect(turn).toMatchObject({ kind: "offer", to: "a" });
  expect(turn.formats[0]?.name).toBe("PCMU");
});

test("a client with A-law alone and a trunk that prefers G.722 to u-law talk by the cheaper conversion: neither gains", () => {
  const offer = taken(offered(call(["G722", "PCMU"]), "a", g711Alone));
  expect(names(offer)).toBe("0 PCMU/8000, 9 G722/8000, 101 telephone-event/8000");
});

test("between two trunks the cheapest way is taken", () => {
  const ends = {
    a: { kind: "trunk" as const, codecs: ["opus", "PCMU"] },
    b: { kind: "trunk" as const, codecs: ["PCMA"] },
  };
  const first = taken(described(newExchange(ends, able), "b"));
  const second = taken(answered(first.exchange, "b", parsed(gatewaySdp({ formats: "8" }))));
  expect(names(second)).toMatch(/^0 PCMU\/8000, 111 opus\/48000/);
  const both = gatewaySdp({ formats: "111 0", lines: ["a=rtpmap:111 opus/48000/2"] });
  const last = answered(second.exchange, "a", parsed(both));
  if (last.kind !== "settled") throw new Error(last.kind);
  expect(last.exchange.agreed && flowsOf(last.exchange.agreed).codecs).toEqual({ a: "PCMU", b: "PCMA" });
});
