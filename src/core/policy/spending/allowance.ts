// Whose calls a limit counts, and how many, how long and how dear they may be.
import type { Country } from "../../number/e164.ts";
import type { TrunkName, UserId } from "../../ids.ts";
import type { Span, Windows } from "./calendar.ts";
import type { Money } from "./money.ts";

/** `country`: of the number that is called; where none has it, its calling code with a plus. */
export type Scope =
  | { readonly kind: "user"; readonly name: UserId }
  | { readonly kind: "trunk"; readonly name: TrunkName }
  | { readonly kind: "country"; readonly name: Country | `+${string}` }
  | { readonly kind: "bridge"; readonly name: "" };

export const wholeBridge: Scope = { kind: "bridge", name: "" };

/** How long, in seconds, and how dear; undefined: without a limit. */
export interface Bounds {
  readonly seconds: number | undefined;
  readonly money: Money | undefined;
}

export interface Allowance extends Readonly<Record<Span, Bounds>> {
  readonly callsAtOnce: number | undefined;
  readonly attemptsPerMinute: number | undefined;
}

export const spans: readonly Span[] = ["day", "month"];

const unbounded: Bounds = { seconds: undefined, money: undefined };
export const noLimits: Allowance = {
  callsAtOnce: undefined,
  attemptsPerMinute: undefined,
  day: unbounded,
  month: unbounded,
};

/** Whether minutes or money have an end there. */
export function isBounded({ day, month }: Allowance): boolean {
  return [day, month].some(({ seconds, money }) => seconds !== undefined || money !== undefined);
}

/** For maps and the store; parsed by `parseScope`. */
export function scopeKey({ kind, name }: Scope): string {
  return `${kind} ${name}`;
}

const form = /^(user|trunk|country|bridge) (.*)$/s;

/** Of `scopeKey` alone. */
export function parseScope(key: string): Scope | undefined {
  const [, kind, name = ""] = form.exec(key) ?? [];
  return kind === undefined ? undefined : ({ kind, name } as Scope);
}

/** Each span's window of the moment, with its span. */
export function eachWindow(windows: Windows): readonly (readonly [Span, string])[] {
  return spans.map((span) => [span, windows[span]] as const);
}
