// Trunks, numbers, people and the bridge itself as the admin API shows them.
import * as z from "zod";
import type { DidRule } from "../../../core/number/plan/did.ts";
import type { RingStage } from "../../../core/number/plan/ring-stage.ts";
import type { Limits, TrunkStatus, UserStatus } from "../../../ports/admin/admin-door.ts";
import type { TrunkAnswer } from "../../../ports/sip.ts";
import type { NotedAction } from "../../../ports/store.ts";
import type { LogLevel } from "../../../ports/telemetry.ts";
import { time, timeOf } from "./scalars.ts";

const whole = z.int().min(0);
const barredKind = z.enum(["premium", "shared-cost", "satellite", "unknown"]);
export const logLevel = z.enum(["trace", "debug", "info", "warn", "error"] as const satisfies readonly LogLevel[]);

export const trunk = z.object({
  name: z.string(),
  state: z.enum(["up", "down", "unknown"]),
  detail: z.string().describe("What made it so"),
  since: time,
  registered: z.boolean().optional().describe("Missing if the trunk does not register"),
  paused: z.boolean().describe("No call begins over it"),
  calls: whole,
});

export function trunkOf({ health, paused, calls }: TrunkStatus): z.infer<typeof trunk> {
  const { name, state, detail, registered } = health;
  return { name, state, detail, since: timeOf(health.sinceMs), registered, paused, calls };
}

const trunkAnswer = z.object({
  at: time.describe("When it was asked"),
  took_ms: z.number().optional().describe("Missing: no answer, or none of a server that works"),
});
export const answerSeries = z.object({ answers: z.array(trunkAnswer).describe("The last hundred, the oldest first") });

export function answerSeriesOf(answers: readonly TrunkAnswer[]): z.infer<typeof answerSeries> {
  return { answers: answers.map(({ atMs, tookMs }) => ({ at: timeOf(atMs), took_ms: tookMs })) };
}

const stage = z.object({ people: z.array(z.string()), rooms: z.array(z.string()), ring_seconds: z.number() });
export const stages = z.array(stage).describe("Who rings, one stage after the other");

export function stagesOf(all: readonly RingStage[]): z.infer<typeof stages> {
  return all.map(({ targets, ringMs }) => ({
    people: targets.flatMap((target) => (target.kind === "person" ? [target.person] : [])),
    rooms: targets.flatMap((target) => (target.kind === "room" ? [target.room] : [])),
    ring_seconds: ringMs / 1000,
  }));
}

export const numberEntry = z.object({
  match: z.enum(["exact", "pattern", "prefix"]),
  number: z.string().describe("The number, pattern or prefix; an empty prefix is every other number"),
  trunks: z.array(z.string()).describe("Empty: on every trunk"),
  stages,
});

export function numberEntryOf({ match, trunks, stages: rung }: DidRule): z.infer<typeof numberEntry> {
  const number = match.kind === "exact" ? match.number : match.kind === "pattern" ? match.pattern : match.prefix;
  return { match: match.kind, number, trunks: [...trunks], stages: stagesOf(rung) };
}

export const user = z.object({
  subject: z.string().describe("A user id, a server name, or * for everybody on the homeserver"),
  rule: z.string().optional().describe("The entry of the permissions that decides; missing if none does"),
  may_call: z.boolean(),
  allow: z.array(barredKind).describe("Barred kinds of number that they may call all the same"),
  calls_at_once: whole,
  max_duration_seconds: z.number(),
  calls: whole.optional().describe("Calls of the moment; missing unless this is one person"),
  rung_by: z.array(z.string()).describe("Numbers that ring them"),
});

export function userOf(one: UserStatus): z.infer<typeof user> {
  return {
    subject: one.subject,
    rule: one.rule,
    may_call: one.mayCall,
    allow: [...one.allow],
    calls_at_once: one.callsAtOnce,
    max_duration_seconds: one.maxDurationMs / 1000,
    calls: one.calls,
    rung_by: [...one.rungBy],
  };
}

export const limits = z.object({
  calls_in_all: z.object({ limit: whole, used: whole }),
  calls_per_user: whole,
  calls_per_minute: whole,
  max_duration_seconds: z.number(),
  allow: z.array(barredKind),
  people: z.array(z.object({ person: z.string(), limit: whole, used: whole })).describe("Everybody who is in a call"),
});

export function limitsOf(one: Limits): z.infer<typeof limits> {
  return {
    calls_in_all: one.callsInAll,
    calls_per_user: one.callsPerUser,
    calls_per_minute: one.callsPerMinute,
    max_duration_seconds: one.maxDurationMs / 1000,
    allow: [...one.allow],
    people: one.people.map(({ person, limit, used }) => ({ person, limit, used })),
  };
}

const part = z.object({ ready: z.boolean(), detail: z.string() });

export const status = z.object({
  version: z.string(),
  started_at: time,
  closed: z
    .enum(["draining", "restarting", "cannot-store"])
    .optional()
    .describe("Why no call begins; missing while calls may begin"),
  calls: whole,
  log_level: logLevel,
  ready: z.boolean(),
  parts: z.record(z.string(), part).describe("As /ready has them"),
});

export const action = z.object({
  number: whole,
  at: time,
  who: z.string(),
  action: z.string(),
  target: z.string().optional(),
  detail: z.string().optional(),
  outcome: z.string().describe("done, or the code of the error"),
});

export function actionOf({
  number,
  atMs,
  who,
  action: what,
  target,
  detail,
  outcome,
}: NotedAction): z.infer<typeof action> {
  return { number, at: timeOf(atMs), who, action: what, target, detail, outcome };
}
