// The ways in which one number is commonly written. Not all ways: only those that ghosts are likely to have been made for.
import type { DialPlan } from "./dial-plan.ts";
import { dialString, withoutPlus } from "../dialled.ts";
import { nationalForm, toE164 } from "../e164.ts";
import type { DialTarget } from "../ghost/ghost-id.ts";

/** The target itself comes first. */
export function commonSpellings(target: DialTarget, { country }: Pick<DialPlan, "country">): readonly DialTarget[] {
  if (target.kind !== "number") return [target];
  const { dialled } = target;
  const e164 = toE164(dialled, country);
  if (e164 === undefined) return [target];
  const digits = withoutPlus(e164);
  const national = country === undefined ? e164 : nationalForm(e164, country);
  const spellings = new Set([dialled, e164, national, dialString(`00${digits}`), digits]);
  return [...spellings].flatMap((keys) => (keys === undefined ? [] : { kind: "number" as const, dialled: keys }));
}
