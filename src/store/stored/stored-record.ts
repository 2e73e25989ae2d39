// The stored form of an ended call's record, parsed on the way in. A row that cannot be read is a value here, never an exception:
// it is missing from the history, and nothing else.
import { z } from "zod";
import { mediaEnds } from "../../core/media-end.ts";
import type { CallResult } from "../../core/call/model/cause.ts";
import { callerBadges } from "../../core/policy/caller-badge.ts";
import type { CallRecord } from "../../core/call/model/record.ts";
import { callId, matrixCallId, roomId, sipCallId, trunkName } from "../../core/ids.ts";
import { cause, leg, maybe, number, parseObject, problemOf, text, user } from "./stored-json.ts";

/** What a row holds, or why it cannot be read. */
export type ReadRecord =
  | { readonly record: CallRecord; readonly problem: undefined }
  | { readonly record: undefined; readonly problem: string };

const results = ["success", "caller", "callee", "upstream", "bridge"] as const satisfies readonly CallResult[];

const end = z.object({ packets: number, bytes: number, lost: number, jitterMs: number, lastHeardAtMs: maybe(number) });
const codec = maybe(text);
const converted = z.object({ a: text, b: text, only: z.enum(mediaEnds).optional() });
const media = z.union([
  z.object({ codec, converted: converted.optional(), a: end, b: end }),
  // As earlier releases named the two ends.
  z
    .object({ codec, fromMatrix: end, fromTrunk: end })
    .transform((earlier) => ({ codec: earlier.codec, a: earlier.fromMatrix, b: earlier.fromTrunk })),
]);

const record = z.object({
  id: text.transform(callId),
  direction: z.enum(["outbound", "inbound", "joined"]),
  leg: maybe(leg),
  room: maybe(text.transform(roomId)),
  person: maybe(user),
  matrixCallId: maybe(text.transform(matrixCallId)),
  trunk: maybe(text.transform(trunkName)),
  sipCallId: maybe(text.transform(sipCallId)),
  number: text,
  called: maybe(text),
  badge: maybe(z.enum(callerBadges)),
  cause,
  result: z.enum(results),
  sipStatus: maybe(number),
  startedAtMs: number,
  ringingAtMs: maybe(number),
  answeredAtMs: maybe(number),
  endedAtMs: number,
  media,
  unsettled: z.boolean(),
});

export function writeRecord(one: CallRecord): string {
  return JSON.stringify(one);
}

/** `id`: of the row. Fields that are not known here are left out. */
export function readRecord(id: string, json: string): ReadRecord {
  const value = parseObject(json);
  if (value === undefined) return { record: undefined, problem: "not JSON of a record" };
  const parsed = record.safeParse(value);
  if (!parsed.success) return { record: undefined, problem: problemOf(parsed.error) };
  if (parsed.data.id !== id) return { record: undefined, problem: `id: is that of ${parsed.data.id}` };
  return { record: parsed.data, problem: undefined };
}
