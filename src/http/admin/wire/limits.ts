// Limits of minutes and money as the admin API tells them.
import * as z from "zod";
import { moneyDecimal } from "../../../core/policy/spending/money.ts";
import { trunkName } from "../../../core/ids.ts";
import type { Scope } from "../../../core/policy/spending/allowance.ts";
import type { Bar } from "../../../core/policy/spending/bar.ts";
import type { LimitEvent, PatternEvent } from "../../../ports/admin/bridge-event.ts";
import type { HeldCalls, LimitUse } from "../../../ports/admin/spending-door.ts";
import { line, time, timeOf, userParameter } from "./scalars.ts";

export const scope = z.object({
  kind: z.enum(["user", "trunk", "country", "bridge"]),
  name: z.string().describe("A user id, a trunk, a country (ISO 3166-1) or calling code; empty for the whole bridge"),
});

const measure = z.enum(["minutes", "money"]);
/** Decimal, so that nothing is rounded. */
const amount = z.string().describe("In minutes or in the currency, as a decimal number");

export const limitNews = z.object({
  scope,
  span: z.enum(["day", "month"]),
  measure,
  limit: amount,
  used: amount,
  currency: z.string(),
  person: z.string().describe("Whose call it was"),
});

export function scopeOf({ kind, name }: Scope): z.infer<typeof scope> {
  return { kind, name };
}

export const limitUse = z.object({
  scope,
  span: z.enum(["day", "month"]),
  measure,
  limit: amount.optional().describe("Missing: no limit"),
  used: amount,
});

export const limitUses = z.object({ currency: z.string(), uses: z.array(limitUse) });

export function limitUseOf({ scope: whose, span, of, limit, used }: LimitUse): z.infer<typeof limitUse> {
  return {
    scope: scopeOf(whose),
    span,
    measure: of === "money" ? "money" : "minutes",
    limit: limit === undefined ? undefined : amountOf(of, limit),
    used: amountOf(of, used),
  };
}

export const stop = z.object({
  scope,
  inbound: z.boolean().describe("Incoming calls too"),
  who: z.string(),
  why: z.string(),
  at: time,
});
export const stopList = z.object({ stops: z.array(stop) });
export const stopped = stopList.extend({ ended: z.int().min(0).describe("How many calls end now") });

export function stopOf({ scope: whose, inbound, who, why, atMs }: Bar): z.infer<typeof stop> {
  return { scope: scopeOf(whose), inbound, who, why, at: timeOf(atMs) };
}

const whose = {
  user: userParameter.optional().describe("Only this person's calls"),
  trunk: line(255).transform(trunkName).optional().describe("Only calls over this trunk"),
};
export const stopOrder = z
  .strictObject({
    ...whose,
    all: z.boolean().default(false).describe("Incoming calls too"),
    reason: line(200).optional().describe("For the log"),
  })
  .prefault({});
export const startOrder = z.strictObject(whose).prefault({});

export function limitNewsOf({
  scope: whose,
  span,
  of,
  limit,
  used,
  currency,
  person,
}: LimitEvent): z.infer<typeof limitNews> {
  return {
    scope: scopeOf(whose),
    span,
    measure: of === "money" ? "money" : "minutes",
    limit: amountOf(of, limit),
    used: amountOf(of, used),
    currency,
    person,
  };
}

const prefixWords = "The first digits of numbers in E.164, without a plus";

const held = z.object({ person: z.string(), prefix: z.string().describe(prefixWords), why: z.string(), at: time });
export const heldList = z.object({ held: z.array(held) });
export const allowed = heldList.extend({ allowed: z.array(z.string()).describe("The prefixes that were held") });

export function heldOf({ person, prefix, why, atMs }: HeldCalls): z.infer<typeof held> {
  return { person, prefix, why, at: timeOf(atMs) };
}

export const allowOrder = z.strictObject({
  user: userParameter,
  prefix: z
    .string()
    .regex(/^\+?\d{1,15}$/, { error: "should be the first digits of numbers, such as +37129" })
    .transform((digits) => digits.replace("+", ""))
    .optional()
    .describe("As it is shown where calls are held; missing: all that is held of the person"),
});

export const patternNews = z.object({
  person: z.string(),
  prefix: z.string().describe(prefixWords),
  shape: z.enum(["short-calls", "short-calls-at-night"]),
  why: z.string(),
});

export function patternNewsOf({ person, prefix, shape, why }: PatternEvent): z.infer<typeof patternNews> {
  return { person, prefix, shape, why };
}

function amountOf(of: "seconds" | "money", amountUsed: number): string {
  return of === "money" ? moneyDecimal(amountUsed) : String(Math.floor(amountUsed / 6) / 10);
}
