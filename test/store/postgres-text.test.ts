// PostgreSQL takes every text but NUL: what is stored instead of it is read back as it was.
import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../arbitraries/any-text.ts";
import { fromColumn, toColumn } from "../../src/store/postgres/text.ts";

const awkward = fc.string({ unit: fc.constantFrom("\0", "\uFFFF", "0", "1", "a", "📞") });

test("a text comes back as it went, and goes without NUL", () => {
  fc.assert(
    fc.property(fc.oneof(awkward, anyText()), (text) => {
      const column = String(toColumn(text));
      expect(column).not.toContain("\0");
      expect(fromColumn(column)).toBe(text);
    }),
  );
});

test("what is no text goes as it is", () => {
  expect([toColumn(1), toColumn(null), toColumn("plain")]).toEqual([1, null, "plain"]);
});
