// The E-model against values that the ITU-T has published.
import fc from "fast-check";
import { expect, test } from "vitest";
import { delayImpairment, lossImpairment, opinionOf, ratingOf } from "../../../src/core/quality/e-model.ts";

test.each([
  // G.107, Annex B, table B.1, and the default of 93.2.
  [93.2, 4.41],
  [90, 4.34],
  [80, 4.03],
  [70, 3.6],
  [60, 3.1],
  [50, 2.58],
  [0, 1],
  [-5, 1],
  [100, 4.5],
  [120, 4.5],
])("R of %d is an opinion of %d", (rating, opinion) => {
  expect(Math.abs(opinionOf(rating) - opinion)).toBeLessThan(0.0075);
});

test.each([
  // Idd of G.107, 7-27, at powers of two, where it can be computed by hand.
  [0, 0],
  [100, 0],
  [200, 3.04],
  [400, 24.07],
])("a delay of %d ms costs %d", (delayMs, impairment) => {
  expect(delayImpairment(delayMs)).toBeCloseTo(impairment, 1);
});

test.each([
  // G.113, Appendix I: Bpl is the loss at which half of what is left is lost.
  [0, 0],
  [25.1, 47.5],
  [1, 3.64],
  [5, 15.78],
])("%d percent of G.711 lost and concealed costs %d", (lostPercent, impairment) => {
  expect(lossImpairment("PCMU", lostPercent)).toBeCloseTo(impairment, 1);
});

test("a good line is rated 93.2, and nothing is rated outside the scale or better for being worse", () => {
  expect(ratingOf({ codec: "PCMA", lostPercent: 0, delayMs: 40 })).toBe(93.2);
  const line = fc.record({
    codec: fc.constantFrom("PCMU", "G722", "opus", "unheard-of", undefined),
    lostPercent: fc.double({ min: -10, max: 200, noNaN: true }),
    delayMs: fc.double({ min: -10, max: 1e6, noNaN: true }),
  });
  fc.assert(
    fc.property(line, fc.double({ min: 0, max: 100, noNaN: true }), (one, more) => {
      const rating = ratingOf(one);
      expect(rating).toBeGreaterThanOrEqual(0);
      expect(rating).toBeLessThanOrEqual(93.2);
      expect(ratingOf({ ...one, lostPercent: one.lostPercent + more })).toBeLessThanOrEqual(rating);
      expect(ratingOf({ ...one, delayMs: one.delayMs + more })).toBeLessThanOrEqual(rating + 1e-9);
      expect(opinionOf(rating)).toBeGreaterThanOrEqual(1);
      expect(opinionOf(rating)).toBeLessThanOrEqual(4.5);
    }),
  );
});
