import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partsOf } from "../../../src/bridge/messages/message-parts.ts";

const length = (text: string): number => Array.from(text).length;
const withoutNumber = (part: string): string => part.replace(/^\(\d+\/\d+\) /, "");

describe("a text in parts", () => {
  it("that fits stays as it is, however many bytes its letters have", () => {
    expect(partsOf("😀".repeat(70), 70)).toEqual(["😀".repeat(70)]);
  });

  it("is broken at a space, and where there is none within the word", () => {
    expect(partsOf("alpha beta gamma delta", 20)).toEqual(["(1/2) alpha beta", "(2/2) gamma delta"]);
    expect(partsOf("a".repeat(30), 20)).toEqual(["(1/3) " + "a".repeat(12), "(2/3) " + "a".repeat(12), "(3/3) aaaaaa"]);
  });

  it("never breaks a letter", () => {
    const family = "👨‍👩‍👧‍👦";
    for (const part of partsOf(family.repeat(9), 30)) expect(withoutNumber(part).replaceAll(family, "")).toBe("");
  });

  it("holds all of it, numbered, and no part is too long", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 900 }), fc.integer({ min: 70, max: 400 }), (text, max) => {
        const parts = partsOf(text, max);
        if (parts.length === 1) {
          expect(parts).toEqual([text]);
          return;
        }
        for (const [index, part] of parts.entries()) {
          expect(length(part)).toBeLessThanOrEqual(max);
          expect(part.startsWith(`(${index + 1}/${parts.length}) `)).toBe(true);
        }
        const bare = (one: string): string => one.replaceAll(/\s/gu, "");
        expect(parts.map((part) => bare(withoutNumber(part))).join("")).toBe(bare(text));
      }),
    );
  });
});
