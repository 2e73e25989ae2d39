// The long poll, filters, and the data an account keeps about itself.
import { z } from "zod";
import type { Requester } from "../http/authentication.ts";
import { isJsonObject, parseJson } from "../http/json.ts";
import { badJson, forbidden, notFound } from "../http/matrix-error.ts";
import type { Call, Router } from "../http/router.ts";
import type { SyncRequest } from "../sync/sync-answer.ts";
import { answerSync } from "../sync/sync-answer.ts";
import type { World } from "../world.ts";
import { numberParam, parseBody, positionOf } from "../world.ts";

const maxWaitMs = 60_000;
const defaultTimelineLimit = 10;

const filterSchema = z.looseObject({
  room: z.looseObject({ timeline: z.looseObject({ limit: z.number().int().min(0).optional() }).optional() }).optional(),
});

export function addSyncRoutes(router: Router, world: World): void {
  router.on("GET", "/_matrix/client/v3/sync", (call, requester) => sync(world, call, requester));

  const filters = "/_matrix/client/v3/user/{userId}/filter";
  router.on("POST", filters, (call, requester) => {
    requireSelf(call, requester);
    parseBody(filterSchema, call.body);
    return { filter_id: String(requester.account.filters.push(call.body) - 1) };
  });
  router.on("GET", `${filters}/{filterId}`, (call, requester) => {
    requireSelf(call, requester);
    const filter = requester.account.filters[Number(call.param("filterId"))];
    if (!filter) throw notFound("No such filter");
    return filter;
  });

  const user = "/_matrix/client/v3/user/{userId}";
  for (const path of [`${user}/account_data/{type}`, `${user}/rooms/{roomId}/account_data/{type}`]) {
    router.on("PUT", path, (call, requester) => {
      requireSelf(call, requester);
      const { account } = requester;
      world.accounts.putAccountData(account, call.param("roomId"), call.param("type"), call.body);
      return {};
    });
    router.on("GET", path, (call, requester) => {
      requireSelf(call, requester);
      const content = requester.account.accountData(call.param("roomId"), call.param("type"));
      if (!content) throw notFound("Account data not found");
      return content;
    });
  }
}

async function sync(world: World, call: Call, requester: Requester): Promise<object> {
  const { query } = call;
  const since = query.get("since");
  const fullState = query.get("full_state") === "true";
  const request: SyncRequest = {
    since: since === null ? undefined : positionOf(since),
    timelineLimit: timelineLimit(query.get("filter"), requester),
    fullState,
  };
  const isPatient = since !== null && !fullState;
  const waitMs = isPatient ? Math.min(numberParam(query, "timeout", 0), maxWaitMs) : 0;
  const deadline = performance.now() + waitMs;
  for (;;) {
    const answer = answerSync(world, requester, request);
    if (answer.hasNews || !isPatient) return answer.body;
    // Nothing yet: each change of anything is a reason to look again.
    const leftMs = deadline - performance.now();
    if (!(await world.stream.changed(leftMs, call.gone))) return answer.body;
  }
}

/** `filter` is the id of a stored filter or the filter itself. */
function timelineLimit(text: string | null, { account }: Requester): number {
  if (text === null) return defaultTimelineLimit;
  const filter = text.startsWith("{") ? parseJson(text) : account.filters[Number(text)];
  if (!isJsonObject(filter)) throw badJson("No such filter");
  return parseBody(filterSchema, filter).room?.timeline?.limit ?? defaultTimelineLimit;
}

function requireSelf(call: Call, { account }: Requester): void {
  if (call.param("userId") !== account.userId) {
    throw forbidden("Cannot act for another user");
  }
}
