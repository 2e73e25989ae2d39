// What the doctor prints: lines for people, as wide as their terminal, and one JSON document for programs.
import { plain } from "../admin/print.ts";
import type { Terminal } from "../terminal.ts";
import { catalogue, type CheckGroup } from "./catalogue.ts";
import type { CheckResult, Finding } from "./check.ts";

interface Screen {
  readonly columns: number;
  readonly hasColour: boolean;
  readonly hasUnicode: boolean;
}

type Kind = Finding["kind"];

const marks: Readonly<Record<"unicode" | "ascii", Readonly<Record<Kind, string>>>> = {
  unicode: { ok: "✓", warning: "!", failed: "✗", skipped: "–" },
  ascii: { ok: "+", warning: "!", failed: "x", skipped: "-" },
};
const colours: Readonly<Record<Kind, number>> = { ok: 32, warning: 33, failed: 31, skipped: 90 };

const groupTitles: Readonly<Record<Exclude<CheckGroup, "trunk">, string>> = {
  files: "Files",
  machine: "This machine",
  homeserver: "Homeserver",
  audio: "Audio",
  call: "Call",
};

const titleWidth = 24;
/** Before what was found: the mark, and the title. */
const beside = titleWidth + 4;
/** On a narrow terminal the title has a line of its own. */
const below = 6;
const narrow = 80;
const indentOn = ({ columns }: Screen): number => (columns < narrow ? below : beside);

export function printReport(results: readonly CheckResult[], terminal: Terminal): string {
  const screen = screenOf(terminal);
  const lines: string[] = [];
  let heading = "";
  for (const result of results) {
    const next = headingOf(result);
    if (next !== heading) lines.push(...(heading === "" ? [] : [""]), next);
    heading = next;
    lines.push(...linesOf(result, screen));
  }
  return `${[...lines, "", summary(results)].join("\n")}\n`;
}

/** NO_COLOR: https://no-color.org. The console of Linux has no glyphs for the marks; files and pipes are read elsewhere. */
function screenOf({ isScreen = false, columns = 100, env }: Pick<Terminal, "isScreen" | "columns" | "env">): Screen {
  const locale = env["LC_ALL"] || env["LC_CTYPE"] || env["LANG"] || "";
  const isDumb = env["TERM"] === "dumb";
  return {
    columns,
    hasColour: isScreen && !isDumb && !env["NO_COLOR"],
    hasUnicode: !isScreen || (!isDumb && env["TERM"] !== "linux" && /utf-?8/i.test(locale)),
  };
}

function headingOf({ id, trunk }: CheckResult): string {
  const { group } = catalogue[id];
  return group === "trunk" ? `Trunk ${plain(trunk ?? "")}` : groupTitles[group];
}

function linesOf({ id, finding }: CheckResult, screen: Screen): readonly string[] {
  const mark = painted(marks[screen.hasUnicode ? "unicode" : "ascii"][finding.kind], colours[finding.kind], screen);
  const arrow = screen.hasUnicode ? "→ " : "-> ";
  const indent = indentOn(screen);
  const found = paragraphsOf(finding, id, arrow).flatMap((text) => wrapped(text, screen, arrow));
  const { title } = catalogue[id];
  const [first = "", ...rest] = indent === below ? [title, ...found] : found;
  const head = indent === below ? first : title.padEnd(titleWidth) + first;
  return [`  ${mark} ${head}`.trimEnd(), ...rest.map((line) => " ".repeat(indent) + line)];
}

function paragraphsOf(finding: Finding, id: string, arrow: string): readonly string[] {
  switch (finding.kind) {
    case "ok":
      return [plain(finding.found)];
    case "skipped":
      return [plain(finding.because)];
    default:
      return [
        ...finding.problems.flatMap(({ found, mend }) => [plain(found), arrow + plain(mend)]),
        `${arrow}docs/troubleshooting.md#${id}`,
      ];
  }
}

function wrapped(text: string, screen: Screen, arrow: string): readonly string[] {
  const width = screen.columns - indentOn(screen);
  const hang = text.startsWith(arrow) ? "  " : "";
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/\s+/)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || longer.length <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = hang + word;
  }
  return [...lines, line];
}

function painted(text: string, colour: number, { hasColour }: Screen): string {
  return hasColour ? `\u001b[${colour}m${text}\u001b[0m` : text;
}

function summary(results: readonly CheckResult[]): string {
  const count = (kind: Kind): number => results.filter(({ finding }) => finding.kind === kind).length;
  const parts = [`${count("ok")} good`, `${count("warning")} to look at`, `${count("failed")} broken`];
  return `${parts.join(", ")}, ${count("skipped")} not looked at`;
}

/** docs/doctor.md describes it. */
export function toJson(results: readonly CheckResult[], version: string): object {
  return {
    version,
    healthy: isHealthy(results),
    checks: results.map(({ id, trunk, finding, blockedBy, tookMs }) => ({
      id,
      group: catalogue[id].group,
      title: catalogue[id].title,
      trunk,
      state: finding.kind,
      found: finding.kind === "ok" ? finding.found : undefined,
      problems: "problems" in finding ? finding.problems : undefined,
      because: finding.kind === "skipped" ? finding.because : undefined,
      blocked_by: blockedBy,
      took_ms: tookMs,
    })),
  };
}

export function isHealthy(results: readonly CheckResult[]): boolean {
  return results.every(({ finding }) => finding.kind !== "failed");
}
