// What a gateway makes of the user part of a SIP address: a number before the @ costs what it costs anywhere.
import { contextOf } from "../dialled.ts";
import type { Country } from "../e164.ts";
import { classOfReading, dearest, isDear, understand, type NumberClass, type NumberMeaning } from "./number-class.ts";
import { readingsOf } from "./readings.ts";

/** `keys` are what a telephone could dial of it. */
export function meaningOfUser(user: string, country: Country | undefined): NumberMeaning & { readonly keys: string } {
  const plain = user.normalize("NFKC");
  const [head = "", ...parameters] = plain.replace(/^\s*tel:/i, "").split(";");
  // Up to a pause, a post-dial digit or anything else that no number holds; the rest is noise to a gateway.
  const keys = dialled(/^[^\p{L},&=$?:@%]*/u.exec(head)?.[0] ?? "");
  const meaning = /\d/.test(keys) ? inContext(keys, parameters, country) : noNumber;
  const classes = [...meaning.classes, ...classesInside(plain, country)];
  return { ...meaning, keys, class: dearest(meaning.class, ...classes.filter(isDear)), classes };
}

/** RFC 3966 s5.1.5: a local number belongs where its context says. */
function inContext(keys: string, parameters: readonly string[], country: Country | undefined): NumberMeaning {
  const meaning = understand(keys, country);
  const context = contextOf(parameters);
  if (context === undefined || keys.startsWith("+") || meaning.class === "emergency") return meaning;
  const there = understand(context + keys, country);
  return { ...there, class: dearest(there.class, meaning.class), classes: [...there.classes, ...meaning.classes] };
}

/** Dear numbers behind a sign at which a careless dial plan begins the next telephone: `2001&PJSIP/0909...`. */
function classesInside(user: string, country: Country | undefined): readonly NumberClass[] {
  const numbers = user.split(/[&|,;/=?$:@]/).filter((part) => !/\p{L}/u.test(part));
  const keys = numbers.map(dialled).filter((text) => /^\+?\d+$/.test(text));
  const assigned = keys.flatMap((text) => readingsOf(text, country)).filter(({ kind }) => kind !== undefined);
  return assigned.map(classOfReading).filter(isDear);
}

function dialled(text: string): string {
  return text.replaceAll(/[^\d*#+]/g, "");
}

const noNumber: NumberMeaning = {
  e164: undefined,
  class: "private",
  classes: [],
  isAssigned: false,
  isBare: false,
  isAmbiguous: false,
  isDoubtful: false,
};
