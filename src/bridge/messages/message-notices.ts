// What people read when their text does not reach a telephone, and whether another trunk is worth a try.
import type { Verdict } from "../../core/policy/permission.ts";
import type { MessageOutcome } from "../../ports/sip.ts";

/** Said once in a room; of the last three each further message hears only that it was not delivered. */
export const onceWords = {
  crowd:
    "There are several people or numbers in this room, so the bridge does not send what you write here to a telephone. Please write in a room with only you and the number in it.",
  edit: "You cannot change a text that was sent to a telephone.",
  "not-permitted": "You do not have permission to send texts to telephones here.",
  "no-texts": "You cannot send texts to this number: its telephone line does not carry them.",
  withheld: "This number is withheld, so you cannot write to it.",
} as const;

const notDelivered = "Not delivered:";

/** Said of one message. */
export const replyWords = {
  again: "Not delivered.",
  other: `${notDelivered} only text can be sent to a telephone.`,
  emergency: `${notDelivered} emergency numbers cannot be reached by text from here. Please call them from a mobile or landline telephone.`,
  often: `${notDelivered} you are writing too often. What you write in the next minute may not be delivered either.`,
  old: `${notDelivered} the bridge was not running when this was written.`,
  unsure: `${notDelivered} the homeserver does not say who is in this room. Please try again later.`,
} as const;

type RefusalCause = Extract<Verdict, { kind: "refused" }>["cause"];

const refusalNotices: Readonly<Partial<Record<RefusalCause, string>>> = {
  "premium-barred": "texts to premium-rate numbers are not allowed here.",
  "shared-cost-barred": "texts to shared-cost numbers are not allowed here.",
  "satellite-barred": "texts to satellite telephones are not allowed here.",
  "unknown-barred": "this does not look like a telephone number. Check it, or write it with + and the country code.",
  "doubtful-number": "this could also be a number that is not allowed here. Write to it with + and the country code.",
  "number-blocked": "texts to this number are blocked here.",
  "no-route": "this number cannot be reached from here.",
  "domain-not-allowed": "texts to this SIP domain are not allowed here.",
};

export function wordsOfRefusal(cause: RefusalCause): string {
  if (cause === "emergency") return replyWords.emergency;
  return `${notDelivered} ${refusalNotices[cause] ?? "this is not possible here."}`;
}

type Failure = Exclude<MessageOutcome, { kind: "delivered" }>;

const noTexts = "this telephone network does not accept texts.";
const notInService = "this number is not in service.";
const invalid = "this number is incomplete or not valid.";
const tooLong = "the text is too long for this telephone network.";
const noResponse = "the telephone network did not respond. Please try again later.";
const notReached = "the telephone provider cannot be reached. Please try again later.";
const login = "the telephone provider refused this bridge's login.";
const declined = "the telephone did not accept the text.";

const statusWords: Readonly<Record<number, string>> = {
  401: login,
  402: "the telephone provider does not allow texts to this number.",
  403: "the telephone provider does not allow texts to this number.",
  404: notInService,
  405: noTexts,
  406: noTexts,
  407: login,
  408: noResponse,
  410: notInService,
  413: tooLong,
  414: invalid,
  415: noTexts,
  416: invalid,
  433: "the telephone does not accept texts from anonymous senders.",
  480: "the telephone cannot be reached at the moment. Please try again later.",
  484: invalid,
  485: invalid,
  486: "the telephone is busy. Please try again later.",
  488: noTexts,
  501: noTexts,
  503: "the telephone network is busy. Please try again later.",
  504: noResponse,
  513: tooLong,
  600: "the telephone is busy. Please try again later.",
  603: declined,
  604: notInService,
  606: noTexts,
  607: declined,
  608: declined,
};

const faultWords: Readonly<Record<Extract<Failure, { kind: "failed" }>["fault"], string>> = {
  timeout: noResponse,
  transport: notReached,
  resolve: notReached,
  credentials: login,
  internal: "there was a fault in the bridge.",
};

function reasonOf(failure: Failure): string {
  if (failure.kind === "failed") return faultWords[failure.fault];
  return (
    statusWords[failure.status] ??
    (failure.status >= 600
      ? declined
      : failure.status >= 500
        ? "the telephone provider could not deliver it. Please try again later."
        : "the telephone provider did not accept it.")
  );
}

/** `delivered` of `parts` have reached the network. */
export function wordsOfFailure(failure: Failure, delivered: number, parts: number): string {
  const reason = reasonOf(failure);
  if (delivered === 0) return `${notDelivered} ${reason}`;
  return `Only partly delivered (${delivered} of ${parts}): ${reason}`;
}

/** What is certain not to have reached the telephone may be tried over another trunk; after a time-out nobody knows. */
export function mayGoElsewhere(failure: Failure): boolean {
  if (failure.kind === "failed") return failure.fault !== "timeout" && failure.fault !== "internal";
  return [401, 403, 405, 407, 500, 501, 502, 503].includes(failure.status);
}
