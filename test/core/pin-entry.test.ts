// A PIN entered by keys: what ends it, what takes it back, and that chance finds no way around it.
import fc from "fast-check";
import { expect, test } from "vitest";
import { pinName } from "../../src/core/ids.ts";
import {
  isSamePin,
  mostTries,
  nothingEntered,
  press,
  tryAgain,
  type KeyWay,
  type PinEntry,
} from "../../src/core/pin-entry.ts";

const terms = { name: pinName("inbound.numbers[0].pin"), length: 4 };

/** What is compared, one after the other, until there have been too many. */
function compared(keys: string, way: KeyWay = "rtp"): readonly string[] {
  const seen: string[] = [];
  let entry: PinEntry | undefined = nothingEntered;
  for (const key of keys) {
    if (entry === undefined) return seen;
    const pressed = press(entry, key, way, terms);
    ({ entry } = pressed);
    if (pressed.kind !== "complete") continue;
    seen.push(entry.keys);
    entry = tryAgain(entry);
  }
  return seen;
}

test.each([
  ["1234", ["1234"]],
  ["12#", ["12"]],
  ["12*5678", ["5678"]],
  ["##1#", ["1"]],
  ["1A2B3C4D", ["1234"]],
  ["12345678901234", ["1234", "5678", "9012"]],
  ["1#2#3#4#5#", ["1", "2", "3"]],
  ["123", []],
])("of %s is compared %j", (keys, seen) => {
  expect(compared(keys)).toEqual(seen);
});

test("a telephone is believed in the way in which it said its first key, through all tries", () => {
  const first = press(nothingEntered, "1", "info", terms).entry;
  expect(press(first, "2", "rtp", terms)).toEqual({ kind: "ignored", entry: first });
  const second = tryAgain(first);
  if (second === undefined) throw new Error("one try was all");
  expect(press(second, "2", "rtp", terms).kind).toBe("ignored");
  expect(press(second, "2", "info", terms).kind).toBe("going-on");
});

test("whatever is pressed, three PINs are compared at most, none longer than the right one, all of digits", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(...Array.from("0123456789*#ABCD")), maxLength: 60 }), (keys) => {
      const seen = compared(keys);
      expect(seen.length).toBeLessThanOrEqual(mostTries);
      for (const one of seen) expect(one).toMatch(/^[0-9]{1,4}$/);
      // Nothing is compared that was not pressed in that order.
      let at = 0;
      for (const key of seen.join("")) {
        at = keys.indexOf(key, at) + 1;
        expect(at).toBeGreaterThan(0);
      }
    }),
  );
});

test("two PINs are the same where all their digits are", () => {
  const digits = fc.string({ unit: fc.constantFrom("0", "1", "2"), maxLength: 12 });
  fc.assert(fc.property(digits, digits, (one, other) => isSamePin(one, other) === (one === other)));
  fc.assert(fc.property(digits, (one) => isSamePin(one, one)));
});
