// Test calls as the admin API shows them.
import * as z from "zod";
import { allCauses } from "../../../core/call/model/cause.ts";
import type { TestCall } from "../../../ports/admin/test-call.ts";
import { line, time, timeOf } from "./scalars.ts";

export const testCallOrder = z.strictObject({
  number: line(100).describe("As people dial it"),
  trunk: line(255).optional().describe("Missing: the first trunk that the dial plan has for it"),
  seconds: z.int().min(1).max(30).default(6).describe("How long after the answer the bridge hangs up"),
});

export const testCall = z.object({
  id: z.string(),
  number: z.string(),
  trunk: z.string(),
  phase: z.enum(["dialling", "ringing", "talking", "ending", "over"]),
  started_at: time,
  ringing_after_ms: z.number().optional().describe("Missing: nothing has rung"),
  answered_after_ms: z.number().optional().describe("Missing: nobody has answered"),
  cause: z
    .enum(allCauses)
    .optional()
    .describe("Why it ended; missing while it goes on, and where it lasted for as long as it was to"),
  sip_status: z.number().optional().describe("With which the trunk refused it"),
  codec: z.string().optional(),
  heard: z
    .object({
      packets: z.number(),
      lost: z.number(),
      jitter_ms: z.number(),
      level_dbov: z.number().optional().describe("0 is the loudest, -127 silence; missing if it was not measured"),
      round_trip_ms: z.number().optional().describe("Missing if the trunk sends no reports (RTCP)"),
    })
    .optional()
    .describe("What has come from the trunk since the answer"),
});

export function testCallOf(call: TestCall): z.infer<typeof testCall> {
  const { id, number, trunk, phase, startedAtMs, rangAfterMs, answeredAfterMs, cause, sipStatus, codec, heard } = call;
  return {
    id,
    number,
    trunk,
    phase,
    started_at: timeOf(startedAtMs),
    ringing_after_ms: rangAfterMs,
    answered_after_ms: answeredAfterMs,
    cause,
    sip_status: sipStatus,
    codec,
    heard: heard && {
      packets: heard.packets,
      lost: heard.lost,
      jitter_ms: heard.jitterMs,
      level_dbov: heard.levelDbov,
      round_trip_ms: heard.hears?.roundTripMs,
    },
  };
}
