// From the section `ladders` to what src/ladders is given.
import type { Config } from "../schema/schema.ts";

/** Undefined: no ladders are kept. */
export function toLadders({ ladders: { keep_minutes: minutes, memory_mb: megabytes } }: Config) {
  return minutes === 0 ? undefined : { keepMs: minutes * 60_000, memoryBytes: megabytes * 1024 * 1024 };
}
