// What the stored forms of open calls and of records have in common.
import { z } from "zod";
import { allCauses, type Cause } from "../../core/call/model/cause.ts";
import { matrixCallId, parseUserId, deviceId, roomId, type UserId } from "../../core/ids.ts";
import type { LegForm } from "../../core/call/model/matrix-leg.ts";

export function parseObject(json: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

/** Where the first fault is, and what. */
export function problemOf({ issues: [first] }: z.ZodError): string {
  return first === undefined ? "unknown" : `${first.path.join(".")}: ${first.message}`;
}

export const text = z.string();
export const number = z.number();
export const maybe = <T extends z.ZodType>(form: T) => form.optional().transform((value) => value);
export const user = z.string().transform((value, context): UserId => {
  const known = parseUserId(value);
  if (known !== undefined) return known;
  context.addIssue({ code: "custom", message: "not a user id" });
  return z.NEVER;
});
export const cause = z.custom<Cause>((value) => allCauses.some((one) => one === value), "no cause of an end");

export const place = { room: text.transform(roomId), ghost: user };

/** Only the matrix edge, which made it, knows what else is in it. */
const form = z
  .looseObject({ kind: text, media: z.enum(["client", "own"]) })
  .transform((value) => value as unknown as LegForm);
const own = { ...place, matrixCallId: text.transform(matrixCallId), own: text.transform(deviceId), form };

/** Legs of earlier releases, which knew one kind of client. */
function inTodaysForm(stored: unknown): unknown {
  if (typeof stored !== "object" || stored === null || !("ownParty" in stored)) return stored;
  const { ownParty, personParty, version, ...leg } = stored as Readonly<Record<string, unknown>>;
  const abilities = { canRenegotiate: version !== "0", hasKeypad: true };
  return { ...leg, own: ownParty, device: personParty, abilities, form: { kind: "legacy", media: "client", version } };
}

export const legAddress = z.preprocess(inTodaysForm, z.object(own));
export const leg = z.preprocess(
  inTodaysForm,
  z.object({
    ...own,
    person: user,
    device: maybe(text.transform(deviceId)),
    // Before there was one without, every client had a keypad.
    abilities: z.object({ canRenegotiate: z.boolean(), hasKeypad: z.boolean().default(true) }),
  }),
);
