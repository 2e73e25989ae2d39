// Calls of the moment, and those that have ended.
import * as z from "zod";
import { callId, trunkName } from "../../../core/ids.ts";
import { AdminError } from "../wire/admin-error.ts";
import { route, wholeIfAllowed } from "./route.ts";
import { callList, hangUpOrder, recordList } from "../wire/schemas.ts";
import { call, callOf, callRecordOf, cursor, cursorOf, results } from "../wire/calls.ts";
import { qualitySeries, seriesOf } from "../wire/quality.ts";
import { flagParameter, line, timeParameter, userParameter, wholeParameter } from "../wire/scalars.ts";

const path = z.strictObject({ id: line(100).transform(callId) });
const none = (): AdminError => new AdminError("not_found", "there is no such call, or it has ended", { field: "id" });

export const callRoutes = [
  route({
    method: "get",
    at: "/calls",
    operation: "listCalls",
    summary: "The calls of the moment",
    answer: callList,
    handle: async (_, { door }) => ({ calls: (await door.calls()).map(callOf) }),
  }),
  route({
    method: "get",
    at: "/calls/{id}",
    operation: "getCall",
    summary: "One call of the moment",
    path,
    answer: call,
    errors: ["not_found"],
    async handle({ path: { id } }, { door }) {
      const found = (await door.calls()).find((one) => one.id === id);
      if (found === undefined) throw none();
      return callOf(found);
    },
  }),
  route({
    method: "get",
    at: "/calls/{id}/quality",
    operation: "getCallQuality",
    summary: "How good the audio of a call has been in the last ten minutes, in each direction",
    path,
    answer: qualitySeries,
    errors: ["not_found"],
    handle({ path: { id } }, { door }) {
      const samples = door.quality.of(id);
      if (samples !== undefined) return seriesOf(samples);
      throw new AdminError("not_found", "there is no such call that is up", { field: "id" });
    },
  }),
  route({
    method: "post",
    at: "/calls/{id}/hangup",
    operation: "hangUpCall",
    summary: "Ends a call on both sides",
    path,
    body: hangUpOrder,
    answer: z.object({ id: z.string() }).describe("Of the call, which ends now"),
    status: 202,
    errors: ["not_found"],
    action: "hang up call",
    detail: ({ body: { reason } }) => reason,
    handle({ path: { id }, body: { reason } }, { door }) {
      if (!door.end(id, reason ?? "none given")) throw none();
      return { id };
    },
  }),
  route({
    method: "get",
    at: "/records",
    operation: "listRecords",
    summary:
      "Calls that have ended, newest first. A page may be short or empty although `next` leads to another: ask on until it is missing",
    query: z.strictObject({
      from: timeParameter.optional().describe("Ended then or later"),
      to: timeParameter.optional().describe("Ended before"),
      person: userParameter.optional(),
      number: line(100).optional().describe("The telephone's or the called one, in any spelling"),
      trunk: line(255).transform(trunkName).optional(),
      result: z.enum(results).optional(),
      after: cursor.optional().describe("`next` of the page before"),
      limit: wholeParameter(1, 500, 100),
      whole_numbers: flagParameter.describe("Numbers without asterisks; needs admin.whole_numbers"),
    }),
    answer: recordList,
    errors: ["forbidden", "unavailable"],
    async handle({ query }, tools) {
      const { from: fromMs, to: toMs, whole_numbers: whole, ...rest } = query;
      const wholeNumbers = wholeIfAllowed(whole, tools);
      const { records, next } = await tools.door.records({ ...rest, fromMs, toMs, wholeNumbers });
      return { records: records.map(callRecordOf), next: next && cursorOf(next) };
    },
  }),
];
