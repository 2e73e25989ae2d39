// Contacts out of files that people change while the bridge runs.
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inflateSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { FileContactBook } from "../../src/contacts/contact-book.ts";
import { pictureOf } from "../../src/contacts/picture.ts";
import { telephonePicture } from "../../src/contacts/telephone-picture.ts";
import { FakeTelemetry } from "../fakes/telemetry.ts";

const folder = mkdtempSync(join(tmpdir(), "contacts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const card = (name: string): string => `BEGIN:VCARD\nVERSION:4.0\nFN:${name}\nTEL:2001\nEND:VCARD\n`;

function open(vcard: string, picture?: string) {
  const telemetry = new FakeTelemetry();
  const entries = [{ name: "By hand", numbers: ["2002"], picture }];
  const book = new FileContactBook({ vcard, entries, lookEveryMs: 20, log: telemetry.log });
  const changes: string[] = [];
  book.onChange(() => changes.push("changed"));
  book.start();
  const names = (): readonly string[] => book.contacts().map(({ name }) => name);
  return { book, names, lines: telemetry.lines, changes };
}

test("a file that is replaced is read again; one that is spoilt leaves the contacts, and the log says why", async () => {
  const file = join(folder, "contacts.vcf");
  writeFileSync(file, card("Before"));
  const { book, names, lines } = open(file);
  try {
    expect(names()).toEqual(["By hand", "Before"]);
    writeFileSync(`${file}.new`, card("After all"));
    renameSync(`${file}.new`, file);
    await expect.poll(names).toEqual(["By hand", "After all"]);
    writeFileSync(file, "spoilt");
    const complaint = () => lines.find(({ level }) => level === "error")?.fields;
    await expect.poll(complaint).toMatchObject({ file, why: "it holds no vCard" });
    expect(names()).toEqual(["By hand", "After all"]);
  } finally {
    book.stop();
  }
});

test("a file that does not exist yet is read once it does", async () => {
  const file = join(folder, "later.vcf");
  const { book, names, lines } = open(file);
  try {
    expect(lines.find(({ level }) => level === "error")?.fields).toMatchObject({ setting: "contacts.vcard" });
    writeFileSync(file, card("Late"));
    await expect.poll(names).toEqual(["By hand", "Late"]);
  } finally {
    book.stop();
  }
});

test("an entry has its picture; one that is no picture is left out, and the log says so", () => {
  const good = join(folder, "face.png");
  const bad = join(folder, "face.txt");
  writeFileSync(good, telephonePicture(0).bytes);
  writeFileSync(bad, "no picture");
  for (const [path, type] of [
    [good, "image/png"],
    [bad, undefined],
  ] as const) {
    const { book, lines } = open(join(folder, "none.vcf"), path);
    book.stop();
    expect(book.contacts()[0]?.picture?.type).toBe(type);
    expect(lines.some(({ fields }) => fields["setting"] === "contacts.entries.picture")).toBe(type === undefined);
  }
});

test("the picture of a number without one is a small PNG of a telephone on a coloured disc", () => {
  const { bytes } = telephonePicture(212);
  expect(pictureOf(bytes)?.type).toBe("image/png");
  expect(bytes.length).toBeLessThan(10_000);
  const image = Buffer.from(bytes);
  const width = image.readUInt32BE(16);
  const data = image.subarray(image.indexOf("IDAT") + 4, image.indexOf("IEND") - 8);
  const rows = inflateSync(data);
  const pixel = (x: number, y: number) => [...rows.subarray(y * (width * 4 + 1) + 1 + x * 4).subarray(0, 4)];
  expect(pixel(0, 0)[3]).toBe(0);
  expect(pixel(width / 2, 4)[3]).toBe(255);
  expect(pixel(width / 2, 4)).not.toEqual([255, 255, 255, 255]);
  const whites = Array.from({ length: width * width }, (_, at) => pixel(at % width, Math.floor(at / width)));
  expect(whites.filter((one) => one.every((channel) => channel === 255)).length).toBeGreaterThan(width * 5);
});
