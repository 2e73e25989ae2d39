// What people see of the network's verdict on a caller, and when a trunk's header says spam.
import type { CallerTrust, Verification } from "./caller.ts";
import type { RemoteIdentity } from "./remote-identity.ts";

export const callerBadges = ["verified", "forged", "spam"] as const;
export type CallerBadge = (typeof callerBadges)[number];

/** Undefined for most callers: nothing is known. */
export function badgeOf(
  verified: Verification,
  { spamMarks = [] }: Pick<RemoteIdentity, "spamMarks">,
  { spam }: Pick<CallerTrust, "spam">,
): CallerBadge | undefined {
  if (spam !== undefined && spamMarks.some((mark) => fits(mark, spam.pattern))) return "spam";
  if (verified === undefined) return undefined;
  return verified === "passed" ? "verified" : "forged";
}

export const badgeWords: Readonly<Record<CallerBadge, string>> = {
  verified: "✓ Verified: the telephone network vouches for this number.",
  forged: "⚠ Perhaps forged: this number failed verification.",
  spam: "⚠ Probably spam, says the telephone provider.",
};

/** `*` in the pattern stands for any text; capitals do not matter. Takes as many steps as the text has letters. */
function fits(text: string, pattern: string): boolean {
  const parts = pattern.trim().toLowerCase().split("*");
  const rest = text.trim().toLowerCase();
  const [first = "", ...others] = parts;
  const last = others.pop();
  if (last === undefined) return rest === first;
  if (!rest.startsWith(first) || !rest.endsWith(last) || rest.length < first.length + last.length) return false;
  const end = rest.length - last.length;
  let from = first.length;
  for (const part of others) {
    const at = rest.indexOf(part, from);
    if (at < 0 || at + part.length > end) return false;
    from = at + part.length;
  }
  return true;
}
