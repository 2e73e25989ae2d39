// What the stored forms of open calls and of records have in common.
import { z } from "zod";
import { allCauses, type Cause } from "../../core/call/model/cause.ts";
import { matrixCallId, parseUserId, partyId, roomId, type UserId } from "../../core/ids.ts";

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
export const legAddress = {
  ...place,
  matrixCallId: text.transform(matrixCallId),
  ownParty: text.transform(partyId),
  version: z.enum(["0", "1"]),
};
export const leg = z.object({ ...legAddress, person: user, personParty: maybe(text.transform(partyId)) });
