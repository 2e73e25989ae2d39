// Keys in INFO, for trunks without RFC 4733: the two bodies that gateways know, both ways, and a queue that keeps
// the order of what a person presses. Which trunk wants them is decided above.
import type { Log } from "../../ports/telemetry.ts";
import type { DialogRequestParts } from "../user-agent/session-events.ts";
import { statusOf, type Outcome } from "../user-agent/peer-request.ts";
import { header, type SipRequest } from "../wire/message.ts";
import { mediaTypesHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";

export interface DtmfDigit {
  /** `0` to `9`, `*`, `#`, `A` to `D`. */
  readonly digit: string;
  readonly durationMs: number;
}

const DTMF_TYPES = ["application/dtmf-relay", "application/dtmf"] as const;

/** What most gateways write, and assume where nothing is said. */
const USUAL_MS = 160;
/** ITU-T Q.24: what is shorter need not be recognised. */
const SHORTEST_MS = 40;
const LONGEST_MS = 6_000;
/** RFC 4733 s3.2, by event code: gateways send the codes of `*`, `#` and the letters as numbers too. */
const KEYS = "0123456789*#ABCD";
/** Hook flash, by code and as it is written: nothing that a person in Matrix could hear. */
const FLASH: readonly string[] = ["16", "!", "F"];

/** `"flash"` is understood and means nothing here; undefined: it cannot be read. */
export function parseDtmf(body: string): DtmfDigit | "flash" | undefined {
  const text = body.slice(0, 500);
  const signal = (/^[ \t]*signal[ \t]*=[ \t]*(\S+)/im.exec(text) ?? /^\s*(\S{1,2})\s*$/.exec(text))?.[1]?.toUpperCase();
  if (signal === undefined) return undefined;
  if (FLASH.includes(signal)) return "flash";
  const digit = signal.length === 1 ? signal : /^1[0-5]$/.test(signal) ? KEYS[Number(signal)] : undefined;
  if (digit === undefined || !KEYS.includes(digit)) return undefined;
  const said = /^[ \t]*duration[ \t]*=[ \t]*(\d{1,9})/im.exec(text)?.[1];
  return { digit, durationMs: bounded(said === undefined || Number(said) === 0 ? USUAL_MS : Number(said)) };
}

function bounded(durationMs: number): number {
  if (Number.isNaN(durationMs)) return USUAL_MS;
  return Math.min(Math.max(Math.round(durationMs), SHORTEST_MS), LONGEST_MS);
}

/** What an INFO from the trunk is answered with, and the key in it. */
export interface InfoVerdict {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
  readonly key: DtmfDigit | undefined;
}

export function judgeInfo(request: SipRequest): InfoVerdict {
  const verdict = (status: number, ...headers: HeaderLine[]): InfoVerdict => ({ status, headers, key: undefined });
  // RFC 6086 s4.2.2: we have said that we take no package.
  if (header(request, "Info-Package") !== undefined) return verdict(469, tokensHeader("Recv-Info", []));
  if (request.body.trim() === "") return verdict(200);
  const type = request.contentType?.type ?? "";
  if (!DTMF_TYPES.some((known) => known === type)) return verdict(415, mediaTypesHeader("Accept", DTMF_TYPES));
  const key = parseDtmf(request.body);
  if (key === undefined) return verdict(400);
  return { status: 200, headers: [], key: key === "flash" ? undefined : key };
}

export interface DtmfSenderOptions {
  readonly ask: (parts: DialogRequestParts, done: (outcome: Outcome) => void) => void;
  /** The peer knows nothing of the dialog any more. */
  readonly lost: () => void;
  readonly log: Log;
}

/** So many keys may wait for the answer to the one before them: a long card number pasted at once. */
const MAX_WAITING = 64;

export class DtmfSender {
  readonly #options: DtmfSenderOptions;
  #waiting: DtmfDigit[] = [];
  #sending = false;
  /** RFC 3261 s21.4.13: the peer wanted the other body, for good. */
  #bare = false;

  constructor(options: DtmfSenderOptions) {
    this.#options = options;
  }

  /** Sends it once those before it are answered. */
  press({ digit, durationMs }: DtmfDigit): void {
    const key = digit.toUpperCase();
    if (key.length !== 1 || !KEYS.includes(key)) return;
    if (this.#waiting.length >= MAX_WAITING) {
      this.#options.log.warn("key not sent in INFO: too many are waiting for an answer", { waiting: MAX_WAITING });
      return;
    }
    this.#waiting.push({ digit: key, durationMs: bounded(durationMs) });
    this.#next();
  }

  stop(): void {
    this.#waiting = [];
  }

  #next(): void {
    const key = this.#waiting[0];
    if (this.#sending || key === undefined) return;
    this.#sending = true;
    const bare = this.#bare;
    this.#options.ask({ body: bodyOf(key, bare) }, (outcome) => {
      this.#sending = false;
      if (this.#waiting.length === 0) return;
      const status = statusOf(outcome);
      if (status === 415 && !bare) this.#bare = true;
      else this.#waiting.shift();
      if (status === 481) {
        this.stop();
        this.#options.lost();
        return;
      }
      // Whoever pressed the keys gave up long ago. The call goes on: there are gateways that answer no INFO at all.
      if (status === 408) this.stop();
      if (status >= 300 && status !== 415) this.#options.log.warn("trunk did not accept a key in INFO", { status });
      else if (status === 415 && bare) this.#options.log.warn("trunk does not accept keys in INFO", { status });
      this.#next();
    });
  }
}

function bodyOf({ digit, durationMs }: DtmfDigit, bare: boolean): { contentType: string; content: string } {
  if (bare) return { contentType: DTMF_TYPES[1], content: digit };
  return { contentType: DTMF_TYPES[0], content: `Signal=${digit}\r\nDuration=${durationMs}\r\n` };
}
