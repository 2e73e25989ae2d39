// Offers and answers in any order: what holds of all of them.
import fc from "fast-check";
import { expect, test } from "vitest";
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
  newExchange as exchangeOf,
  offered,
  settled,
} from "../../../src/core/sdp/exchange/exchange.ts";
import { gatewaySdp, parsed } from "./samples.ts";

/** All that an engine of ours can, or nothing. */
const conversions = fc.constantFrom<readonly Conversion[]>(
  [],
  [
    { between: ["opus", "PCMU"], price: 2 },
    { between: ["opus", "PCMA"], price: 2 },
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
