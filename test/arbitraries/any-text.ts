// Text of any characters, as properties and mutants need it. fast-check's own `unit: "binary"` draws the same, but first
// makes a table of all characters: more than a second for each file of tests that uses it.
import fc from "fast-check";

const [surrogates, surrogateCount, scalars] = [0xd800, 0x800, 0x11_0000 - 0x800];

/** Any Unicode scalar value. */
const character = fc.nat({ max: scalars - 1 }).map(
  (index) => String.fromCodePoint(index < surrogates ? index : index + surrogateCount),
  (text) => {
    const point = typeof text === "string" ? text.codePointAt(0) : undefined;
    if (point === undefined || text !== String.fromCodePoint(point)) throw new TypeError("not one character");
    return point < surrogates ? point : point - surrogateCount;
  },
);

export const anyText = (constraints: { readonly maxLength?: number } = {}): fc.Arbitrary<string> =>
  fc.string({ unit: character, ...constraints });
