// The section `ladders`: how long what Matrix and SIP said in calls is kept.
import { section, whole } from "./scalars.ts";

export const ladders = section({
  keep_minutes: whole(0, 1_440, "number of minutes")
    .default(60)
    .describe("How long the ladder of a call that has ended stays in memory. 0 keeps no ladders at all."),
  memory_mb: whole(1, 1_024, "number of megabytes")
    .default(32)
    .describe(
      "How much memory ladders take at most. When it is full, refused calls are forgotten first, then the calls that ended first.",
    ),
});
