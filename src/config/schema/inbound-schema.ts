// Calls from the telephone network in the configuration: which number rings whom.
import * as z from "zod";
import { compilePattern } from "../../core/number/plan/pattern.ts";
import { listOf, roomId, seconds, secretFile, section, text, userId } from "./scalars.ts";

const trunkName = text("should be the name of a trunk");

const numberText = 'should be a number or a name in quotes, such as "+441632960123" or "alice", without @ and a domain';
const prefixText = 'should be the beginning of a number in quotes, such as "+4416329601"';
const patternText =
  'should be a number in quotes with X for a digit, Z for 1 to 9, N for 2 to 9, [13-5] for one of those, or . at its end for any more, such as "+4416329601XX"';

const userIds = listOf(userId, "Matrix user ids")
  .min(1, { error: "should name one user at least" })
  .max(50, { error: "should name 50 users at most" });

export const pinForm = /^[0-9]{4,12}$/;
export const pinText = 'should be 4 to 12 digits in quotes, such as "482915"';

const ringSeconds = seconds(5, 600);

export const did = section({
  number: text(numberText)
    .regex(/^[^\s@](?:[^\p{Cc}@]{0,126}[^\s@])?$/u, { error: numberText })
    .optional()
    .describe(
      "The called number, in any form that is a number in `dial_plan.country`. An extension works too, and so does a name, which is what the trunk puts before the @; names are compared letter by letter. Each entry has one of `number`, `pattern` and `prefix`.",
    )
    .meta({ examples: ["+441632960123"] }),
  pattern: z
    .string({ error: patternText })
    .refine((value) => compilePattern(value) !== undefined, { error: patternText })
    .optional()
    .describe(
      "A block of numbers: X is any digit, Z is 1 to 9, N is 2 to 9, [13-5] is one of those digits, and a dot at the end stands for any further digits.",
    )
    .meta({ examples: ["+4416329602XX"] }),
  prefix: z
    .string({ error: prefixText })
    .regex(/^\+?[0-9*#]{0,32}$/, { error: prefixText })
    .optional()
    .describe("All numbers that start with this. Empty: every number that no other entry takes.")
    .meta({ examples: ["+44163296"] }),
  trunks: listOf(trunkName, "trunks")
    .min(1, { error: "should name one trunk at least" })
    .optional()
    .describe("Only calls from these trunks. Default: all trunks.")
    .meta({ examples: [["main"]] }),
  user: userId
    .optional()
    .describe("Whom the number rings. Each entry has one of `user`, `users`, `in_turn` and `room`.")
    .meta({ examples: ["@alice:example.org"] }),
  users: userIds
    .optional()
    .describe("People who ring together. The first to answer gets the call.")
    .meta({ examples: [["@alice:example.org", "@bob:example.org"]] }),
  in_turn: listOf(
    section({
      users: userIds
        .describe("People who ring together in this turn.")
        .meta({ examples: [["@bob:example.org", "@carol:example.org"]] }),
      ring_seconds: ringSeconds.default(20).describe("How long they ring before the next turn begins."),
    }),
    "turns, each with users",
  )
    .min(1, { error: "should have one turn at least" })
    .max(20, { error: "should have 20 turns at most" })
    .optional()
    .describe("People who ring one after the other, in turns."),
  room: roomId
    .optional()
    .describe(
      "A room that rings for everybody in it. The first to answer gets the call; with MatrixRTC others can join it. If a call of MatrixRTC is running there, the telephone joins it without ringing. Invite the bot to the room, with the power to invite, so that it can bring the caller in.",
    )
    .meta({ examples: ["!office:example.org"] }),
  pin: z
    .string({ error: pinText })
    .regex(pinForm, { error: pinText })
    .optional()
    .describe(
      "Callers of this number hear a beep and enter these 4 to 12 digits on their telephone. Nobody is rung, and the telephone joins no call, before they are right. Six digits or more are hard to guess. Keep the PIN out of this file if you can: use `pin_file`, or the environment variable MATRIX_SIP_PIN_<NUMBER>, with `number`, `pattern` or `prefix` as it stands here without what comes before its first letter or digit, such as MATRIX_SIP_PIN_441632960123.",
    )
    .meta({ examples: ["482915"] }),
  pin_file: secretFile("office-pin"),
  ring_seconds: ringSeconds
    .default(120)
    .describe("How long to ring before giving up. With `in_turn`, each turn has its own."),
});

export const mailbox = userIds;
