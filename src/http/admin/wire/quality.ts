// How good the audio of a call is, as the admin API tells it.
import * as z from "zod";
import type { DirectionQuality } from "../../../core/quality/direction-quality.ts";
import { measuredEveryMs, type CallMeasured, type QualitySample } from "../../../ports/admin/quality-door.ts";
import { time, timeOf } from "./scalars.ts";

const percent = z.number().min(0).max(100);

const directionQuality = z.object({
  packets: z.int().min(0).describe("That came to the bridge since the sample before"),
  lost_percent: percent.describe("That should have come and did not"),
  jitter_ms: z.number(),
  onward_lost_percent: percent.optional().describe("That the listening side misses, as it says by RTCP"),
  onward_jitter_ms: z.number().optional(),
  round_trip_ms: z.number().optional().describe("From the bridge to the side that speaks and back, by RTCP"),
  level_dbov: z
    .number()
    .optional()
    .describe("How loud: 0 is the loudest, -127 silence. Missing unless it passes as G.711"),
  delay_ms: z.number().describe("From mouth to ear, estimated"),
  mos: z.number().min(1).max(4.5).optional().describe("By the E-model (ITU-T G.107); missing if nothing came"),
});

const bothWays = {
  from_matrix: directionQuality.describe("What the person says and the telephone hears"),
  from_trunk: directionQuality.describe("What the telephone says and the person hears"),
};

export const qualitySeries = z.object({
  interval_seconds: z.number(),
  samples: z.array(z.object({ at: time, ...bothWays })).describe("The last ten minutes, the oldest first"),
});

export const measured = z.object({ kind: z.literal("call.measured"), at: time, call: z.string(), ...bothWays });

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function directionOf(one: DirectionQuality): z.infer<typeof directionQuality> {
  const { onwardLostPercent, onwardJitterMs, roundTripMs, levelDbov, opinion } = one;
  return {
    packets: one.packets,
    lost_percent: tenths(one.lostPercent),
    jitter_ms: tenths(one.jitterMs),
    onward_lost_percent: onwardLostPercent && tenths(onwardLostPercent),
    onward_jitter_ms: onwardJitterMs,
    round_trip_ms: roundTripMs,
    level_dbov: levelDbov,
    delay_ms: Math.round(one.delayMs),
    mos: opinion && Math.round(opinion * 100) / 100,
  };
}

function sampleOf({ atMs, quality }: QualitySample) {
  return { at: timeOf(atMs), from_matrix: directionOf(quality.a), from_trunk: directionOf(quality.b) };
}

export function seriesOf(samples: readonly QualitySample[]): z.infer<typeof qualitySeries> {
  return { interval_seconds: measuredEveryMs / 1_000, samples: samples.map(sampleOf) };
}

export function measuredOf(one: CallMeasured): z.infer<typeof measured> {
  return { kind: one.kind, call: one.call, ...sampleOf(one) };
}
