// Who may call what, how often, for how long, and for how much.
import * as z from "zod";
import { parseMoney } from "../../core/policy/spending/money.ts";
import { dearestPerMinute } from "../../core/policy/spending/rate.ts";
import { filePath, listOf, mapOf, oneOf, seconds, section, text, whole } from "./scalars.ts";

const barredClasses = listOf(oneOf(["premium", "shared-cost", "satellite", "unknown"]), "kinds of number");

const amountWords = "should be an amount such as 5 or 0.025, with six decimals at most";

/** Kept as it was written, so that nothing is rounded; mapping/spending-mapping.ts reads it. */
function amount(most = Number.MAX_SAFE_INTEGER) {
  return z.union([z.number(), z.string()], { error: amountWords }).refine(
    (value) => {
      const money = parseMoney(String(value));
      return money !== undefined && money <= most;
    },
    { error: amountWords },
  );
}

/** `whose`: as in "how many minutes [whose] calls may last". */
function bounds(whose: string) {
  return {
    minutes_per_day: whole(0, 1_000_000)
      .optional()
      .describe(`How many minutes ${whose} calls may last in one day, all together.`)
      .meta({ examples: [120] }),
    minutes_per_month: whole(0, 10_000_000)
      .optional()
      .describe(`How many minutes ${whose} calls may last in one month, all together.`)
      .meta({ examples: [1200] }),
    money_per_day: amount()
      .optional()
      .describe(`How much ${whose} calls may cost in one day. Needs \`limits.rates_file\` or \`limits.default_rate\`.`)
      .meta({ examples: [5] }),
    money_per_month: amount()
      .optional()
      .describe(
        `How much ${whose} calls may cost in one month. Needs \`limits.rates_file\` or \`limits.default_rate\`.`,
      )
      .meta({ examples: [40] }),
  };
}

function scope(whose: string) {
  return section({
    calls_at_once: whole(0, 100_000)
      .optional()
      .describe(`How many of ${whose} calls there may be at once.`)
      .meta({ examples: [4] }),
    calls_per_minute: whole(1, 10_000)
      .optional()
      .describe(`How many of ${whose} calls may be tried in one minute, successful or not.`)
      .meta({ examples: [20] }),
    ...bounds(whose),
  });
}

export const permission = z.union(
  [
    oneOf(["call", "none"]),
    section({
      allow: barredClasses
        .default([])
        .describe("Kinds of number that they may call, in addition to those in `limits.allow`."),
      calls_per_user: whole(0, 1000)
        .optional()
        .describe("How many calls each of them may have at once.")
        .meta({ examples: [4] }),
      max_duration_seconds: seconds(1, 604_800)
        .optional()
        .describe("How long their calls may last.")
        .meta({ examples: [3600] }),
      ...bounds("the outgoing"),
    }),
  ],
  {
    error:
      "should be `call`, `none`, or a section with the keys allow, calls_per_user, max_duration_seconds, minutes_per_day, minutes_per_month, money_per_day, money_per_month",
  },
);

const zoneWords = "should be a time zone of the tz database, such as Europe/Berlin";

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const patterns = section({
  expensive_from: amount(dearestPerMinute)
    .optional()
    .describe(
      "What one minute costs at least to numbers that are looked at, connection included. Needs `limits.rates_file` or `limits.default_rate`. If it is missing, calls to numbers outside of `dial_plan.country` are looked at.",
    )
    .meta({ examples: [0.2] }),
  short_calls: whole(0, 100)
    .default(6)
    .describe(
      "How many calls of less than a minute a person may make to one range of such numbers in an hour. The next one is held. 0 switches this off.",
    ),
  short_calls_at_night: whole(0, 100).default(4).describe("The same at night. 0 switches this off."),
  night_from: whole(0, 23).default(22).describe("The hour at which the night begins, in `limits.time_zone`."),
  night_until: whole(0, 23).default(6).describe("The hour at which the night ends."),
  allowed_days: whole(0, 365)
    .default(7)
    .describe("For how many days calls are not held again that an admin has allowed."),
});

export const limits = section({
  allow: barredClasses
    .default([])
    .describe(
      "Kinds of number that everybody with permission may call; the others are barred. A number counts as `premium`, `shared-cost` or `satellite` if there is any way for the trunk to read it as one. If a harmless number is refused for that reason, dial it with + and the country code: then there is only one way to read it. `unknown` is a text of nine or more digits, or one with a plus, that is not a number in any reading. Allow it if your trunk has long numbers of its own, or name their first digits in a route of the dial plan.",
    )
    .meta({ examples: [["shared-cost"]] }),
  calls_per_user: whole(1, 1000).default(2).describe("How many calls one person may have at once."),
  calls_in_all: whole(1, 100_000).default(100).describe("How many calls the bridge carries at once."),
  calls_per_minute: whole(1, 10_000)
    .default(30)
    .describe(
      "How many calls one person or one telephone may try in a minute, successful or not. A transfer to a number counts as a call of the person in the call, even if the trunk orders it. The same limit holds, separately, for invitations of numbers and for messages from one person, and for first-time callers of one trunk.",
    ),
  max_duration_seconds: seconds(1, 604_800)
    .default(14_400)
    .describe("How long a call may last. The bridge ends it then."),
  time_zone: text(zoneWords)
    .refine(isTimeZone, { error: zoneWords })
    .default("UTC")
    .describe("The time zone in which days and months begin, for the limits below.")
    .meta({ examples: ["Europe/Berlin"] }),
  currency: text("should be the name of a currency, such as EUR")
    .regex(/^[^\s]{1,8}$/, { error: "should be the name of a currency, such as EUR" })
    .default("EUR")
    .describe("What prices and limits of money are in. It is only shown."),
  rates_file: filePath
    .optional()
    .describe(
      "The price list of your trunks: CSV with a header, one row for each prefix of numbers, the longest prefix counts. Relative to the folder of this file. docs/spending.md says which columns it has.",
    )
    .meta({ examples: ["rates.csv"] }),
  default_rate: amount(dearestPerMinute)
    .optional()
    .describe(
      "What a minute costs to numbers that are not in the price list; without a price list, to all numbers. If it is missing, numbers without a price are not called as soon as there is a price list.",
    )
    .meta({ examples: [0.5] }),
  private_rate: amount(dearestPerMinute)
    .optional()
    .describe(
      "What a minute costs to extensions, short codes and SIP addresses, which no price list has. 0 where they cost nothing. If it is missing, they are numbers without a price.",
    )
    .meta({ examples: [0] }),
  patterns: patterns
    .prefault({})
    .describe("When calls look like fraud. They are held then until an admin allows them. docs/spending.md says how."),
  per_user: section(bounds("one person's outgoing"))
    .prefault({})
    .describe("Minutes and money of each person. An entry of `permissions` may say otherwise for some."),
  in_all: section(bounds("all outgoing")).prefault({}).describe("Minutes and money of all outgoing calls together."),
  trunks: mapOf(scope("its outgoing"), "names of trunks to limits")
    .default({})
    .describe("Limits on the outgoing calls over each trunk, by its name.")
    .meta({ examples: [{ main: { calls_at_once: 10, money_per_day: 20 } }] }),
  countries: mapOf(scope("the outgoing"), "countries to limits")
    .default({})
    .describe(
      "Limits on the outgoing calls to each country: two letters (ISO 3166-1), a calling code such as +881 that belongs to no country, or `*` for each country that is not named.",
    )
    .meta({ examples: [{ GB: {}, "*": { calls_at_once: 2, minutes_per_day: 60 } }] }),
});
