// The version of this package, from the one place that has it.
import { readFileSync } from "node:fs";

/** `dist` and `src` are equally deep. */
export function packageVersion(): string {
  const found: unknown = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  return typeof found === "object" && found !== null && "version" in found ? String(found.version) : "unknown";
}
