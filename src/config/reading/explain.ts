// Turns what the schema found wrong into something that a person can act on: the path, what belongs there, the key that
// was meant.
import type * as z from "zod";
import { nearest } from "../../core/nearest.ts";
import { formatPath, type ConfigPath, type ConfigProblem } from "./problem.ts";
import { configJsonSchema, nodeAt, type SchemaNode } from "./reference.ts";
import type { YamlSource } from "./yaml-source.ts";

type Issue = z.core.$ZodIssue;

export function explainIssues(issues: readonly Issue[], source: YamlSource): ConfigProblem[] {
  const schema = configJsonSchema();
  const problems: ConfigProblem[] = [];
  /** Keys that were most likely meant, so that they are not reported as missing too. */
  const meant = new Set<string>();
  const flat = issues.flatMap((issue) => flatten(issue, []));
  for (const issue of flat) {
    if (issue.code !== "unrecognized_keys") continue;
    for (const key of issue.keys) {
      const path = [...plain(issue.path), key];
      const known = Object.keys(nodeAt(plain(issue.path), schema)?.properties ?? {});
      const near = nearest(key, known);
      if (near !== undefined) meant.add(JSON.stringify([...plain(issue.path), near]));
      problems.push({
        path,
        message: unknownKey(near, known, nodeAt(plain(issue.path), schema)),
        line: source.lineOf(path),
      });
    }
  }
  for (const issue of flat) {
    if (issue.code === "unrecognized_keys") continue;
    const path = plain(issue.path);
    const missing = issue.code !== "custom" && valueAt(path, source.value) === undefined;
    if (missing && meant.has(JSON.stringify(path))) continue;
    // One fault of a value is enough to name what it should be.
    if (problems.some((known) => formatPath(known.path) === formatPath(path))) continue;
    const message = missing ? missingKey(path, schema) : issue.message + meantValue(issue, valueAt(path, source.value));
    problems.push({ path, message, line: source.lineOf(path) });
  }
  return problems.toSorted((one, other) => (one.line ?? 0) - (other.line ?? 0));
}

/** Of a union, what the branch for sections complains about, where the value is one; else the union's own words. */
function flatten(issue: Issue, base: ConfigPath): readonly Issue[] {
  const path = [...base, ...plain(issue.path)];
  if (issue.code !== "invalid_union") return [{ ...issue, path }];
  const branch = issue.errors.find((errors) =>
    errors.every((inner) => inner.code === "unrecognized_keys" || inner.path.length > 0),
  );
  return branch ? branch.flatMap((inner) => flatten(inner, path)) : [{ ...issue, path }];
}

function plain(path: readonly PropertyKey[]): (string | number)[] {
  return path.filter((part) => typeof part !== "symbol");
}

function valueAt(path: ConfigPath, value: unknown): unknown {
  let found: unknown = value;
  for (const part of path) {
    if (typeof found !== "object" || found === null) return undefined;
    found = Reflect.get(found, part);
  }
  return found;
}

function meantValue(issue: Issue, value: unknown): string {
  if (issue.code !== "invalid_value" || typeof value !== "string") return "";
  const near = nearest(value, issue.values.map(String));
  return near === undefined ? "" : `; did you mean ${near}?`;
}

function unknownKey(near: string | undefined, known: readonly string[], section: SchemaNode | undefined): string {
  if (near === undefined) return `is not a known key; known here: ${known.join(", ")}`;
  const meaning = section?.properties?.[near]?.description;
  return `is not a known key; did you mean ${near}?${meaning === undefined ? "" : ` (${near}: ${meaning})`}`;
}

function missingKey(path: ConfigPath, schema: SchemaNode): string {
  const node = nodeAt(path, schema);
  const example = node?.examples?.[0];
  const meaning = node?.description === undefined ? "" : `: ${node.description}`;
  return `is missing${meaning}${example === undefined ? "" : ` Example: ${JSON.stringify(example)}`}`;
}
