// What is taken for a picture: by its first bytes, whatever its name says, and not larger than a face needs.
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { Picture } from "../ports/contacts.ts";

/** Homeservers keep a copy for each size that clients ask for. */
export const longestPictureBytes = 1_000_000;

/** In hexadecimal. */
const beginnings: readonly (readonly [Picture["type"], RegExp])[] = [
  ["image/png", /^89504e470d0a1a0a/],
  ["image/jpeg", /^ffd8ff/],
  ["image/gif", /^47494638(?:37|39)61/],
  ["image/webp", /^52494646.{8}57454250/],
];

/** Undefined: it is none of these, or too large. */
export function pictureOf(bytes: Uint8Array): Picture | undefined {
  if (bytes.length > longestPictureBytes) return undefined;
  const start = Buffer.from(bytes.subarray(0, 12)).toString("hex");
  const type = beginnings.find(([, beginning]) => beginning.test(start))?.[0];
  return type && { type, bytes };
}

/** The same for the same picture, and for no other. */
export function digest({ bytes }: Picture): string {
  return createHash("sha256").update(bytes).digest("hex");
}
