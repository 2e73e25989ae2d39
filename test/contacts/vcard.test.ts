// Address books as telephones and programs export them.
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readVcards } from "../../src/contacts/vcard.ts";

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0]).toString("base64");
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0]).toString("base64");

function card(...lines: readonly string[]): string {
  return ["BEGIN:VCARD", ...lines, "END:VCARD", ""].join("\r\n");
}

function only(...lines: readonly string[]) {
  return readVcards(card(...lines))?.contacts[0];
}

describe("a card gives its name and numbers", () => {
  test("in version 4.0", () => {
    const read = only(
      "VERSION:4.0",
      "FN:Ilex\\, Ltd",
      'TEL;VALUE=uri;TYPE="voice,work":tel:+44-1632-960106;ext=12',
      "TEL:01632 960107",
    );
    expect(read).toEqual({ name: "Ilex, Ltd", numbers: ["+44-1632-960106", "01632 960107"], picture: undefined });
  });

  test("in version 3.0, with groups and folded lines", () => {
    const read = only("VERSION:3.0", "FN:Dr John", "  Watson", "item1.TEL;type=CELL;type=pref:+44 1632 960106");
    expect(read).toEqual({ name: "Dr John Watson", numbers: ["+44 1632 960106"], picture: undefined });
  });

  test("in version 2.1, with quoted-printable text and bare types", () => {
    const read = only(
      "VERSION:2.1",
      "FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=A4ne =",
      "D=6Fe",
      "TEL;CELL;PREF:01632960109",
    );
    expect(read).toEqual({ name: "Jäne Doe", numbers: ["01632960109"], picture: undefined });
  });

  test("by its parts, or its firm, where there is no full name", () => {
    expect(only("VERSION:3.0", "N:Doe;Jane;;;", "TEL:2001")?.name).toBe("Jane Doe");
    expect(only("VERSION:3.0", "ORG:Ilex;Sales", "TEL:2001")?.name).toBe("Ilex Sales");
  });

  test("in one line, without what turns text round", () => {
    expect(only("VERSION:4.0", "FN:Ilex\\nLtd\u202Etxt", "TEL:2001")?.name).toBe("Ilex Ltd txt");
  });

  test("with its semicolons, emoji and joined letters as they were typed", () => {
    expect(only("VERSION:3.0", "FN:Smith\\; Sons", "TEL:2001")?.name).toBe("Smith; Sons");
    expect(only("VERSION:3.0", "FN:👨\u200D👩\u200D👧 Mum", "TEL:2001")?.name).toBe("👨\u200D👩\u200D👧 Mum");
  });

  test("without the empty fields that programs leave", () => {
    expect(only("VERSION:3.0", "FN:Ilex", "TEL;TYPE=HOME:", "TEL:2001")?.numbers).toEqual(["2001"]);
    expect(readVcards(card("FN:Ilex", "TEL:"))).toEqual({
      contacts: [],
      problems: ["card 1: it has no number (TEL)"],
    });
  });
});

test("the first card is read also behind a byte order mark", () => {
  expect(readVcards(`\uFEFF${card("FN:Ilex", "TEL:2001")}`)?.contacts).toHaveLength(1);
});

describe("a picture", () => {
  test.each([
    ["of 4.0", `PHOTO:data:image/png;base64,${png}`, "image/png"],
    ["of 3.0", `PHOTO;ENCODING=b;TYPE=JPEG:${jpeg}`, "image/jpeg"],
    ["of 2.1", `PHOTO;JPEG;ENCODING=BASE64:${jpeg}`, "image/jpeg"],
  ])("%s is read", (_which, line, type) => {
    expect(only("VERSION:3.0", "FN:Ilex", "TEL:2001", line)?.picture?.type).toBe(type);
  });

  test.each([
    ["at an address is never fetched", "PHOTO;VALUE=uri:https://example.org/face.png"],
    ["in a file is never opened", "PHOTO;VALUE=uri:file:///etc/passwd"],
    ["that is a page is none", `PHOTO:data:image/png;base64,${Buffer.from("<html>hello hello").toString("base64")}`],
    [
      "of more than a megabyte is none",
      `PHOTO;ENCODING=b:${Buffer.concat([Buffer.from(png, "base64"), Buffer.alloc(1_000_001)]).toString("base64")}`,
    ],
  ])("%s", (_what, line) => {
    expect(only("VERSION:4.0", "FN:Ilex", "TEL:2001", line)).toEqual({
      name: "Ilex",
      numbers: ["2001"],
      picture: undefined,
    });
  });
});

describe("a bad card", () => {
  test("is left out, and the others are read", () => {
    const text = card("VERSION:4.0", "FN:No number") + card("TEL:2001") + card("FN:Ilex", "TEL:2002", "???", "X;;:");
    expect(readVcards(text)).toMatchObject({
      contacts: [{ name: "Ilex", numbers: ["2002"] }],
      problems: ["card 1: it has no number (TEL)", "card 2: it has no name (FN)"],
    });
  });

  test("is no reason to throw, whatever is in it", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.string(), fc.constantFrom("FN:a", "TEL;", "PHOTO:", "N:;;"))), (lines) => {
        expect(() => readVcards(card(...lines))).not.toThrow();
      }),
    );
  });

  test("a file without any card is no vCard file", () => {
    expect(readVcards("name,number\nIlex,2001\n")).toBeUndefined();
  });
});
