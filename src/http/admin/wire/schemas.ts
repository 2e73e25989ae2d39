// The named schemas of the admin API: the components of its OpenAPI document.
import * as z from "zod";
import { errorBody } from "./admin-error.ts";
import { action, answerSeries, limits, logLevel, numberEntry, status, trunk, user } from "./bridge.ts";
import { block, blockList } from "./blocks.ts";
import { call, callRecord } from "./calls.ts";
import { event } from "./events.ts";
import { arrived, dialled } from "./explanation.ts";
import { ladder } from "./ladders.ts";
import { limitUse, limitUses, stop, stopList } from "./limits.ts";
import { line } from "./scalars.ts";
import { qualitySeries } from "./quality.ts";
import { testCall, testCallOrder } from "./test-call.ts";
import { loginOrder, visitor } from "./session.ts";

const next = z.string().optional().describe("The cursor of the next page; missing: there is none");

export const callList = z.object({ calls: z.array(call) });
export const recordList = z.object({ records: z.array(callRecord), next });
export const trunkList = z.object({ trunks: z.array(trunk) });
export const numberList = z.object({ numbers: z.array(numberEntry) });
export const userList = z.object({ users: z.array(user) });
export const actionList = z.object({ actions: z.array(action), next });
export const logSetting = z.object({ level: logLevel });

export const reloadReport = z.object({
  result: z.enum(["reloaded", "refused"]).describe("If it was refused, nothing has changed"),
  applied: z.array(z.string()).describe("Settings whose new values hold now"),
  waiting_for_restart: z.array(z.string()).describe("Settings that keep their former values until the next start"),
  waiting_for_last_call: z
    .array(z.string())
    .describe("Trunks that keep their former settings until their last call has ended"),
  problems: z.array(z.string()).describe("Why it was refused, one line each, with file and line"),
});

export const hangUpOrder = z
  .strictObject({ reason: line(200).optional().describe("For the log; people read that an administrator did it") })
  .prefault({});
export const drainOrder = z.strictObject({
  within_seconds: z.int().min(0).max(86_400).describe("Calls that are left then are ended"),
});
export const logOrder = z.strictObject({ level: logLevel });

export const components = z.registry<{ readonly id: string }>();
const named = {
  Call: call,
  CallList: callList,
  Ladder: ladder,
  CallRecord: callRecord,
  RecordList: recordList,
  Trunk: trunk,
  TrunkList: trunkList,
  AnswerSeries: answerSeries,
  NumberEntry: numberEntry,
  NumberList: numberList,
  DialledNumber: dialled,
  ArrivedNumber: arrived,
  User: user,
  UserList: userList,
  Block: block,
  BlockList: blockList,
  Limits: limits,
  LimitUse: limitUse,
  LimitUses: limitUses,
  Stop: stop,
  StopList: stopList,
  Status: status,
  LogSetting: logSetting,
  ReloadReport: reloadReport,
  Action: action,
  ActionList: actionList,
  QualitySeries: qualitySeries,
  Event: event,
  LoginOrder: loginOrder,
  Visitor: visitor,
  TestCall: testCall,
  TestCallOrder: testCallOrder,
  Error: errorBody,
};
for (const [id, schema] of Object.entries(named)) components.add(schema, { id });
