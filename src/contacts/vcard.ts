// Contacts out of a vCard file: 4.0 (RFC 6350), 3.0 (RFC 2426), and 2.1 as telephones still export it. What the bridge has no
// use for is skipped, and one card that makes no sense costs none of the others. Nothing is ever fetched from an address.
import { Buffer } from "node:buffer";
import ICAL from "ical.js";
import type { Contact, Picture } from "../ports/contacts.ts";
import { pictureOf } from "./picture.ts";

export interface VcardFile {
  readonly contacts: readonly Contact[];
  /** Why cards were left out, each with the number of the card in the file. */
  readonly problems: readonly string[];
}

/** Undefined: this is no vCard file. */
export function readVcards(text: string): VcardFile | undefined {
  const cards = [...text.replace(/^\uFEFF/, "").matchAll(/^BEGIN:VCARD\s*$(.*?)^END:VCARD\s*$/gims)].map(
    ([, body = ""]) => body,
  );
  if (cards.length === 0) return undefined;
  const problems: string[] = [];
  const contacts = cards.flatMap((body, index) => {
    const read = readCard(body);
    if (typeof read !== "string") return [read];
    problems.push(`card ${index + 1}: ${read}`);
    return [];
  });
  return { contacts, problems };
}

/** The contact, or why there is none. */
function readCard(body: string): Contact | string {
  const properties = linesOf(body).flatMap(readLine);
  const textOf = (name: string): string | undefined =>
    properties.flatMap((one) => (one.name === name ? oneLine(one.getFirstValue()) : [])).find((text) => text !== "");
  const name = textOf("fn") ?? textOf("org") ?? nameOfParts(properties.find((one) => one.name === "n"));
  if (name === undefined) return "it has no name (FN)";
  const numbers = properties.flatMap((one) => (one.name === "tel" ? oneLine(one.getFirstValue()) : [])).filter(Boolean);
  if (numbers.length === 0) return "it has no number (TEL)";
  const photo = properties.flatMap((one) => (one.name === "photo" ? (readPhoto(one) ?? []) : []));
  return {
    name,
    numbers: numbers.map((number) => number.replace(/^tel:/i, "").replace(/;.*$/, "")),
    picture: photo[0],
  };
}

/** Unfolded (RFC 6350 s3.2); of 2.1 also what quoted-printable breaks apart. */
function linesOf(body: string): readonly string[] {
  const lines: string[] = [];
  for (const line of body.split(/\r\n|\r|\n/)) {
    const last = lines.at(-1);
    if (last !== undefined && /^[ \t]/.test(line)) lines[lines.length - 1] = last + line.slice(1);
    else if (last !== undefined && last.endsWith("=") && isQuotedPrintable(last))
      lines[lines.length - 1] = last.slice(0, -1) + line;
    else if (line !== "") lines.push(line);
  }
  return lines;
}

function isQuotedPrintable(line: string): boolean {
  return /^[^:]*;(?:ENCODING=)?QUOTED-PRINTABLE\b[^:]*:/i.test(line);
}

const wanted = /^(?:[\w-]+\.)?(?:FN|N|ORG|TEL|PHOTO)[;:]/i;

function readLine(line: string): readonly ICAL.Property[] {
  if (!wanted.test(line)) return [];
  try {
    return [ICAL.Property.fromString(inTodaysForm(line), ICAL.design.vcard3)];
  } catch {
    return [];
  }
}

/** 2.1 writes parameters without names, and its own encodings. */
function inTodaysForm(line: string): string {
  const colon = line.indexOf(":");
  const [name = "", ...parameters] = line.slice(0, colon).split(";");
  const value = line.slice(colon + 1);
  const charset = /^CHARSET=(.*)$/i.exec(parameters.find((one) => /^CHARSET=/i.test(one)) ?? "")?.[1] ?? "utf-8";
  const kept = parameters.flatMap((one) => {
    if (/^CHARSET=|QUOTED-PRINTABLE$/i.test(one)) return [];
    if (/^(?:ENCODING=)?BASE64$/i.test(one)) return ["ENCODING=b"];
    return one.includes("=") || one === "" ? [one] : [`TYPE=${one}`];
  });
  const text = isQuotedPrintable(line) ? decodeQuotedPrintable(value, charset) : value;
  return `${[name, ...kept].join(";")}:${text}`;
}

function decodeQuotedPrintable(text: string, charset: string): string {
  const bytes = text.replaceAll(/=([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(Number.parseInt(hex, 16)));
  try {
    return new TextDecoder(charset).decode(Buffer.from(bytes, "latin1"));
  } catch {
    return Buffer.from(bytes, "latin1").toString("utf8");
  }
}

/** Only what stands in the file itself: an address is not followed. */
function readPhoto(property: ICAL.Property): Picture | undefined {
  const value = String(property.getFirstValue() ?? "");
  const base64 = /^data:[^,]*;base64,(.*)$/is.exec(value)?.[1] ?? (/^[a-z]+:/i.test(value) ? undefined : value);
  return base64 === undefined ? undefined : pictureOf(Buffer.from(base64, "base64"));
}

function nameOfParts(property: ICAL.Property | undefined): string | undefined {
  const parts: unknown = property?.getFirstValue();
  if (!Array.isArray(parts)) return undefined;
  const [family, given] = parts.map((part: unknown) => oneLine(part)[0] ?? "");
  return [given, family].filter(Boolean).join(" ") || undefined;
}

/** Besides the joiners, which letters of some scripts and families of emoji need. */
const invisible = /(?:(?![\u200C\u200D])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}])+/gu;

/** People read it in one line; longer names than this are no names. */
function oneLine(value: unknown): readonly string[] {
  const text = Array.isArray(value) ? value.filter((one) => typeof one === "string").join(" ") : value;
  if (typeof text !== "string") return [];
  return [
    text
      // RFC 2426 s4; ical.js leaves it as it is.
      .replaceAll("\\;", ";")
      .replaceAll(invisible, " ")
      .trim()
      .slice(0, 200),
  ];
}
