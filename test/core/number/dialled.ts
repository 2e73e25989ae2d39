// Numbers for tests, parsed as they are when a person dials them.
import type { DialString, E164 } from "../../../src/core/ids.ts";
import { dialString } from "../../../src/core/number/dialled.ts";
import { toE164, type Country } from "../../../src/core/number/e164.ts";
import type { DialTarget } from "../../../src/core/number/ghost/ghost-id.ts";
import { understand, type NumberClass } from "../../../src/core/number/plan/number-class.ts";

export function keysOf(text: string): DialString {
  const keys = dialString(text);
  if (keys === undefined) throw new Error(`no telephone could dial ${text}`);
  return keys;
}

export function numberOf(text: string): Extract<DialTarget, { kind: "number" }> {
  return { kind: "number", dialled: keysOf(text) };
}

export function e164Of(text: string, country?: Country): E164 | undefined {
  const keys = dialString(text);
  return keys === undefined ? undefined : toE164(keys, country);
}

/** Of a text that no telephone could dial `private`. */
export function classify(text: string, country: Country | undefined): NumberClass {
  const keys = dialString(text);
  return keys === undefined ? "private" : understand(keys, country).class;
}
