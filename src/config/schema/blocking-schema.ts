// Which callers reach nobody. The block list itself is in the database (docs/admin.md).
import { blockResponses } from "../../core/policy/block-list.ts";
import { oneOf, section } from "./scalars.ts";

export const blocking = section({
  response: oneOf(blockResponses)
    .default("decline")
    .describe(
      "What callers on the block list hear, unless their entry says otherwise: `decline` (603), `unwanted` (607, RFC 8197: the provider may take it as a report), `busy` (486) or `unavailable` (480, as if the telephone were off).",
    ),
});
