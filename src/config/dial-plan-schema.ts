// The dial plan in the configuration: which number goes to which trunk, and how it is written there.
import * as z from "zod";
import { countryCode, listOf, mapOf, section, text, whole } from "./scalars.ts";

const trunkName = text("should be the name of a trunk");

const route = section({
  prefix: z
    .string({ error: 'should be the beginning of a number in quotes, such as "+44"' })
    .regex(/^\+?[0-9*#]*$/, { error: "should be digits, * and #, or + and digits, in quotes" })
    .describe(
      "Beginning of the number: with + of its E.164 form, without of what was dialled. Empty: every number. The longest wins.",
    )
    .meta({ examples: ["+44"] }),
  trunk: trunkName.describe("Where these calls go.").meta({ examples: ["main"] }),
  more_trunks: listOf(trunkName, "trunks")
    .max(4, { error: "should name four trunks at most" })
    .default([])
    .describe("Further trunks, tried in this order where those before fail before it rings.")
    .meta({ examples: [["main"]] }),
  strip: whole(0, 32).default(0).describe("So many characters are taken away in front."),
  prepend: z
    .string({ error: "should be digits, * and # in quotes" })
    .regex(/^\+?[0-9*#]*$/, { error: "should be digits, * and # in quotes" })
    .default("")
    .describe("Put in front instead."),
});

const withholdText = 'should be two to eight digits, * and # in quotes, such as "#31#"';

export const dialPlan = section({
  country: countryCode.meta({
    description:
      "Where numbers without a country code belong (ISO 3166-1). Decides too what is an emergency, premium or shared-cost number.",
    examples: ["GB"],
  }),
  routes: listOf(route, "routes")
    .default([])
    .describe(
      "Which numbers go to which trunk. Without any, all go to the first one; otherwise a number that no route fits is refused.",
    )
    .meta({
      examples: [[{ prefix: "+44", trunk: "main" }]],
    }),
  withhold_prefixes: listOf(
    z.string({ error: withholdText }).regex(/^[0-9*#]{2,8}$/, { error: withholdText }),
    "prefixes",
  )
    .default([])
    .describe(
      "Codes that people dial before a number so that theirs is not shown, such as *67, #31# or 141. They are not sent; the trunk gets Privacy (RFC 3325) instead.",
    )
    .meta({ examples: [["#31#"]] }),
  sip_domains: mapOf(trunkName, "SIP domains to trunks")
    .default({})
    .describe("SIP domains that may be called (user@domain), and the trunk that reaches each.")
    .meta({ examples: [{ "pbx.example.org": "main" }] }),
  emergency_trunk: trunkName
    .optional()
    .describe(
      "Trunk for emergency numbers. Without it they are refused in plain words. Name one only if it tells the emergency centre where the caller is.",
    )
    .meta({ examples: ["main"] }),
});
