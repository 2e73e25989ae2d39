// The stored forms of charges and bars, parsed on the way in.
import { z } from "zod";
import { callId } from "../../core/ids.ts";
import { parseScope, scopeKey, type Scope } from "../../core/policy/spending/allowance.ts";
import type { Bar } from "../../core/policy/spending/bar.ts";
import type { RunningCharge } from "../../ports/spending.ts";
import { maybe, parseObject, problemOf, text, user } from "./stored-json.ts";

const whole = z.int().min(0);

/** As `scopeKey` writes it. */
const scope = text.transform((key, context): Scope => {
  const known = parseScope(key);
  if (known !== undefined) return known;
  context.addIssue({ code: "custom", message: "not a scope" });
  return z.NEVER;
});

const rate = z.object({
  name: text,
  perMinute: whole,
  connection: whole,
  initialS: whole.min(1),
  followingS: whole.min(1),
});
const share = z.object({ windows: z.object({ day: text, month: text }), seconds: whole });

const running = z.object({
  v: z.literal(1),
  charge: z.object({ id: text, scopes: z.array(scope), rates: z.array(rate), shares: z.array(share) }),
  leg: text.transform(callId),
  person: user,
  answeredAtMs: maybe(z.number()),
  longestMs: z.number(),
});

const bar = z.object({
  v: z.literal(1),
  kind: z.enum(["stopped", "held", "allowed"]),
  scope,
  prefix: text,
  inbound: z.boolean(),
  who: text,
  why: text,
  atMs: z.number(),
  untilMs: maybe(z.number()),
});

type Read<Value> =
  | { readonly value: Value; readonly problem: undefined }
  | { readonly value: undefined; readonly problem: string };

export function writeCharge({ charge, ...rest }: RunningCharge): string {
  return JSON.stringify({ v: 1, charge: { ...charge, scopes: charge.scopes.map(scopeKey) }, ...rest });
}

export function readCharge(json: string): Read<RunningCharge> {
  return read(running, json);
}

export function writeBar({ scope: whose, ...rest }: Bar): string {
  return JSON.stringify({ v: 1, scope: scopeKey(whose), ...rest });
}

export function readBar(json: string): Read<Bar> {
  return read(bar, json);
}

function read<Value>(form: z.ZodType<Value & { readonly v: 1 }>, json: string): Read<Value> {
  const value = parseObject(json);
  if (value === undefined) return { value: undefined, problem: "not JSON of an object" };
  const parsed = form.safeParse(value);
  if (!parsed.success) return { value: undefined, problem: problemOf(parsed.error) };
  const { v: _, ...rest } = parsed.data;
  return { value: rest as unknown as Value, problem: undefined };
}
