// Calls as the admin API shows them.
import * as z from "zod";
import { allCauses, type CallResult } from "../../../core/call/model/cause.ts";
import type { EndStats, MediaStats } from "../../../core/call/model/media-stats.ts";
import { callerBadges } from "../../../core/policy/caller-badge.ts";
import { callId } from "../../../core/ids.ts";
import type { EndedCall, LiveCall, MeasuredCall } from "../../../ports/admin/observed-call.ts";
import type { RecordPlace } from "../../../ports/store.ts";
import { optionalTime, time, timeOf } from "./scalars.ts";

const direction = z.enum(["outbound", "inbound", "joined"]).describe("outbound: from Matrix to the telephone");
const phase = z.enum(["beginning", "ringing", "connected", "transferring", "ending"]);
export const results = ["success", "caller", "callee", "upstream", "bridge"] as const satisfies readonly CallResult[];

const heard = z.object({
  packets: z.number(),
  lost: z.number(),
  jitter_ms: z.number(),
  last_heard_at: time.optional(),
});

const media = z
  .object({
    codec: z.string().optional(),
    converted: z
      .object({ matrix: z.string(), trunk: z.string() })
      .optional()
      .describe("The codec at each side, where the bridge converts"),
    from_matrix: heard,
    from_trunk: heard,
  })
  .describe("Packets that the bridge has received");

export const call = z.object({
  id: z.string(),
  direction,
  person: z.string().optional(),
  room: z.string().optional(),
  number: z.string().describe("The telephone's"),
  called: z.string().optional().describe("The number that was called, if the telephone calls"),
  trunk: z.string().optional(),
  phase,
  since: time.describe("When it came into this phase"),
  started_at: time,
  answered_at: time.optional(),
  media: media.optional(),
});

export const callRecord = z.object({
  id: z.string(),
  direction,
  person: z.string().optional(),
  room: z.string().optional(),
  number: z.string(),
  called: z.string().optional(),
  trunk: z.string().optional(),
  badge: z
    .enum(callerBadges)
    .optional()
    .describe("What the network knew of the caller: verified, probably forged, or probably spam; missing: nothing"),
  result: z.enum(results).describe("Who ended it: success is an ordinary end of a call that was answered"),
  cause: z.enum(allCauses),
  sip_status: z.number().optional(),
  started_at: time,
  ringing_at: time.optional(),
  answered_at: time.optional(),
  ended_at: time,
  matrix_call: z.string().optional(),
  sip_call: z.string().optional(),
  media,
  unsettled: z.boolean().describe("Something was still owed to a side when the call was given up"),
});

function heardOf({ packets, lost, jitterMs, lastHeardAtMs }: EndStats): z.infer<typeof heard> {
  return { packets, lost, jitter_ms: Math.round(jitterMs), last_heard_at: optionalTime(lastHeardAtMs) };
}

function mediaOf({ codec, converted, a, b }: MediaStats): z.infer<typeof media> {
  return {
    codec,
    converted: converted && { matrix: converted.a, trunk: converted.b },
    from_matrix: heardOf(a),
    from_trunk: heardOf(b),
  };
}

export function callOf(one: LiveCall | MeasuredCall): z.infer<typeof call> {
  const { id, direction: way, person, room, number, called, trunk, phase: now } = one;
  return {
    id,
    direction: way,
    person,
    room,
    number,
    called,
    trunk,
    phase: now,
    since: timeOf(one.sinceMs),
    started_at: timeOf(one.startedAtMs),
    answered_at: optionalTime(one.answeredAtMs),
    media: "media" in one && one.media !== undefined ? mediaOf(one.media) : undefined,
  };
}

export function callRecordOf(one: EndedCall): z.infer<typeof callRecord> {
  const { id, direction: way, person, room, number, called, trunk, badge, result, cause, unsettled } = one;
  return {
    id,
    direction: way,
    person,
    room,
    number,
    called,
    trunk,
    badge,
    result,
    cause,
    sip_status: one.sipStatus,
    started_at: timeOf(one.startedAtMs),
    ringing_at: optionalTime(one.ringingAtMs),
    answered_at: optionalTime(one.answeredAtMs),
    ended_at: timeOf(one.endedAtMs),
    matrix_call: one.matrixCallId,
    sip_call: one.sipCallId,
    media: mediaOf(one.media),
    unsettled,
  };
}

/** Where a page ends, as one word. */
export function cursorOf({ endedAtMs, id }: RecordPlace): string {
  return `${Math.trunc(endedAtMs)}_${id}`;
}

const cursorError = "should be the `next` of the page before";
export const cursor = z
  .string()
  .regex(/^\d{1,15}_[0-9A-Za-z_.-]{1,100}$/, { error: cursorError })
  .transform((text): RecordPlace => {
    const [endedAtMs = "", ...id] = text.split("_");
    return { endedAtMs: Number(endedAtMs), id: callId(id.join("_")) };
  });
