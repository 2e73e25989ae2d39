// Reads CSV as spreadsheets and providers write it: RFC 4180, and a semicolon or a tab for the comma.

export interface CsvRow {
  /** Where it begins, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

const delimiters = [";", "\t", ","] as const;

/** The one of the first line: the first of these that stands there outside of quotes. */
function delimiterOf(text: string): string {
  const [head = ""] = text.split(/\r\n|\r|\n/, 1);
  const bare = head.replaceAll(/"[^"]*"/g, "");
  return delimiters.find((one) => bare.includes(one)) ?? ",";
}

/** Rows with anything in them. `problem`: what a quote does not let be read; nothing follows it. */
export function* csvRows(text: string): Generator<CsvRow | { readonly line: number; readonly problem: string }> {
  const source = text.startsWith("\ufeff") ? text.slice(1) : text;
  const delimiter = delimiterOf(source);
  let [at, line] = [0, 1];
  while (at < source.length) {
    const begun = line;
    const lineEnd = endOfLine(source, at);
    const plain = source.slice(at, lineEnd);
    if (!plain.includes('"')) {
      at = afterLine(source, lineEnd);
      line += 1;
      if (plain.trim() !== "") yield { line: begun, cells: plain.split(delimiter).map((cell) => cell.trim()) };
      continue;
    }
    const read = quotedRow(source, at, delimiter);
    if (typeof read === "string") {
      yield { line: begun, problem: read };
      return;
    }
    line += read.lines;
    at = read.next;
    yield { line: begun, cells: read.cells };
  }
}

function endOfLine(text: string, from: number): number {
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 10 || code === 13) return at;
  }
  return text.length;
}

function afterLine(text: string, end: number): number {
  return text.startsWith("\r\n", end) ? end + 2 : end + 1;
}

interface QuotedRow {
  readonly cells: readonly string[];
  readonly next: number;
  readonly lines: number;
}

/** A row in which something is quoted; what is wrong with it, if it cannot be read. */
function quotedRow(text: string, from: number, delimiter: string): QuotedRow | string {
  const cells: string[] = [];
  let [at, lines] = [from, 1];
  for (;;) {
    while (text[at] === " ") at += 1;
    if (text[at] === '"') {
      const close = closingQuote(text, at + 1);
      if (close === undefined) return "has a quote that is never closed";
      const inside = text.slice(at + 1, close);
      lines += inside.split(/\r\n|\r|\n/).length - 1;
      cells.push(inside.replaceAll('""', '"').trim());
      at = close + 1;
      while (text[at] === " ") at += 1;
    } else {
      const start = at;
      while (at < text.length && text[at] !== delimiter && text[at] !== "\n" && text[at] !== "\r") at += 1;
      const cell = text.slice(start, at).trim();
      if (cell.includes('"')) return "has a quote in the middle of a cell";
      cells.push(cell);
    }
    if (text[at] === delimiter) {
      at += 1;
      continue;
    }
    if (at >= text.length || text[at] === "\n" || text[at] === "\r") return { cells, next: afterLine(text, at), lines };
    return "has text behind a closing quote";
  }
}

function closingQuote(text: string, from: number): number | undefined {
  for (let at = text.indexOf('"', from); at !== -1; at = text.indexOf('"', at + 1)) {
    if (text[at + 1] !== '"') return at;
    at += 1;
  }
  return undefined;
}
