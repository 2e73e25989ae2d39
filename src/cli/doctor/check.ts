// A check as data: what it looks at, what has to be right before it makes sense, and what it found.
import type { CheckId } from "./catalogue.ts";

export interface Problem {
  /** What was seen, never a secret. */
  readonly found: string;
  /** The setting, command or page that mends it. */
  readonly mend: string;
}

export type Finding =
  | { readonly kind: "ok"; readonly found: string }
  /** Calls work, but not all of them, or not for ever. */
  | { readonly kind: "warning"; readonly problems: readonly Problem[] }
  | { readonly kind: "failed"; readonly problems: readonly Problem[] }
  /** There is nothing to look at, or it cannot be looked at from here. */
  | { readonly kind: "skipped"; readonly because: string };

export interface Check {
  readonly id: CheckId;
  /** The trunk that it is about, if there is one check for each. */
  readonly trunk?: string;
  /** Checks that must not have failed: those of the same trunk, and those about no trunk. */
  readonly needs: readonly CheckId[];
  /** `usualLimitMs` unless given. */
  readonly limitMs?: number;
  /** Ends what it has begun when it is told that its time is up. What it throws is a finding, too. */
  readonly run: (signal: AbortSignal) => Finding | Promise<Finding>;
}

export interface CheckResult {
  readonly id: CheckId;
  readonly trunk: string | undefined;
  readonly finding: Finding;
  /** The check that failed, so that this one was not run. */
  readonly blockedBy: CheckId | undefined;
  readonly tookMs: number;
}

export const ok = (found: string): Finding => ({ kind: "ok", found });
export const warning = (found: string, mend: string): Finding => ({ kind: "warning", problems: [{ found, mend }] });
export const failed = (found: string, mend: string): Finding => ({ kind: "failed", problems: [{ found, mend }] });
export const skipped = (because: string): Finding => ({ kind: "skipped", because });

/** `fine` is said where there are none. */
export function finding(kind: "warning" | "failed", problems: readonly Problem[], fine: string): Finding {
  return problems.length === 0 ? ok(fine) : { kind, problems };
}
