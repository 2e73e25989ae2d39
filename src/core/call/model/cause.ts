// How a call ends: one vocabulary for SIP, Matrix, the words a person reads, the metric's label and the log's field.
// Both directions are total: every status and Q.850 value has a cause, every cause all its words and statuses.
// What clients say and are told is turned into causes, and causes into that, by the Matrix edge.
import type { MediaFault } from "../../media-end.ts";

/** Whose doing the end was: the metric's `result`. */
export type CallResult = "success" | "caller" | "callee" | "upstream" | "bridge";

interface CauseEntry {
  readonly result: CallResult;
  /** What the room is told where the client alone could not say it; undefined where it can, or nobody needs to know. */
  readonly words: string | undefined;
  /** Reason header of our CANCEL, BYE or final response (RFC 3326, ITU-T Q.850). */
  readonly q850: number;
  /**
   * How the trunk's unanswered INVITE is refused (RFC 3261 s21, RFC 3398 s8.2.6.1). 503, where this bridge alone is the
   * trouble, has the trunk try elsewhere (RFC 3261 s21.5.4, RFC 3263 s4.3).
   */
  readonly status: number;
}

function entry(result: CallResult, q850: number, status: number, words?: string): CauseEntry {
  return { result, q850, status, words };
}

const causes = {
  "caller-hung-up": entry("success", 16, 487),
  "callee-hung-up": entry("success", 16, 480),
  /** The person, or the far end, handed the call over. */
  transferred: entry("success", 16, 480),
  "transfer-failed": entry("callee", 16, 480, "The call could not be transferred."),
  "transfer-abroad": entry(
    "caller",
    16,
    480,
    "You can transfer calls only to telephone numbers and to people of this homeserver.",
  ),
  "max-duration": entry("success", 16, 480, "The call ended because it reached the maximum length."),

  /** The caller gave up before anybody answered. */
  missed: entry("caller", 16, 487),
  /** Both called each other; the other of the two calls goes on. */
  crossed: entry("success", 16, 480),
  "caller-cancelled": entry("caller", 16, 487),
  "caller-left": entry("caller", 16, 487),
  "caller-media-failed": entry("caller", 16, 488, "Your client could not use its microphone."),
  "bad-offer": entry("caller", 16, 488, "Your client offered audio that cannot be used for a telephone call."),
  "not-permitted": entry("caller", 21, 403, "You do not have permission to make telephone calls here."),
  "premium-barred": entry("caller", 21, 403, "Calls to premium-rate numbers are not allowed here."),
  "shared-cost-barred": entry("caller", 21, 403, "Calls to shared-cost numbers are not allowed here."),
  "satellite-barred": entry("caller", 21, 403, "Calls to satellite telephones are not allowed here."),
  "unknown-barred": entry(
    "caller",
    28,
    404,
    "This does not look like a telephone number, so it was not called. Check it, or dial it with + and the country code.",
  ),
  /** As dialled it may be a dear number as well. */
  "doubtful-number": entry(
    "caller",
    21,
    403,
    "This could also be a number that is not allowed here, so it was not called. Dial it with + and the country code.",
  ),
  emergency: entry(
    "caller",
    21,
    403,
    "Emergency numbers cannot be called from here. Please use a mobile or landline telephone.",
  ),
  "too-many-calls-user": entry("caller", 42, 486, "You already have as many calls as you may have at once."),
  "room-in-call": entry(
    "caller",
    17,
    486,
    "There is already a call in this room. Please end it before you call again.",
  ),
  "too-often": entry("caller", 21, 503, "You are calling too often. Please wait a minute."),
  "too-many-calls": entry("bridge", 42, 503, "All lines are in use. Please try again later."),
  /** Minutes, money, calls at once or calls a minute; the words say which. */
  "limit-reached": entry("caller", 21, 403, "A limit on calls is used up."),
  "calls-stopped": entry("bridge", 21, 503, "An administrator has stopped telephone calls here."),
  "calls-held": entry(
    "caller",
    21,
    403,
    "Your calls to such numbers are held because they look like fraud. The administrators have been asked.",
  ),
  "no-rate": entry("caller", 21, 403, "It is not known what a call to this number costs, so it was not placed."),
  "no-route": entry("caller", 3, 404, "This number cannot be reached from here."),
  "not-dialable": entry("caller", 28, 404, "This number cannot be dialled."),
  "domain-not-allowed": entry("caller", 3, 404, "Calls to this SIP domain are not allowed here."),
  /** Of an inbound call: the caller entered wrong PINs, none, or is not listened to for a while. */
  "pin-wrong": entry("caller", 21, 403),
  "pin-missing": entry("caller", 21, 403),
  "pin-barred": entry("caller", 21, 403),
  /** Of an outbound call: an admin has blocked the number for all. */
  "number-blocked": entry("caller", 21, 403, "Calls to this number are blocked here."),
  "withheld-number": entry("caller", 21, 404, "This caller withheld their number, so you cannot call them."),

  "callee-media-failed": entry("callee", 16, 480, "Your client could not use its microphone."),
  busy: entry("callee", 17, 486),
  "no-answer": entry("callee", 19, 480, "Nobody answered."),
  declined: entry("callee", 21, 603),
  /** Of an inbound call: the caller is on the block list, and hears what its entry or the configuration says. */
  blocked: entry("callee", 21, 603),
  /** RFC 8197. */
  "blocked-unwanted": entry("callee", 21, 607),
  "blocked-busy": entry("callee", 17, 486),
  "blocked-unavailable": entry("callee", 20, 480),
  /** RFC 5079: 433. Where voicemail is wanted, the trunk hears what it hears of a telephone that is switched off. */
  "anonymous-refused": entry("callee", 21, 433),
  "anonymous-to-voicemail": entry("callee", 20, 480),
  /** Whom the number rings takes no calls now. */
  "do-not-disturb": entry("callee", 20, 480),
  "spam-refused": entry("callee", 21, 603),
  "spam-to-voicemail": entry("callee", 20, 480),
  "not-in-service": entry("callee", 1, 404, "This number is not in service."),
  "invalid-number": entry("callee", 28, 484, "This number is incomplete or not valid."),
  "number-changed": entry("callee", 22, 410, "This number has changed."),
  unavailable: entry("callee", 20, 480, "The person you called cannot be reached at the moment."),
  "answered-elsewhere": entry("callee", 26, 480),

  forbidden: entry("upstream", 57, 403, "The telephone provider does not allow calls to this number."),
  congestion: entry("upstream", 42, 503, "The telephone network is busy. Please try again later."),
  "trunk-error": entry("upstream", 41, 500, "The telephone provider could not place the call."),
  "trunk-timeout": entry("upstream", 102, 504, "The telephone provider did not respond. Please try again later."),
  "trunk-unreachable": entry("upstream", 38, 503, "The telephone provider cannot be reached. Please try again later."),
  "trunk-credentials": entry("upstream", 57, 403, "The telephone provider refused this bridge's login."),
  "cut-off": entry("upstream", 41, 480, "The call was cut off by the telephone network."),
  incompatible: entry("upstream", 88, 488, "The other end cannot handle this kind of call."),

  "media-failed": entry("bridge", 41, 480, "The audio connection to your client could not be made."),
  "connection-lost": entry("bridge", 41, 480, "The connection to your client was lost."),
  "media-silent": entry("bridge", 41, 480, "The call ended because the audio stopped."),
  "media-lost": entry("bridge", 41, 503, "The call ended because of a fault in the bridge's audio."),
  "answer-lost": entry("bridge", 41, 480, "The call was answered, but your homeserver did not pass the answer on."),
  "cannot-store": entry("bridge", 41, 503, "The bridge cannot store calls right now. Please try again later."),
  /** No room could be reached in which the call might ring. */
  "homeserver-away": entry("bridge", 38, 503, "Your homeserver could not be reached in time."),
  restarting: entry("bridge", 41, 503, "The bridge is restarting. Please call again in a minute."),
  restarted: entry("bridge", 41, 503, "The call ended because the bridge restarted."),
  draining: entry(
    "bridge",
    41,
    503,
    "The bridge takes no new calls because it is about to be restarted. Please try again later.",
  ),
  "trunk-paused": entry("bridge", 41, 503, "This telephone line is paused. Please try again later."),
  fault: entry("bridge", 41, 500, "The call ended because of a fault in the bridge."),
  "admin-ended": entry("bridge", 16, 480, "An administrator ended the call."),
} as const satisfies Record<string, CauseEntry>;

export type Cause = keyof typeof causes;

/** Every cause, for metrics and documentation. */
export const allCauses = Object.keys(causes) as readonly Cause[];

export function describeCause(cause: Cause): CauseEntry {
  return causes[cause];
}

/**
 * ITU-T Q.850. Left out are the values that say nothing of their own (16 and 31, normal clearing; 127, interworking): of
 * those the status speaks.
 */
const byQ850: Readonly<Record<number, Cause>> = {
  1: "not-in-service",
  2: "no-route",
  3: "no-route",
  4: "not-in-service",
  5: "invalid-number",
  6: "trunk-error",
  7: "trunk-error",
  8: "congestion",
  9: "congestion",
  17: "busy",
  18: "no-answer",
  19: "no-answer",
  20: "unavailable",
  21: "declined",
  22: "number-changed",
  23: "number-changed",
  24: "declined",
  25: "trunk-error",
  26: "answered-elsewhere",
  27: "unavailable",
  28: "invalid-number",
  29: "forbidden",
  34: "congestion",
  38: "trunk-error",
  39: "congestion",
  40: "congestion",
  41: "congestion",
  42: "congestion",
  43: "congestion",
  44: "congestion",
  46: "congestion",
  47: "congestion",
  49: "congestion",
  50: "forbidden",
  52: "forbidden",
  53: "forbidden",
  54: "forbidden",
  55: "forbidden",
  57: "forbidden",
  58: "congestion",
  62: "trunk-error",
  63: "trunk-error",
  65: "incompatible",
  66: "incompatible",
  69: "incompatible",
  70: "incompatible",
  79: "incompatible",
  81: "trunk-error",
  82: "trunk-error",
  83: "trunk-error",
  84: "trunk-error",
  85: "trunk-error",
  86: "trunk-error",
  87: "forbidden",
  88: "incompatible",
  90: "forbidden",
  91: "no-route",
  95: "trunk-error",
  96: "trunk-error",
  97: "trunk-error",
  98: "trunk-error",
  99: "trunk-error",
  100: "trunk-error",
  101: "trunk-error",
  102: "trunk-timeout",
  103: "trunk-error",
  110: "trunk-error",
  111: "trunk-error",
};

const byStatus: Readonly<Record<number, Cause>> = {
  301: "number-changed",
  401: "trunk-credentials",
  402: "forbidden",
  403: "forbidden",
  404: "not-in-service",
  407: "trunk-credentials",
  408: "trunk-timeout",
  410: "number-changed",
  415: "incompatible",
  416: "invalid-number",
  // The callee takes no anonymous calls (RFC 5079).
  433: "declined",
  480: "unavailable",
  484: "invalid-number",
  485: "invalid-number",
  486: "busy",
  487: "no-answer",
  488: "incompatible",
  503: "congestion",
  504: "trunk-timeout",
  600: "busy",
  603: "declined",
  604: "not-in-service",
  606: "incompatible",
  607: "declined",
  608: "forbidden",
};

/**
 * What Q.850 says of a refusal. It counts for more than the status, because gateways answer many causes with the same
 * one: Asterisk answers all that it does not map with 603 (RFC 3326, RFC 3398 s7.2.4.1). Of a challenge the trunk's
 * login is at fault, whatever else stands there.
 */
function causeOfQ850(status: number, q850: number | undefined): Cause | undefined {
  return q850 === undefined || status === 401 || status === 407 ? undefined : byQ850[q850];
}

/**
 * Cause of a final failure response, 300 to 699.
 * `rang`: a provisional 18x had come, so that a 408 or 480 is a telephone nobody picked up.
 */
export function causeOfRejection(status: number, q850: number | undefined, rang: boolean): Cause {
  const known = causeOfQ850(status, q850);
  if (known !== undefined) return known;
  if (rang && (status === 408 || status === 480)) return "no-answer";
  return byStatus[status] ?? (status >= 600 ? "declined" : "trunk-error");
}

/** Cause of a call that never had a final response. */
export function causeOfFailure(fault: "timeout" | "transport" | "resolve" | "credentials" | "internal"): Cause {
  switch (fault) {
    case "timeout":
      return "trunk-timeout";
    case "transport":
    case "resolve":
      return "trunk-unreachable";
    case "credentials":
      return "trunk-credentials";
    case "internal":
      return "fault";
  }
}

/** How the trunk's INVITE is refused that is not to be answered any more, or that an earlier process left. */
export function finalStatusOf(cause: Cause): number {
  return causes[cause].status;
}

/**
 * Whether another trunk may do better: this trunk, not the far end, refuses a call that has not rung yet. A Q.850 value
 * counts for more than the status.
 */
export function isInfrastructureFailure(status: number, q850: number | undefined): boolean {
  if (q850 !== undefined && causeOfQ850(status, q850) !== undefined) return infrastructureQ850.has(q850);
  return infrastructureStatuses.has(status);
}

const infrastructureStatuses: ReadonlySet<number> = new Set([401, 407, 408, 500, 502, 503, 504]);
/**
 * ITU-T Q.850: no route from here (2, 3, 25, 91), no channel or circuit (6, 34 to 47), what the account or the network
 * does not have (49 to 53, 57 to 79), faults of the signalling (81 to 86, 95 to 111). The rest is the far end's or the
 * number's: another trunk would hear the same.
 */
const infrastructureQ850: ReadonlySet<number> = new Set([
  2, 3, 6, 7, 8, 9, 25, 34, 38, 39, 40, 41, 42, 43, 44, 46, 47, 49, 50, 52, 53, 57, 58, 62, 63, 65, 66, 69, 70, 79, 81,
  82, 83, 84, 85, 86, 91, 95, 96, 97, 98, 99, 100, 101, 102, 103, 110, 111,
]);

/**
 * Cause of a BYE of the trunk's. One that says the network broke, or the far end's line (27), is no hang-up of a person's
 * (ITU-T Q.850 classes 010 and above).
 */
export function causeOfBye(q850: number | undefined, direction: "outbound" | "inbound"): Cause {
  if (q850 === 27 || (q850 !== undefined && q850 >= 32 && q850 < 127)) return "cut-off";
  return direction === "outbound" ? "callee-hung-up" : "caller-hung-up";
}

/**
 * What a client says of why it refuses a call or hangs up, where that is more than a person's wish. `callee-media-failed`: it
 * could not use its microphone, whoever called. `no-answer`: it has rung long enough.
 */
export type SaidByClient = Extract<Cause, "busy" | "callee-media-failed" | "media-failed" | "no-answer">;

/** Cause of a hang-up by the client, from what it says. */
export function causeOfHangup(
  said: SaidByClient | undefined,
  answered: boolean,
  direction: "outbound" | "inbound" = "outbound",
): Cause {
  const outbound = direction === "outbound";
  if (said === "media-failed") return said;
  if (said === "callee-media-failed") return outbound ? "caller-media-failed" : said;
  if (said === "no-answer" && !answered) return said;
  if (outbound) return answered ? "caller-hung-up" : "caller-cancelled";
  return answered ? "callee-hung-up" : "declined";
}

/** `from`: whose description it was, or whose session could not be had. */
export function causeOfMediaFault(fault: MediaFault, from: "client" | "trunk"): Cause {
  switch (fault) {
    case "bad-description":
      // One of the trunk's that nobody can use is not the fault of whoever is at the client.
      return from === "client" ? "bad-offer" : "incompatible";
    case "no-common-codec":
    case "encryption-mismatch":
      return "incompatible";
    case "no-ports":
    case "no-capacity":
      return "too-many-calls";
    case "no-admission":
      return "media-failed";
    case "engine":
      return "media-lost";
  }
}
