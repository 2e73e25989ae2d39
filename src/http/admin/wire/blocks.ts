// The block list as the admin API shows it.
import * as z from "zod";
import { blockResponses, type Block } from "../../../core/policy/block-list.ts";
import { line, time, timeOf, userParameter } from "./scalars.ts";

const response = z
  .enum(blockResponses)
  .describe("What the caller hears: 603, 607, 486 or 480; missing: as blocking.response says");
const callersText = "A number, its beginning with * behind it, a SIP address, or `anonymous`";

export const block = z.object({
  callers: z.string().describe(callersText),
  person: z.string().optional().describe("Whom it keeps them away from; missing: everybody"),
  response: response.optional(),
  by: z.string().describe("Who put it there"),
  at: time,
});

export const blockList = z.object({ blocks: z.array(block) });

export const blockOrder = z.strictObject({
  callers: line(200).describe(`${callersText}; numbers in any spelling`),
  person: userParameter.optional(),
  response: response.optional(),
});
export const unblockOrder = blockOrder.omit({ response: true });

/** `callers`: as they may be shown. */
export function blockOf({ person, response: heard, by, atMs }: Block, callers: string): z.infer<typeof block> {
  return { callers, person, response: heard, by, at: timeOf(atMs) };
}
