// Test calls: placed, looked at, ended.
import * as z from "zod";
import { callId, trunkName } from "../../../core/ids.ts";
import type { TestCallPlaced } from "../../../ports/admin/test-call.ts";
import { AdminError, type ErrorCode } from "../wire/admin-error.ts";
import { line } from "../wire/scalars.ts";
import { testCall, testCallOf, testCallOrder } from "../wire/test-call.ts";
import { route } from "./route.ts";

const path = z.strictObject({ id: line(100).transform(callId) });
const none = (): AdminError => new AdminError("not_found", "there is no such test call", { field: "id" });

type Refused = Extract<TestCallPlaced, { kind: "refused" }>;

/** What may be gone the next time; all else is wrong with the order. */
const laterCodes: Readonly<Partial<Record<Refused["why"], ErrorCode>>> = {
  "one-at-a-time": "too_many_requests",
  "too-often": "too_many_requests",
  "too-many-calls": "unavailable",
  "trunk-paused": "unavailable",
  "cannot-store": "unavailable",
  "calls-stopped": "unavailable",
  "limit-reached": "unavailable",
  draining: "unavailable",
  restarting: "unavailable",
};

export const testCallRoutes = [
  route({
    method: "post",
    at: "/test-calls",
    operation: "placeTestCall",
    summary:
      "Calls a number over a trunk, plays tones when it is answered, counts what comes back, and hangs up. It may cost money, as any call",
    body: testCallOrder,
    answer: testCall,
    status: 202,
    errors: ["unprocessable", "unavailable"],
    action: "place test call",
    async handle({ body: { number, trunk, seconds } }, { door }) {
      const placed = await door.testCalls.place({
        number,
        trunk: trunk === undefined ? undefined : trunkName(trunk),
        talkMs: seconds * 1_000,
      });
      if (placed.kind === "placed") return testCallOf(placed.call);
      const field = placed.why === "no-such-trunk" ? "trunk" : "number";
      const code = laterCodes[placed.why];
      throw new AdminError(code ?? "unprocessable", placed.words, code === undefined ? { field } : {});
    },
  }),
  route({
    method: "get",
    at: "/test-calls/{id}",
    operation: "getTestCall",
    summary: "What has come of a test call so far",
    path,
    answer: testCall,
    errors: ["not_found"],
    async handle({ path: { id } }, { door }) {
      const found = await door.testCalls.find(id);
      if (found === undefined) throw none();
      return testCallOf(found);
    },
  }),
  route({
    method: "post",
    at: "/test-calls/{id}/hangup",
    operation: "hangUpTestCall",
    summary: "Ends a test call before its time",
    path,
    answer: testCall,
    status: 202,
    errors: ["not_found"],
    action: "hang up test call",
    async handle({ path: { id } }, { door }) {
      door.testCalls.end(id);
      const found = await door.testCalls.find(id);
      if (found === undefined) throw none();
      return testCallOf(found);
    },
  }),
];
