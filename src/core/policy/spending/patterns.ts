// Fraud has a shape: many short calls, one after the other, to one expensive range of numbers, often at night. Finds it in
// what a person has called within the last hour. Knows no clock.
import type { E164, UserId } from "../../ids.ts";
import { readNumber } from "../../number/e164.ts";
import type { Money } from "./money.ts";

export interface PatternPolicy {
  /** What one minute of an expensive call costs at least; undefined: calls abroad are expensive. */
  readonly expensiveFrom: Money | undefined;
  /** So many short calls to one range are let through in an hour; undefined: any number. */
  readonly shortCalls: number | undefined;
  readonly shortCallsAtNight: number | undefined;
  /** Hours of the day, 0 to 23; the night may pass midnight. */
  readonly night: { readonly from: number; readonly until: number };
  /** How long what an admin has allowed is not held again. */
  readonly allowedDays: number;
}

export interface Suspicion {
  readonly shape: "short-calls" | "short-calls-at-night";
  readonly calls: number;
}

/** A call to an expensive number that went out. */
interface Attempt {
  readonly id: string;
  readonly number: E164;
  readonly atMs: number;
  readonly hour: number;
  /** 0: nobody answered; undefined: it goes on. */
  talkedS: number | undefined;
}

const hourMs = 3_600_000;
/** Shorter calls are short. */
export const shortS = 60;
/** Of one person; more than any setting asks for. */
const keptAttempts = 200;

/**
 * The range that a number belongs to, without a plus: its calling code and two digits more; where several countries share the
 * code 1, the area code. No person's number can be read from it.
 */
export function rangeOf(number: E164): string {
  const digits = number.slice(1);
  const code = readNumber(number, undefined)?.callingCode ?? digits.slice(0, 2);
  return digits.slice(0, code === "1" ? 4 : code.length + 2);
}

/** What people have called within the last hour. */
export class RecentCalls {
  readonly #attempts = new Map<UserId, Attempt[]>();

  began(person: UserId, attempt: Omit<Attempt, "talkedS">): void {
    for (const [one, attempts] of this.#attempts)
      if (!attempts.some(({ atMs }) => attempt.atMs - atMs < hourMs)) this.#attempts.delete(one);
    const kept = this.#attempts.get(person) ?? [];
    this.#attempts.set(person, [...kept.slice(1 - keptAttempts), { ...attempt, talkedS: undefined }]);
  }

  /** After so many seconds of talk. */
  ended(person: UserId, id: string, talkedS: number): void {
    const attempt = this.#attempts.get(person)?.find((one) => one.id === id);
    if (attempt !== undefined) attempt.talkedS = talkedS;
  }

  /** Whether one call more to that range is too many. */
  suspicion(
    person: UserId,
    { range, atMs, hour }: { readonly range: string; readonly atMs: number; readonly hour: number },
    { shortCalls, shortCallsAtNight, night }: PatternPolicy,
  ): Suspicion | undefined {
    const short = (this.#attempts.get(person) ?? []).filter(
      (one) => atMs - one.atMs < hourMs && rangeOf(one.number) === range && isShort(one, atMs),
    );
    const inAll = countOf(short);
    if (shortCalls !== undefined && inAll >= shortCalls) return { shape: "short-calls", calls: inAll };
    const atNight = countOf(short.filter((one) => isNight(one.hour, night)));
    if (shortCallsAtNight === undefined || atNight < shortCallsAtNight || !isNight(hour, night)) return undefined;
    return { shape: "short-calls-at-night", calls: atNight };
  }
}

/** Of one that goes on it shows after a minute. */
function isShort({ talkedS, atMs }: Attempt, nowMs: number): boolean {
  return talkedS === undefined ? nowMs - atMs < shortS * 1_000 : talkedS < shortS;
}

/** Who tries again and again to reach somebody who does not answer runs up no bill: that is one call. */
function countOf(attempts: readonly Attempt[]): number {
  const answered = attempts.filter(({ talkedS = 0 }) => talkedS > 0).length;
  return answered + new Set(attempts.filter(({ talkedS = 0 }) => talkedS === 0).map(({ number }) => number)).size;
}

function isNight(hour: number, { from, until }: PatternPolicy["night"]): boolean {
  return from <= until ? hour >= from && hour < until : hour >= from || hour < until;
}

const hourWords: Readonly<Record<Suspicion["shape"], string>> = {
  "short-calls": "within an hour",
  "short-calls-at-night": "at night within an hour",
};

/** For admins: `6 short calls to +37129… within an hour`. */
export function suspicionWords({ shape, calls }: Suspicion, range: string): string {
  return `${calls} short calls to +${range}… ${hourWords[shape]}`;
}

/** For the person; `why` as `suspicionWords` wrote it. */
export function heldWords(range: string, why: string): string {
  return `Your calls to numbers that begin with +${range} are held because they look like fraud: ${why}. The administrators have been asked whether to allow them.`;
}
