// `export calls`: the history of calls as CSV or JSON, written page by page as it comes.
import { recordList } from "../../http/admin/wire/schemas.ts";
import type { DescribeCommand } from "../command-shell.ts";
import { overAdminApi, type Running } from "./admin-command.ts";
import { callHeads, callRow } from "./call-table.ts";
import { jsonText } from "./print.ts";

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
    if (!isBegun) out(isJson ? "[" : callHeads);
    isBegun = true;
    for (const record of page.records) {
      if (isJson) out(`${written === 0 ? "" : ","}\n${jsonText(record)}`);
      else out(callRow(record));
      written += 1;
    }
    next = page.next;
    if (next !== undefined) query.set("after", next);
  } while (next !== undefined);
  if (isJson) out("\n]\n");
}
