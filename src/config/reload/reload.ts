// Two configurations compared: what of the new one a running bridge takes up at once, and what waits for a restart. The schema
// says which is which (`reload`).
import { isDeepStrictEqual } from "node:util";
import { checkAdmin } from "../checks/admin-checks.ts";
import { checkConfig, checkTls } from "../checks/checks.ts";
import { checkPins } from "../checks/pin-checks.ts";
import { ConfigError, formatPath, type ConfigPath } from "../reading/problem.ts";
import { configJsonSchema, type Reload, type SchemaNode } from "../reading/reference.ts";
import type { Config } from "../schema/schema.ts";

export interface Reloaded {
  /** What the bridge is to go by from now on. */
  readonly config: Config;
  /** Paths of the settings whose new values that holds. */
  readonly applied: readonly string[];
  /** Of those that keep their old values until the next start. */
  readonly waiting: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

/** Both as they come from `loadConfig`. Throws ConfigError where the two parts of the new one do not fit together. */
export function reloadConfig(now: Config, next: Config, file: string): Reloaded {
  const applied: string[] = [];
  const waiting: string[] = [];
  function merge(before: unknown, after: unknown, node: SchemaNode, path: ConfigPath, around: Reload): unknown {
    if (isDeepStrictEqual(before, after)) return before;
    const reload = node.reload ?? around;
    if (node.properties !== undefined && isFields(before) && isFields(after)) {
      const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
      const merged = [...keys].map((key) => {
        const value = merge(before[key], after[key], node.properties?.[key] ?? {}, [...path, key], reload);
        return [key, value] as const;
      });
      return Object.fromEntries(merged.filter(([, value]) => value !== undefined));
    }
    const changed = changedPaths(before, after, path);
    (reload === "now" ? applied : waiting).push(...changed);
    return reload === "now" ? after : before;
  }
  // The merged value has for each key what one of the two has.
  const config = merge(now, next, configJsonSchema(), [], "restart") as Config;
  if (waiting.length > 0) requireFit(config, waiting, file);
  return { config, applied, waiting };
}

/** The new file is good as a whole; together with what still runs it may not be. */
function requireFit(config: Config, waiting: readonly string[], file: string): void {
  const findings = [...checkConfig(config), ...checkTls(config), ...checkAdmin(config), ...checkPins(config)];
  if (findings.length === 0) return;
  const why = `; that is so until a restart brings the changes of ${waiting.join(", ")}`;
  const problems = findings.map(({ path, message }) => ({ path, message: message + why, line: undefined }));
  throw new ConfigError(file, problems);
}

/** Of a list of things with names and of a map, those of their entries; of anything else, its own. */
function changedPaths(before: unknown, after: unknown, path: ConfigPath): readonly string[] {
  const one = named(before);
  const other = named(after);
  if (one === undefined || other === undefined) return [formatPath(path)];
  const keys = [...new Set([...Object.keys(one), ...Object.keys(other)])];
  const changed = keys.filter((key) => !isDeepStrictEqual(one[key], other[key]));
  // Only their order is another one.
  if (changed.length === 0) return [formatPath(path)];
  return changed.flatMap((key) =>
    one[key] === undefined || other[key] === undefined
      ? [formatPath([...path, key])]
      : changedPaths(one[key], other[key], [...path, key]),
  );
}

/** By name. Undefined: it is no section, and no list of things with names. */
function named(value: unknown): Fields | undefined {
  if (!Array.isArray(value)) return isFields(value) ? value : undefined;
  const entries = value.map((entry: unknown) => (isFields(entry) ? [entry["name"], entry] : []));
  const known = entries.flatMap(([name, entry]) => (typeof name === "string" ? [[name, entry] as const] : []));
  return known.length === value.length ? Object.fromEntries(known) : undefined;
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
