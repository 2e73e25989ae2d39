// From the section `ladders` to what src/ladders is given.
import { splitHostPort } from "../schema/scalars.ts";
import type { Config } from "../schema/schema.ts";

const usualPort = 9060;

/** Undefined: no ladders are kept. */
export function toLadders({ ladders: { keep_minutes: minutes, memory_mb: megabytes, homer } }: Config) {
  if (minutes === 0 && homer === undefined) return undefined;
  const place = homer && splitHostPort(homer.server);
  return {
    keepMs: minutes * 60_000,
    memoryBytes: megabytes * 1024 * 1024,
    homer: homer &&
      place && {
        host: place.host.replace(/^\[|\]$/g, ""),
        port: place.port ?? usualPort,
        transport: homer.transport,
        captureId: homer.capture_id,
        authKey: homer.auth_key,
      },
  };
}
