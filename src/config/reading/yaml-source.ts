// A YAML file as plain values, and on which line each of them stands.
import { isMap, isPair, isScalar, isSeq, LineCounter, parseDocument, type Document, type ParsedNode } from "yaml";
import type { ConfigPath, ConfigProblem } from "./problem.ts";

export interface YamlSource {
  /** Keys without a value have undefined, so that a mistyped one is still seen. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  /** Of the key, or of the nearest section around it. */
  lineOf(path: ConfigPath): number | undefined;
}

/** The library's own messages quote the file, and with it perhaps a password. */
const wordsByCode: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: "the same key is given twice",
  TAB_AS_INDENT: "is indented with a tab; YAML wants spaces",
  BAD_INDENT: "is indented differently from the lines around it",
  BLOCK_AS_IMPLICIT_KEY: "is indented differently from the lines around it, or holds a second colon and wants quotes",
  MISSING_CHAR: "lacks a space after a colon, or a closing quote, bracket or comma",
  BAD_ALIAS: "begins with a character that has a meaning in YAML: put the text in quotes",
  BAD_SCALAR_START: "begins with a character that has a meaning in YAML: put the text in quotes",
  UNEXPECTED_TOKEN: "is not YAML: put text with special characters in quotes",
  MULTIPLE_DOCS: "holds a second YAML document",
};

export function readYaml(text: string): YamlSource {
  const counter = new LineCounter();
  const document = parseDocument(text, { lineCounter: counter, prettyErrors: false });
  // What follows on the same line follows from it.
  const firstOfLine = new Map<number, string>();
  for (const error of document.errors) {
    const { line } = counter.linePos(error.pos[0]);
    if (!firstOfLine.has(line)) firstOfLine.set(line, wordsByCode[error.code] ?? "is not valid YAML");
  }
  const problems: ConfigProblem[] = [...firstOfLine].map(([line, message]) => ({ path: [], message, line }));
  let value: unknown;
  try {
    if (problems.length === 0) value = withoutNulls(document.toJS());
  } catch {
    // Aliases that lead nowhere, or to a thousandfold of themselves.
    problems.push({ path: [], message: "uses a YAML alias that cannot be followed", line: undefined });
  }
  return { value, problems, lineOf: (path) => lineOf(document, counter, path) };
}

function lineOf(document: Document.Parsed, counter: LineCounter, path: ConfigPath): number | undefined {
  let node: ParsedNode | null = document.contents;
  let offset = node?.range[0];
  for (const part of path) {
    if (isMap(node)) {
      const pair: unknown = node.items.find(({ key }) => isScalar(key) && String(key.value) === part);
      if (!isPair<ParsedNode, ParsedNode | null>(pair)) break;
      offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node) && typeof part === "number") {
      const item: ParsedNode | undefined = node.items[part];
      if (!item) break;
      offset = item.range[0];
      node = item;
    } else {
      break;
    }
  }
  return offset === undefined ? undefined : counter.linePos(offset).line;
}

function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [key, inner === null ? undefined : withoutNulls(inner)]),
  );
}
