// Which callers reach nobody. The block list itself is in the database (docs/admin.md).
import { blockResponses } from "../../core/policy/block-list.ts";
import { callerChoices } from "../../core/policy/caller.ts";
import { oneOf, section } from "./scalars.ts";

const choice = oneOf(callerChoices).default("allow");

export const blocking = section({
  response: oneOf(blockResponses)
    .default("decline")
    .describe(
      "What callers on the block list hear, unless their entry says otherwise: `decline` (603), `unwanted` (607, RFC 8197: the provider may take it as a report), `busy` (486) or `unavailable` (480, as if the telephone were off).",
    ),
  anonymous: choice.describe(
    "Calls and texts from callers who withhold their number: `allow`, `reject` (433, RFC 5079) or `voicemail`. `voicemail` answers 480, as a telephone that is switched off: a trunk or PBX that has a voice mailbox for the number takes the call there.",
  ),
  spam: choice.describe(
    "Calls and texts that a trunk marks as spam (`trunks[].inbound.spam`): `allow` shows that to people, `reject` answers 603, `voicemail` answers 480.",
  ),
  failed_verification: choice.describe(
    "Calls and texts whose number failed verification (`trunks[].inbound.verstat`): `allow` shows that to people, `reject` answers 603, `voicemail` answers 480.",
  ),
});
