import { HomeserverError } from "./homeserver.ts";
import type { Log, LogFields } from "./telemetry.ts";

/** What the homeserver gives, or undefined where it fails, which the log then says. Rejects for whatever else fails. */
export async function attempt<Given>(
  asked: Promise<Given>,
  log: Log,
  failure: string,
  fields: LogFields,
): Promise<Given | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof HomeserverError)) throw error;
    log.warn(failure, { ...fields, code: error.code, error });
    return undefined;
  }
}
