// What happens to a number, as the admin API says it: what `number explain` prints, as data.
import * as z from "zod";
import { formatUri } from "../../../core/address/uri.ts";
import { describeCause } from "../../../core/call/model/cause.ts";
import type {
  ArrivedExplanation,
  DialledExplanation,
  ExplainedReading,
} from "../../../core/policy/number-explanation.ts";
import { stages, stagesOf } from "./bridge.ts";

const reading = z.object({
  way: z.string(),
  number: z.string(),
  kind: z.string(),
  status: z.enum(["assigned", "possible", "impossible"]),
});

export const dialled = z.object({
  entered: z.string(),
  goes_out: z.boolean(),
  refused: z.string().optional().describe("Why it does not go out"),
  words: z.string().optional().describe("What the person reads then"),
  country: z.string().optional(),
  ghost: z.string().optional(),
  readings: z.array(reading),
  kinds: z.array(z.string()).describe("What it is judged as, the dearest first"),
  route: z.object({ prefix: z.string(), strip: z.number(), prepend: z.string() }).optional(),
  withheld: z.boolean(),
  trunks: z
    .array(z.object({ trunk: z.string(), sent: z.string(), uri: z.string(), readings: z.array(reading) }))
    .describe("In the order in which they are tried"),
  permission: z.string().optional().describe("The entry of the permissions that decided"),
});

export const arrived = z.object({
  text: z.string(),
  country: z.string().optional(),
  format: z.string(),
  readings: z.array(reading),
  caller: z.object({
    shown: z.string(),
    ghost: z.string().optional(),
    call_back: z.object({ number: z.string(), trunk: z.string(), uri: z.string() }).optional(),
  }),
  called: z
    .object({
      number: z.string(),
      stages,
    })
    .optional()
    .describe("Whom it rings if it is called; missing: nobody"),
});

function readingsOf(readings: readonly ExplainedReading[]): z.infer<typeof reading>[] {
  return readings.map(({ way, number, class: kind, status }) => ({ way, number, kind, status }));
}

export function dialledOf(found: DialledExplanation): z.infer<typeof dialled> {
  if (found.kind === "not-dialable") {
    const { entered, why } = found;
    const cause = why === "domain-not-allowed" ? "domain-not-allowed" : "not-dialable";
    const { words } = describeCause(cause);
    return { entered, goes_out: false, refused: why, words, readings: [], kinds: [], withheld: false, trunks: [] };
  }
  const { entered, country, ghost, verdict, classes, route, withheld, permission } = found;
  const refused = verdict.kind === "refused" ? verdict.cause : undefined;
  return {
    entered,
    goes_out: refused === undefined,
    refused,
    words: refused === undefined ? undefined : describeCause(refused).words,
    country,
    ghost,
    readings: readingsOf(found.readings),
    kinds: [...classes],
    route: route && { prefix: route.prefix, strip: route.strip, prepend: route.prepend },
    withheld,
    trunks: found.trunks.map(({ trunk, sent, uri, readings }) => ({
      trunk,
      sent,
      uri: formatUri(uri),
      readings: readingsOf(readings),
    })),
    permission,
  };
}

export function arrivedOf({
  text,
  country,
  format,
  readings,
  caller,
  called,
}: ArrivedExplanation): z.infer<typeof arrived> {
  const back = caller.callBack;
  return {
    text,
    country,
    format,
    readings: readingsOf(readings),
    caller: {
      shown: caller.shown,
      ghost: caller.ghost,
      call_back: back && { number: back.number, trunk: back.trunk, uri: formatUri(back.uri) },
    },
    called: called.kind === "none" ? undefined : { number: called.number, stages: stagesOf(called.stages) },
  };
}
