// Further entries in the lists of a configuration file that somebody keeps by hand: everything else stays as it is, to the letter.
import { isDeepStrictEqual } from "node:util";
import { isCollection, isMap, isPair, isScalar, isSeq, parseDocument, type ParsedNode } from "yaml";
import { commentedItems, commentedSettings, type Setting, type Settings } from "./commented.ts";

/** Thrown where the file is written in a way in which nothing can be added for sure. */
export class AdditionError extends Error {
  override readonly name = "AdditionError";
  readonly code = "addition";
}

/** Appends to the list at `path`, which is made if it is not there. The text has to be valid YAML. */
export function appendToList(text: string, path: readonly [string, ...string[]], items: readonly Setting[]): string {
  if (items.length === 0) return text;
  const before: unknown = parseDocument(text).toJS();
  const after = insert(text, path, items);
  // Whatever the form of the file was: the new one says what the old one said, and the additions.
  if (!isDeepStrictEqual(plain(parseDocument(after).toJS()), plain(withItems(before, path, items)))) {
    throw new AdditionError(`nothing can be added to ${path.join(".")} in the form in which it is written`);
  }
  return after;
}

function insert(text: string, path: readonly string[], items: readonly Setting[]): string {
  let holder: ParsedNode | null = parseDocument(text).contents;
  let indent = "";
  /** Of the key that has the holder as its value. */
  let keyIndent: string | undefined;
  for (const [depth, key] of path.entries()) {
    if (!isMap(holder)) throw new AdditionError(`${path.slice(0, depth).join(".")} is not a section`);
    const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === key);
    const value = pair?.value ?? null;
    if (pair === undefined || value === null || (isScalar(value) && value.value === null)) {
      const rest = path.slice(depth);
      if (holder.flow)
        return inFlow(text, holder, `${JSON.stringify(key)}: ${JSON.stringify(nested(rest.slice(1), items))}`);
      if (pair !== undefined)
        return belowKey(text, pair.key, [...path.slice(0, depth), key], nested(rest.slice(1), items));
      const lines = commentedSettings(path.slice(0, depth), nested(rest, items) as Settings, indent);
      return afterBlock(text, holder, keyIndent, depth === 0 ? ["", ...lines] : lines);
    }
    holder = value;
    keyIndent = indentOf(text, pair.key.range[0]);
    if (isCollection(holder) && holder.flow !== true) indent = indentOf(text, holder.range[0]);
  }
  if (!isSeq(holder)) throw new AdditionError(`${path.join(".")} is not a list`);
  if (holder.flow) return inFlow(text, holder, items.map((item) => JSON.stringify(item)).join(", "));
  const explained = holder.items.flatMap((item) => (isMap(item) ? item.items.map(({ key }) => String(key)) : []));
  return afterBlock(text, holder, keyIndent, commentedItems(path, items, indent, explained));
}

/** Of the line on which the node begins, up to it. */
function indentOf(text: string, offset: number): string {
  return " ".repeat(offset - (text.lastIndexOf("\n", offset - 1) + 1));
}

function inFlow(text: string, node: ParsedNode & { readonly items: readonly unknown[] }, addition: string): string {
  const end = node.range[1] - 1;
  const head = text.slice(0, end);
  const separator = node.items.length === 0 || /,\s*$/.test(head) ? "" : ",";
  return `${head.trimEnd()}${separator} ${addition} ${text.slice(end)}`;
}

/** For a key that stands there without a value. */
function belowKey(text: string, key: unknown, path: readonly string[], value: Setting): string {
  const offset = (key as ParsedNode).range[1];
  const indent = `${indentOf(text, (key as ParsedNode).range[0])}  `;
  const lines = Array.isArray(value)
    ? commentedItems(path, value as readonly Setting[], indent)
    : commentedSettings(path, value as Settings, indent);
  const lineEnd = text.indexOf("\n", offset);
  return withLines(text, lineEnd === -1 ? text.length : lineEnd + 1, lines);
}

/** Behind the last entry, and the comments that are indented more than its key: settings that somebody may want to have back. */
function afterBlock(text: string, node: ParsedNode, keyIndent: string | undefined, lines: readonly string[]): string {
  if (keyIndent === undefined) return withLines(text, text.length, lines);
  let end = contentEnd(node);
  // The text of a block scalar includes its last line break.
  if (end > 0 && text[end - 1] !== "\n") {
    const lineEnd = text.indexOf("\n", end);
    end = lineEnd === -1 ? text.length : lineEnd + 1;
  }
  for (let at = end; at < text.length;) {
    const lineEnd = text.indexOf("\n", at);
    const next = lineEnd === -1 ? text.length : lineEnd + 1;
    const line = text.slice(at, next).trimEnd();
    const isOwn = line.startsWith(`${keyIndent} `) && line.trimStart().startsWith("#");
    if (isOwn) end = next;
    else if (line !== "") break;
    at = next;
  }
  return withLines(text, end, lines);
}

/** Of a block, without the comments behind it, which the library counts to it wherever they are indented. */
function contentEnd(node: ParsedNode): number {
  const last = isCollection(node) && node.flow !== true ? node.items.at(-1) : undefined;
  if (isPair<ParsedNode, ParsedNode | null>(last)) return contentEnd(last.value ?? last.key);
  return last === undefined ? node.range[1] : contentEnd(last);
}

function withLines(text: string, offset: number, lines: readonly string[]): string {
  const head = text.slice(0, offset);
  return `${head}${head === "" || head.endsWith("\n") ? "" : "\n"}${lines.join("\n")}\n${text.slice(offset)}`;
}

/** `items` as the value of the keys, from the outermost on. */
function nested(keys: readonly string[], items: readonly Setting[]): Setting {
  return keys.reduceRight<Setting>((inner, key) => ({ [key]: inner }), items);
}

function withItems(value: unknown, path: readonly string[], items: readonly Setting[]): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return [...(Array.isArray(value) ? (value as unknown[]) : []), ...items];
  const section = typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  return { ...section, [key]: withItems(section[key], rest, items) };
}

/** Without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
