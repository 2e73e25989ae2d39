// The bridge itself: its state, its log, its end; and what admins did.
import * as z from "zod";
import { askParts } from "../../parts.ts";
import { route, type Tools } from "./route.ts";
import { actionList, drainOrder, logOrder, logSetting, reloadReport } from "../wire/schemas.ts";
import { actionOf, status } from "../wire/bridge.ts";
import { timeOf, wholeParameter } from "../wire/scalars.ts";

async function statusOf({ door, version, startedAtMs }: Tools): Promise<z.infer<typeof status>> {
  const { ready, parts } = await askParts(door.readiness);
  return {
    version,
    started_at: timeOf(startedAtMs),
    closed: door.closed(),
    calls: door.limits().callsInAll.used,
    log_level: door.logLevel(),
    ready,
    parts,
  };
}

export const operationRoutes = [
  route({
    method: "get",
    at: "/status",
    operation: "getStatus",
    summary: "The bridge, how it is and whether calls may begin",
    answer: status,
    handle: (_, tools) => statusOf(tools),
  }),
  route({
    method: "post",
    at: "/drain",
    operation: "drain",
    summary:
      "Begins no more calls; those that are left in the end are ended with words. For good: stop the bridge when it has no calls",
    body: drainOrder,
    answer: status,
    status: 202,
    action: "drain",
    detail: ({ body }) => `within ${body.within_seconds} s`,
    handle({ body }, tools) {
      void tools.door.drain(body.within_seconds * 1_000);
      return statusOf(tools);
    },
  }),
  route({
    method: "post",
    at: "/config/reload",
    operation: "reloadConfiguration",
    summary: "Reads the configuration again. Calls that are up go on; a file with a mistake changes nothing",
    answer: reloadReport,
    action: "reload configuration",
    async handle(_, { door }) {
      const report = await door.reload();
      const nothing = { applied: [], waiting_for_restart: [], waiting_for_last_call: [], problems: [] };
      if (report.kind === "refused") return { ...nothing, result: report.kind, problems: [...report.problems] };
      return {
        ...nothing,
        result: report.kind,
        applied: [...report.applied],
        waiting_for_restart: [...report.forRestart],
        waiting_for_last_call: [...report.forLastCall],
      };
    },
  }),
  route({
    method: "get",
    at: "/log/level",
    operation: "getLogLevel",
    summary: "The least important lines of the log",
    answer: logSetting,
    handle: (_, { door }) => ({ level: door.logLevel() }),
  }),
  route({
    method: "put",
    at: "/log/level",
    operation: "setLogLevel",
    summary: "Sets the level of the log until the bridge is started again",
    body: logOrder,
    answer: logSetting,
    action: "set log level",
    detail: ({ body }) => body.level,
    handle({ body: { level } }, { door }) {
      door.setLogLevel(level);
      return { level: door.logLevel() };
    },
  }),
  route({
    method: "get",
    at: "/actions",
    operation: "listActions",
    summary: "What admins did, newest first",
    query: z.strictObject({
      after: wholeParameter(1, 999_999_999, 999_999_999).describe("`next` of the page before"),
      limit: wholeParameter(1, 500, 100),
    }),
    answer: actionList,
    errors: ["unavailable"],
    async handle({ query: { after, limit } }, { door }) {
      const actions = await door.actions.latest(limit, after);
      const last = actions.length < limit ? undefined : actions.at(-1)?.number;
      return { actions: actions.map(actionOf), next: last === undefined ? undefined : String(last) };
    },
  }),
];
