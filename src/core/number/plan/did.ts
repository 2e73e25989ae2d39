// The DID table: whom a called number rings. Numbers compare as numbers, however the trunk writes them; names compare as text.
// Who is calling is policy's business (policy/caller), how it rings is the call's.
import type { RingStage } from "./ring-stage.ts";
import type { PinTerms } from "../../pin-entry.ts";
import type { RoomId, TrunkName, UserId } from "../../ids.ts";
import type { Country } from "../e164.ts";
import { compilePattern } from "./pattern.ts";
import { allForms, spellingOf, type InboundNumberFormat } from "./spelling.ts";

/** What a rule is for: one number or name, all that begin alike, or all that fit a wildcard pattern (`pattern.ts`). */
export type DidMatch =
  | { readonly kind: "exact"; readonly number: string }
  | { readonly kind: "pattern"; readonly pattern: string }
  /** Empty: everything. */
  | { readonly kind: "prefix"; readonly prefix: string };

export interface DidRule {
  readonly match: DidMatch;
  /** Empty: on every trunk. */
  readonly trunks: readonly TrunkName[];
  /** One at least; they ring one after the other. */
  readonly stages: readonly RingStage[];
  /** What a caller has to enter before anybody is rung. */
  readonly pin?: PinTerms | undefined;
}

export interface DidTable {
  readonly rules: readonly DidRule[];
}

export type DidFinding =
  | {
      readonly kind: "found";
      readonly stages: readonly RingStage[];
      readonly pin: PinTerms | undefined;
      /** The called number for people and logs: E.164 where it is understood, else as sent. */
      readonly number: string;
    }
  /** `number`: as an entry for it would be written. */
  | { readonly kind: "none"; readonly number: string };

/** Every room that some number rings in. */
export function roomsOf({ rules }: DidTable): ReadonlySet<RoomId> {
  const targets = rules.flatMap(({ stages }) => stages.flatMap((stage) => stage.targets));
  return new Set(targets.flatMap((target) => (target.kind === "room" ? [target.room] : [])));
}

/** Everybody whom some number rings in person, with the entries that name them. */
export function peopleOf({ rules }: DidTable): ReadonlyMap<UserId, readonly DidMatch[]> {
  const people = new Map<UserId, DidMatch[]>();
  for (const { match, stages } of rules) {
    for (const target of stages.flatMap((stage) => stage.targets)) {
      if (target.kind === "person") people.set(target.person, [...(people.get(target.person) ?? []), match]);
    }
  }
  return people;
}

/**
 * `called` as the trunk sent it, a context behind it (RFC 3966); `format` is how that trunk writes numbers. Of the rules that fit on this trunk an exact one goes before a pattern, a pattern before a
 * prefix, a long prefix before a short one, and the first in the list before all like it. Never throws.
 */
export function findDid(
  called: string,
  trunk: TrunkName,
  table: DidTable,
  country: Country | undefined,
  format: InboundNumberFormat = "auto",
): DidFinding {
  const spelling = spellingOf(called, country, format);
  const forms = allForms(spelling, country);
  const index = indexOf(table, country);
  const fits = ({ rule }: Indexed): boolean => rule.trunks.length === 0 || rule.trunks.includes(trunk);
  const found =
    exactRule(forms, index, fits) ??
    index.patterns.find((entry) => fits(entry) && forms.some((form) => entry.pattern.test(form))) ??
    index.prefixes.find((entry) => fits(entry) && forms.some((form) => form.startsWith(entry.prefix)));
  const number = spelling.e164[0] ?? spelling.sent;
  if (found === undefined) return { kind: "none", number };
  const { stages, pin } = found.rule;
  return { kind: "found", stages, pin, number };
}

interface Indexed {
  readonly rule: DidRule;
}

interface DidIndex {
  readonly country: Country | undefined;
  /** By every form of the rule's number, in the order of the list. */
  readonly exact: ReadonlyMap<string, readonly Indexed[]>;
  readonly patterns: readonly (Indexed & { readonly pattern: RegExp })[];
  /** The longest first, those of one length in the order of the list. */
  readonly prefixes: readonly (Indexed & { readonly prefix: string })[];
}

/** The forms of the called number stand in the order of their likelihood. */
function exactRule(forms: readonly string[], index: DidIndex, fits: (entry: Indexed) => boolean): Indexed | undefined {
  for (const form of forms) {
    const found = index.exact.get(form)?.find(fits);
    if (found) return found;
  }
  return undefined;
}

/** A table of a thousand numbers is read once, not at every call. */
const indices = new WeakMap<DidTable, DidIndex>();

function indexOf(table: DidTable, country: Country | undefined): DidIndex {
  const known = indices.get(table);
  if (known?.country === country && known !== undefined) return known;
  const made = makeIndex(table, country);
  indices.set(table, made);
  return made;
}

function makeIndex({ rules }: DidTable, country: Country | undefined): DidIndex {
  const exact = new Map<string, Indexed[]>();
  const patterns: (Indexed & { readonly pattern: RegExp })[] = [];
  const prefixes: (Indexed & { readonly prefix: string })[] = [];
  for (const rule of rules) {
    const { match } = rule;
    switch (match.kind) {
      case "exact":
        for (const form of exactForms(match.number, country)) {
          const entries = exact.get(form) ?? [];
          entries.push({ rule });
          exact.set(form, entries);
        }
        break;
      case "pattern": {
        const pattern = compilePattern(match.pattern);
        if (pattern) patterns.push({ rule, pattern });
        break;
      }
      case "prefix":
        prefixes.push({ rule, prefix: match.prefix });
        break;
    }
  }
  return {
    country,
    exact,
    patterns,
    prefixes: prefixes.toSorted((one, other) => other.prefix.length - one.prefix.length),
  };
}

/** The forms under which the number of an exact rule is the same; two rules that share one are for the same number. */
export function exactForms(number: string, country: Country | undefined): readonly string[] {
  const { sent, e164 } = spellingOf(number, country);
  return [...new Set([sent, ...e164.slice(0, 1)])];
}
