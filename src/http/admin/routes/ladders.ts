// What Matrix and SIP said in a call, and what a trunk says outside of calls.
import * as z from "zod";
import { callId, trunkName } from "../../../core/ids.ts";
import { AdminError } from "../wire/admin-error.ts";
import { ladder, ladderOf } from "../wire/ladders.ts";
import { flagParameter, line } from "../wire/scalars.ts";
import { route, wholeIfAllowed } from "./route.ts";

const query = z.strictObject({
  whole_numbers: flagParameter.describe("Numbers without asterisks; needs admin.whole_numbers"),
});

export const ladderRoutes = [
  route({
    method: "get",
    at: "/calls/{id}/ladder",
    operation: "getCallLadder",
    summary:
      "What Matrix and SIP said in a call, oldest first. Of a call that has ended for as long as `ladders` keeps it",
    path: z.strictObject({ id: line(100).transform(callId) }),
    query,
    answer: ladder,
    errors: ["not_found", "forbidden"],
    async handle({ path: { id }, query: { whole_numbers: whole } }, tools) {
      const messages = await tools.door.ladder(id, wholeIfAllowed(whole, tools));
      if (messages !== undefined) return ladderOf(messages);
      const message = "there is no ladder of such a call: it may have ended too long ago (ladders.keep_minutes)";
      throw new AdminError("not_found", message, { field: "id" });
    },
  }),
  route({
    method: "get",
    at: "/trunks/{name}/ladder",
    operation: "getTrunkLadder",
    summary: "What a trunk and the bridge have said last outside of calls: REGISTER, OPTIONS, MESSAGE",
    path: z.strictObject({ name: line(255).transform(trunkName) }),
    query,
    answer: ladder,
    errors: ["not_found", "forbidden"],
    handle({ path: { name }, query: { whole_numbers: whole } }, tools) {
      const messages = tools.door.trunkLadder(name, wholeIfAllowed(whole, tools));
      if (messages !== undefined) return ladderOf(messages);
      throw new AdminError("not_found", "there is no such trunk", { field: "name" });
    },
  }),
];
