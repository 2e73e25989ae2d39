// Calls from the telephone network in the configuration: which number rings whom.
import * as z from "zod";
import { parseUserId } from "../core/ids.ts";
import { compilePattern } from "../core/number/pattern.ts";
import { listOf, seconds, section, text } from "./scalars.ts";

const trunkName = text("should be the name of a trunk");

const userText = 'should be a Matrix user id in quotes, such as "@alice:example.org"';
const userId = z.string({ error: userText }).refine((value) => parseUserId(value) !== undefined, { error: userText });

const roomText = 'should be a room id in quotes, such as "!office:example.org"';
const roomId = z
  .string({ error: roomText })
  .regex(/^![^\s:]+(?::\S+)?$/, { error: roomText })
  .max(255, { error: roomText });

const numberText = 'should be a number or a name in quotes, such as "+441632960123" or "alice", without @ and a domain';
const prefixText = 'should be the beginning of a number in quotes, such as "+4416329601"';
const patternText =
  'should be a number in quotes with X for a digit, Z for 1 to 9, N for 2 to 9, [13-5] for one of those, or . at its end for any more, such as "+4416329601XX"';

const userIds = listOf(userId, "Matrix user ids")
  .min(1, { error: "should name one user at least" })
  .max(50, { error: "should name 50 users at most" });

const ringSeconds = seconds(5, 600);

export const did = section({
  number: text(numberText)
    .regex(/^[^\s@](?:[^\p{Cc}@]{0,126}[^\s@])?$/u, { error: numberText })
    .optional()
    .describe(
      "The number that is called, in any form that is a number in dial_plan.country; an extension; or a name that the trunk calls (what stands before the @), compared letter by letter. " +
        "One of number, pattern and prefix.",
    )
    .meta({ examples: ["+441632960123"] }),
  pattern: z
    .string({ error: patternText })
    .refine((value) => compilePattern(value) !== undefined, { error: patternText })
    .optional()
    .describe(
      "Several numbers: X is any digit, Z 1 to 9, N 2 to 9, [13-5] one of those, and . at the end any further ones.",
    )
    .meta({ examples: ["+4416329602XX"] }),
  prefix: z
    .string({ error: prefixText })
    .regex(/^\+?[0-9*#]{0,32}$/, { error: prefixText })
    .optional()
    .describe("All numbers that begin so; empty: every one that nothing else in the list is for.")
    .meta({ examples: ["+44163296"] }),
  trunks: listOf(trunkName, "trunks")
    .min(1, { error: "should name one trunk at least" })
    .optional()
    .describe("Only on these trunks. Without it: on all.")
    .meta({ examples: [["main"]] }),
  user: userId
    .optional()
    .describe("Whom it rings. One of user, users, in_turn and room.")
    .meta({ examples: ["@alice:example.org"] }),
  users: userIds
    .optional()
    .describe("Whom it rings together: the first to answer has the call.")
    .meta({ examples: [["@alice:example.org", "@bob:example.org"]] }),
  in_turn: listOf(
    section({
      users: userIds
        .describe("Who ring together now.")
        .meta({ examples: [["@bob:example.org", "@carol:example.org"]] }),
      ring_seconds: ringSeconds.default(20).describe("For so long; then the next turn."),
    }),
    "turns, each with users",
  )
    .min(1, { error: "should have one turn at least" })
    .max(20, { error: "should have 20 turns at most" })
    .optional()
    .describe("Whom it rings one after the other."),
  room: roomId
    .optional()
    .describe(
      "A room in which it rings for everybody; whoever answers first has the call. Invite the bridge's bot to it, so that numbers can come in.",
    )
    .meta({ examples: ["!office:example.org"] }),
  ring_seconds: ringSeconds
    .default(120)
    .describe("So long it rings before nobody has answered; of in_turn each turn has its own."),
});

export const mailbox = userIds;
