// Logging in to the console, and who asks.
import * as z from "zod";
import type { UserId } from "../../../core/ids.ts";
import { time, timeOf } from "./scalars.ts";

const secret = z.string().min(1).max(1_000);

export const loginOrder = z
  .union(
    [
      z.strictObject({ token: secret.describe("The admin token") }),
      z.strictObject({ code: secret.describe("Of a link that the bot has written to an admin") }),
      z.strictObject({
        openid: z
          .object({ access_token: secret })
          .describe("What the homeserver gives an admin at /user/{userId}/openid/request_token"),
      }),
    ],
    { error: "should have one of token, code and openid" },
  )
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
