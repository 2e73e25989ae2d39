// The API's words, from the schemas that the server answers by. Types alone: nothing of the server is in the page.
import type * as z from "zod";
import type { errorBody } from "../../src/http/admin/wire/admin-error.ts";
import type { action, limits, logLevel, numberEntry, status, trunk, user } from "../../src/http/admin/wire/bridge.ts";
import type { call, callRecord } from "../../src/http/admin/wire/calls.ts";
import type { event } from "../../src/http/admin/wire/events.ts";
import type { arrived, dialled } from "../../src/http/admin/wire/explanation.ts";
import type { qualitySeries } from "../../src/http/admin/wire/quality.ts";
import type { ladder } from "../../src/http/admin/wire/ladders.ts";

export type Call = z.infer<typeof call>;
export type CallRecord = z.infer<typeof callRecord>;
export type Trunk = z.infer<typeof trunk>;
export type NumberEntry = z.infer<typeof numberEntry>;
export type User = z.infer<typeof user>;
export type Limits = z.infer<typeof limits>;
export type Status = z.infer<typeof status>;
export type LogLevel = z.infer<typeof logLevel>;
export type Action = z.infer<typeof action>;
export type BridgeEvent = z.infer<typeof event>;
export type Dialled = z.infer<typeof dialled>;
export type Arrived = z.infer<typeof arrived>;
export type Reading = Dialled["readings"][number];
export type ErrorBody = z.infer<typeof errorBody>;
export type Ladder = z.infer<typeof ladder>;
export type LadderMessage = Ladder["messages"][number];
export type Quality = z.infer<typeof qualitySeries>;
