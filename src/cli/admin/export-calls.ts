// `export calls`: the history of calls as CSV or JSON, written page by page as it comes.
import type * as z from "zod";
import type { callRecord } from "../../http/admin/wire/calls.ts";
import { recordList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { overAdminApi, type Running } from "./admin-command.ts";
import { csvRow } from "./csv.ts";
import { jsonText } from "./print.ts";

type Record = z.infer<typeof callRecord>;

interface ExportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly person?: string;
  readonly number?: string;
  readonly trunk?: string;
  readonly result?: string;
  readonly wholeNumbers?: true;
}

const pageSize = "500";

export const describeExportCalls: DescribeCommand = (program, shell) => {
  const command = program
    .command("export")
    .description("Writes what the bridge has stored.")
    .command("calls")
    .description("Writes the calls that have ended, the newest first.")
    .option("--csv", "for spreadsheets (the default)")
    .option("--json", "a list in JSON")
    .option("--from <time>", "ended then or later: a day (2026-11-30) or a time (2026-11-30T12:00:00Z)")
    .option("--to <time>", "ended before")
    .option("--person <user>", "of this Matrix user")
    .option("--number <number>", "from or to this number, in any spelling")
    .option("--trunk <name>", "over this trunk")
    .option("--result <result>", "success, caller, callee, upstream or bridge")
    .option("--whole-numbers", "numbers without asterisks, if admin.whole_numbers lets you");
  overAdminApi(command, shell, (running) => exportCalls(running, command.opts<ExportOptions>()));
};

async function exportCalls({ bridge, out, isJson }: Running, options: ExportOptions): Promise<void> {
  const { from, to, person, number, trunk, result, wholeNumbers } = options;
  const wanted = { from, to, person, number, trunk, result, whole_numbers: wholeNumbers && "true", limit: pageSize };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(wanted)) if (value !== undefined) query.set(name, value);
  let written = 0;
  let isBegun = false;
  let next: string | undefined;
  do {
    const page = await bridge.get(`/records?${query.toString()}`, recordList);
    // Not before the first page is there: what fails has written nothing.
    if (!isBegun) out(isJson ? "[" : csvRow(columns.map(([head]) => head)));
    isBegun = true;
    for (const record of page.records) {
      if (isJson) out(`${written === 0 ? "" : ","}\n${jsonText(record)}`);
      else out(csvRow(columns.map(([, cell]) => cell(record))));
      written += 1;
    }
    next = page.next;
    if (next !== undefined) query.set("after", next);
  } while (next !== undefined);
  if (isJson) out("\n]\n");
}

function secondsBetween(from: string | undefined, to: string): number | undefined {
  return from === undefined ? undefined : Math.round((Date.parse(to) - Date.parse(from)) / 1000);
}

const columns: readonly (readonly [string, (record: Record) => string | number | boolean | undefined])[] = [
  ["id", ({ id }) => id],
  ["direction", ({ direction }) => direction],
  ["person", ({ person }) => person],
  ["number", ({ number }) => number],
  ["called", ({ called }) => called],
  ["trunk", ({ trunk }) => trunk],
  ["result", ({ result }) => result],
  ["cause", ({ cause }) => cause],
  ["sip_status", (record) => record.sip_status],
  ["started_at", (record) => record.started_at],
  ["ringing_at", (record) => record.ringing_at],
  ["answered_at", (record) => record.answered_at],
  ["ended_at", (record) => record.ended_at],
  ["talked_seconds", (record) => secondsBetween(record.answered_at, record.ended_at)],
  ["codec", ({ media }) => media.codec],
  ["packets_from_matrix", ({ media }) => media.from_matrix.packets],
  ["lost_from_matrix", ({ media }) => media.from_matrix.lost],
  ["jitter_ms_from_matrix", ({ media }) => media.from_matrix.jitter_ms],
  ["packets_from_trunk", ({ media }) => media.from_trunk.packets],
  ["lost_from_trunk", ({ media }) => media.from_trunk.lost],
  ["jitter_ms_from_trunk", ({ media }) => media.from_trunk.jitter_ms],
  ["room", ({ room }) => room],
  ["matrix_call", (record) => record.matrix_call],
  ["sip_call", (record) => record.sip_call],
];
