// The dial plan in the configuration: which number goes to which trunk, and how it is written there.
import * as z from "zod";
import { countryCode, listOf, mapOf, section, text, whole } from "./scalars.ts";

const trunkName = text("should be the name of a trunk");

const route = section({
  prefix: z
    .string({ error: 'should be the beginning of a number in quotes, such as "+44"' })
    .regex(/^\+?[0-9*#]*$/, { error: "should be digits, * and #, or + and digits, in quotes" })
    .describe(
      "First characters of the number: with + they are compared with its E.164 form, without + with what was dialled. Empty: every number. The longest matching prefix wins.",
    )
    .meta({ examples: ["+44"] }),
  trunk: trunkName.describe("The trunk for these calls.").meta({ examples: ["main"] }),
  more_trunks: listOf(trunkName, "trunks")
    .max(4, { error: "should name four trunks at most" })
    .default([])
    .describe("Further trunks, tried in this order when a trunk fails before the call rings.")
    .meta({ examples: [["main"]] }),
  strip: whole(0, 32).default(0).describe("How many characters to remove from the start of the number."),
  prepend: z
    .string({ error: "should be digits, * and # in quotes" })
    .regex(/^\+?[0-9*#]*$/, { error: "should be digits, * and # in quotes" })
    .default("")
    .describe("Characters to put in front of the number after that."),
});

const withholdText = 'should be two to eight digits, * and # in quotes, such as "#31#"';

export const dialPlan = section({
  country: countryCode.meta({
    description:
      "Country of numbers that are dialled without a country code (ISO 3166-1). It also decides which numbers are emergency, premium-rate or shared-cost numbers.",
    examples: ["GB"],
  }),
  routes: listOf(route, "routes")
    .default([])
    .describe(
      "Which numbers go to which trunk. Without routes, every number goes to the first trunk; with routes, a number that matches none is refused.",
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
      "Codes that people dial in front of a number to withhold their own, such as *67, #31# or 141. The bridge removes the code and sends the trunk a Privacy header (RFC 3323) instead.",
    )
    .meta({ examples: [["#31#"]] }),
  sip_domains: mapOf(trunkName, "SIP domains to trunks")
    .default({})
    .describe("SIP domains that people may call (user@domain), and the trunk that reaches each.")
    .meta({ examples: [{ "pbx.example.org": "main" }] }),
  emergency_trunk: trunkName
    .optional()
    .describe(
      "Trunk for emergency numbers. Without it, emergency calls are refused, and people are told to use another telephone. Name a trunk only if it tells the emergency centre where the caller is.",
    )
    .meta({ examples: ["main"] }),
});
