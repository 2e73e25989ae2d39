// Payload types that have a meaning in a dialog keep it (RFC 3264 s8.3.2).
import { expect, test } from "vitest";
import { described, newExchange } from "../../../src/core/sdp/exchange/exchange.ts";
import type { Format } from "../../../src/core/sdp/format.ts";

function format(payloadType: number, name: string, clockRate: number, channels = 1): Format {
  return { payloadType, name, clockRate, channels, parameters: "" };
}

test("an offer in a dialog that had another session uses its numbers, and none of them for anything else", () => {
  const numbers = [
    format(0, "PCMU", 8000),
    format(96, "telephone-event", 8000),
    format(111, "telephone-event", 48_000),
  ];
  const trunk = { kind: "trunk", codecs: ["PCMU", "opus"], numbers } as const;
  const turn = described(newExchange({ a: { kind: "client", codecs: ["PCMU"] }, b: trunk }), "b");
  expect(turn).toMatchObject({ kind: "offer" });
  const said =
    turn.kind === "offer" ? turn.formats.map(({ payloadType, name, clockRate }) => [payloadType, name, clockRate]) : [];
  expect(said).toContainEqual([96, "telephone-event", 8000]);
  expect(said).toContainEqual([111, "telephone-event", 48_000]);
  // 111 is what opus has in our offers elsewhere.
  expect(said).toContainEqual([97, "opus", 48_000]);
  expect(new Set(said.map(([number]) => number)).size).toBe(said.length);
});
