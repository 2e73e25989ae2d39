// What a caller enters by keys: a PIN of a known length. Which digits are the right ones is not known here.
import type { PinName } from "./ids.ts";

/** The PIN that a number wants before anybody is rung. */
export interface PinTerms {
  readonly name: PinName;
  readonly length: number;
}

/** How keys reach us: in the audio (RFC 4733), or in SIP INFO. A telephone that says each key in both ways is believed in one. */
export type KeyWay = "rtp" | "info";

export interface PinEntry {
  readonly keys: string;
  /** Undefined before the first key. */
  readonly way: KeyWay | undefined;
  /** How many wrong PINs came before. */
  readonly wrong: number;
}

export const nothingEntered: PinEntry = { keys: "", way: undefined, wrong: 0 };

/** So many wrong PINs end the call. */
export const mostTries = 3;

/** `complete`: the entry is to be compared. `ignored`: the key means nothing here. */
interface Pressed {
  readonly kind: "going-on" | "complete" | "ignored";
  readonly entry: PinEntry;
}

/** `#` ends the entry, as the last digit of it does. `*` takes back what was entered. */
export function press(entry: PinEntry, key: string, way: KeyWay, { length }: PinTerms): Pressed {
  const ignored: Pressed = { kind: "ignored", entry };
  if (entry.way !== undefined && entry.way !== way) return ignored;
  if (key === "#") return entry.keys === "" ? ignored : { kind: "complete", entry };
  if (key === "*") return { kind: "going-on", entry: { ...entry, keys: "", way } };
  if (!/^[0-9]$/.test(key)) return ignored;
  const next = { ...entry, keys: entry.keys + key, way };
  return { kind: next.keys.length >= length ? "complete" : "going-on", entry: next };
}

/** The entry was wrong: the next one begins, or (undefined) there have been too many. */
export function tryAgain({ way, wrong }: PinEntry): PinEntry | undefined {
  return wrong + 1 >= mostTries ? undefined : { keys: "", way, wrong: wrong + 1 };
}

const longestPin = 12;

/** Takes the same time wherever the two differ. */
export function isSamePin(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  // Beyond its end a text has NaN, which counts as 0.
  for (let at = 0; at < longestPin; at += 1) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
