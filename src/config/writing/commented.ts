// Settings as YAML, each with what the schema says of it.
import { stringify } from "yaml";
import { configJsonSchema, nodeAt, sectionOf, type SchemaNode } from "../reading/reference.ts";
import { commentLines } from "./comment.ts";

/** As YAML has them: what is undefined is left out. */
export type Setting = string | number | boolean | readonly Setting[] | Settings;
export interface Settings {
  readonly [key: string]: Setting | undefined;
}

/** The text of a whole file: chapters have a line between them. */
export function commentedFile(head: string, settings: Settings): string {
  const schema = configJsonSchema();
  const chapters = Object.entries(settings).flatMap(([key, value]) =>
    value === undefined ? [] : [sectionLines({ [key]: value }, schema, "").join("\n")],
  );
  return `${head}\n${chapters.join("\n\n")}\n`;
}

/** The lines of further entries of the list at `path`. What its entries say already is not explained again. */
export function commentedItems(
  path: readonly string[],
  items: readonly Setting[],
  indent: string,
  explained: Iterable<string> = [],
): string[] {
  return itemLines(items, nodeAt(path, configJsonSchema()), indent, new Set(explained));
}

/** The lines of a section's settings. */
export function commentedSettings(path: readonly string[], settings: Settings, indent: string): string[] {
  return sectionLines(settings, nodeAt(path, configJsonSchema()), indent);
}

function sectionLines(
  settings: Settings,
  node: SchemaNode | undefined,
  indent: string,
  explained = new Set<string>(),
): string[] {
  const section = sectionOf(node);
  const lines: string[] = [];
  for (const [key, value] of Object.entries(settings)) {
    if (value === undefined) continue;
    const below = section?.properties?.[key];
    if (!explained.has(key)) lines.push(...commentLines(below?.description ?? "", indent));
    explained.add(key);
    lines.push(...settingLines(key, value, below, indent));
  }
  return lines;
}

function settingLines(key: string, value: Setting, node: SchemaNode | undefined, indent: string): string[] {
  const name = `${indent}${scalar(key)}:`;
  if (isList(value) && value.length > 0) return [name, ...itemLines(value, node, `${indent}  `, new Set())];
  if (isSection(value) && Object.keys(value).length > 0) return [name, ...sectionLines(value, node, `${indent}  `)];
  return [`${name} ${scalar(value)}`];
}

function itemLines(
  items: readonly Setting[],
  node: SchemaNode | undefined,
  indent: string,
  explained: Set<string>,
): string[] {
  return items.flatMap((item) => {
    if (!isSection(item)) return [`${indent}- ${scalar(item)}`];
    const lines = sectionLines(item, node?.items, `${indent}  `, explained);
    // What explains the first setting stands before the dash.
    const first = lines.findIndex((line) => !/^ *#/.test(line));
    return lines.map((line, index) => {
      if (index < first) return line.slice(2);
      return index === first ? `${indent}- ${line.trimStart()}` : line;
    });
  });
}

function isList(value: Setting): value is readonly Setting[] {
  return Array.isArray(value);
}

function isSection(value: Setting): value is Settings {
  return typeof value === "object" && !isList(value);
}

/** On one line. Numbers of telephones are quoted whatever stands behind the plus. */
function scalar(value: Setting): string {
  if (typeof value === "object") return JSON.stringify(value);
  if (typeof value === "string" && (value.startsWith("+") || value.includes("\n"))) return JSON.stringify(value);
  return stringify(value, { lineWidth: 0 }).trimEnd();
}
