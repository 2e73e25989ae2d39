// Logging in to the console, and who asks.
import * as z from "zod";
import type { UserId } from "../../../core/ids.ts";
import { time, timeOf } from "./scalars.ts";

export const loginOrder = z
  .union([z.strictObject({ token: z.string().min(1).max(200).describe("The admin token") })], {
    error: "should have token",
  })
  .describe("What shows who it is");
export type LoginOrder = z.infer<typeof loginOrder>;

export const visitor = z.object({
  who: z.string().describe("As the log of what admins do has it"),
  person: z.string().optional().describe("Their Matrix id; missing: whoever has the token or opens the socket"),
  session: z
    .object({ started_at: time, ends_at: time.describe("At the latest"), idle_seconds: z.int().min(0) })
    .optional()
    .describe("Missing if this is no session of the console. It ends if nothing is asked in it for idle_seconds"),
});

interface Shown {
  readonly who: string;
  readonly session:
    | { readonly person: UserId | undefined; readonly startedAtMs: number; readonly endsAtMs: number }
    | undefined;
}

export function visitorOf({ who, session }: Shown, idleMs: number): z.infer<typeof visitor> {
  if (session === undefined) return { who };
  const { person, startedAtMs, endsAtMs } = session;
  const times = { started_at: timeOf(startedAtMs), ends_at: timeOf(endsAtMs), idle_seconds: idleMs / 1000 };
  return { who, person, session: times };
}
