// Small values of the admin API. Each is checked on the way in, and says in the OpenAPI document what it should be.
import * as z from "zod";
import { parseUserId } from "../../../core/ids.ts";

/** What the document says of a query parameter, where that is not what the schema reads: text. */
export const parameters = z.registry<{ readonly schema: Readonly<Record<string, unknown>> }>();

export const time = z.iso.datetime();

/** ms since the epoch as the API writes times. */
export function timeOf(atMs: number): string {
  return new Date(atMs).toISOString();
}

export function optionalTime(atMs: number | undefined): string | undefined {
  return atMs === undefined ? undefined : timeOf(atMs);
}

const timeError = "should be a time such as 2026-11-30T12:00:00Z or a day such as 2026-11-30";

/** RFC 3339, or a day, which begins at midnight UTC. In ms since the epoch. */
export const timeParameter = z
  .string({ error: timeError })
  .regex(/^\d{4}-\d{2}-\d{2}(?:[Tt ][\d:.]+(?:[Zz]|[+-]\d{2}:\d{2}))?$/, { error: timeError })
  .transform((text) => Date.parse(text))
  .pipe(z.number({ error: timeError }));
parameters.add(timeParameter, {
  schema: {
    anyOf: [
      { type: "string", format: "date" },
      { type: "string", format: "date-time" },
    ],
  },
});

export function wholeParameter(min: number, max: number, initial: number) {
  const error = `should be a whole number from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^\d{1,9}$/, { error })
    .transform(Number)
    .pipe(z.int().min(min, { error }).max(max, { error }))
    .prefault(String(initial));
  parameters.add(schema, { schema: { type: "integer", minimum: min, maximum: max, default: initial } });
  return schema;
}

export const flagParameter = z
  .enum(["true", "false"], { error: "should be true or false" })
  .prefault("false")
  .transform((text) => text === "true");
parameters.add(flagParameter, { schema: { type: "boolean", default: false } });

// oxlint-disable-next-line no-control-regex -- control characters are what is refused
const oneLine = /^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/;

/** One line, as it goes into the log. */
export function line(max: number): z.ZodString {
  return z.string().min(1).max(max).regex(oneLine, { error: "should be one line without control characters" });
}

const userError = "should be a Matrix user id such as @alice:example.org";
export const userParameter = z
  .string()
  // Printable ASCII: what else old homeservers let into ids may be too long in bytes, which no pattern can say.
  .regex(/^@[!-9;-~]{1,100}:[0-9A-Za-z.-]{1,100}(?::\d{1,5})?$/, { error: userError })
  .transform((text, context) => {
    const user = parseUserId(text);
    if (user !== undefined) return user;
    context.addIssue({ code: "custom", message: userError });
    return z.NEVER;
  });
parameters.add(userParameter, {
  schema: { type: "string", pattern: "^@[0-9a-z._=/+-]{1,100}:[0-9A-Za-z.-]{1,100}$" },
});
