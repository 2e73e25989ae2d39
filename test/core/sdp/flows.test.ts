// What passes where the peer at one end hears another codec than was agreed, and what of it a call's record says.
import { describe, expect, test } from "vitest";
import { answered, newExchange, offered } from "../../../src/core/sdp/exchange/exchange.ts";
import { callPrice, waysPrice } from "../../../src/core/sdp/exchange/conversion.ts";
import { codecStats, flowsOf, heardIn, type Flows } from "../../../src/core/sdp/exchange/flows.ts";
import { offeredCodecs } from "../../../src/core/sdp/format.ts";
import { gatewaySdp, parsed } from "./samples.ts";
import { taken } from "./turns.ts";

const conversions = [
  { between: ["PCMA", "PCMU"], price: 1 },
  { between: ["opus", "PCMA"], price: 2 },
  { between: ["opus", "PCMU"], price: 2 },
] as const;
const [pcmu, pcma, opus] = offeredCodecs(["PCMU", "PCMA", "opus"]);
const codecs = ["PCMU", "PCMA", "opus"];
const opusAlone = parsed(gatewaySdp({ formats: "111", lines: ["a=rtpmap:111 opus/48000/2", "a=sendrecv"] }));
const telephone = (formats: string): string =>
  gatewaySdp({ formats: `${formats} 101`, lines: ["a=rtpmap:96 opus/48000/2", "a=rtpmap:101 telephone-event/8000"] });

/** Between a peer at `a` that has agreed on Opus, and a telephone at `b`. */
function talk(formats: string): Flows {
  const ends = { a: { kind: "client", codecs: ["opus"] }, b: { kind: "trunk", codecs } } as const;
  const offer = taken(offered(newExchange(ends, conversions), "a", opusAlone));
  const { agreed } = taken(answered(offer.exchange, "b", parsed(telephone(formats)))).exchange;
  if (agreed === undefined) throw new Error("not agreed");
  return flowsOf(agreed, { formats: { a: offeredCodecs(["PCMU", "PCMA"]) }, conversions });
}

const hearing = (formats: string, format = pcmu): Flows => {
  if (format === undefined) throw new Error("no such codec");
  return heardIn(talk(formats), "a", format);
};
const price = ({ ways }: Flows): number | undefined => ways && waysPrice(conversions, [ways.a, ways.b]);

describe("a telephone whose own codec is heard", () => {
  test("passes as it came, and only what it hears is converted", () => {
    const flows = hearing("0");
    expect(flows.b.crossings.get(0)).toMatchObject({
      payloadType: 0,
      name: "PCMU",
      toClockRate: 8000,
      converts: undefined,
    });
    expect(flows.a.crossings.get(111)).toMatchObject({ payloadType: 0, converts: { from: "opus" } });
    expect(codecStats(flows)).toEqual({ codec: "PCMU", converted: { a: "opus", b: "PCMU", only: "a" } });
  });

  test("is no audio when it presses keys", () => {
    expect(hearing("0").b.crossings.get(101)).toEqual(talk("0").b.crossings.get(101));
  });

  test("costs half of what the two conversions cost", () => {
    expect([price(talk("0")), price(hearing("0")), price(hearing("8"))]).toEqual([2, 1.5, 1.5]);
    expect(price(talk("0"))).toBe(callPrice(conversions, { a: "opus", b: "PCMU" }));
    expect(price(talk("96"))).toBe(1);
  });
});

test("the other kind of G.711 is turned into the one that is heard", () => {
  const flows = hearing("8");
  expect(flows.b.crossings.get(8)).toMatchObject({ payloadType: 0, name: "PCMU", converts: { from: "PCMA" } });
  expect(codecStats(flows)).toEqual({ codec: "PCMA", converted: { a: "opus", b: "PCMA" } });
});

test("a telephone that has changed to Opus is turned into what is heard, one way alone", () => {
  const flows = hearing("96");
  expect(flows.b.crossings.get(111)).toMatchObject({ payloadType: 0, name: "PCMU", converts: { from: "opus" } });
  expect(codecStats(flows)).toEqual({ codec: "opus", converted: { a: "PCMU", b: "opus", only: "b" } });
  expect(price(flows)).toBe(1.5);
});

test("where Opus is heard, as it was agreed, nothing changes", () => {
  expect(hearing("0", opus)).toEqual(talk("0"));
  expect(codecStats(talk("0"))).toEqual({ codec: "PCMU", converted: { a: "opus", b: "PCMU" } });
  expect(codecStats(talk("96"))).toEqual({ codec: "opus" });
});

describe("what an end speaks that was not asked", () => {
  test("goes on as it is to a telephone that has the same, and is turned for others", () => {
    expect(talk("0").a.crossings.get(0)).toMatchObject({ payloadType: 0, converts: undefined });
    expect(talk("0").a.crossings.get(8)).toMatchObject({ payloadType: 0, converts: { from: "PCMA" } });
    expect(talk("96").a.crossings.get(8)).toMatchObject({ payloadType: 96, converts: { from: "PCMA" } });
    expect(pcma?.payloadType).toBe(8);
  });

  test("ends here where nothing may be converted", () => {
    const ends = { a: { kind: "client", codecs: ["opus"] }, b: { kind: "trunk", codecs } } as const;
    const offer = taken(offered(newExchange(ends), "a", opusAlone));
    const { agreed } = taken(answered(offer.exchange, "b", parsed(telephone("96")))).exchange;
    if (agreed === undefined) throw new Error("not agreed");
    const flows = flowsOf(agreed, { formats: { a: offeredCodecs(["PCMU", "PCMA"]) }, conversions: [] });
    expect([...flows.a.crossings.keys()]).toEqual([111]);
  });
});
