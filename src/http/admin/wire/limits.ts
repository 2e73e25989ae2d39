// Limits of minutes and money as the admin API tells them.
import * as z from "zod";
import { moneyDecimal } from "../../../core/policy/spending/money.ts";
import type { LimitEvent } from "../../../ports/admin/bridge-event.ts";

const scope = z.object({
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
    scope: { kind: whose.kind, name: whose.name },
    span,
    measure: of === "money" ? "money" : "minutes",
    limit: amountOf(of, limit),
    used: amountOf(of, used),
    currency,
    person,
  };
}

function amountOf(of: "seconds" | "money", amountUsed: number): string {
  return of === "money" ? moneyDecimal(amountUsed) : String(Math.floor(amountUsed / 6) / 10);
}
