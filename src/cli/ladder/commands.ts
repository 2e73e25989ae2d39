// `calls ladder ID` and `trunks ladder NAME`.
import type { Command } from "commander";
import { ladder } from "../../http/admin/wire/ladders.ts";
import { overAdminApi } from "../admin/admin-command.ts";
import { json } from "../admin/print.ts";
import type { CommandShell } from "../command-shell.ts";
import { drawLadder, printMessages } from "./drawing.ts";

interface LadderOptions {
  readonly full?: true;
  readonly wholeNumbers?: true;
}

/** `path` of the API, below which `ladder` is. */
function describe(command: Command, shell: CommandShell, path: (name: string) => string, none: string): void {
  command
    .option("--full", "the messages themselves below the drawing, without keys, passwords, texts and digits")
    .option("--whole-numbers", "numbers without asterisks, if admin.whole_numbers lets you")
    .option("--json", "for programs: JSON instead of a drawing");
  overAdminApi(command, shell, async ({ bridge, isJson, out }, [name = ""]) => {
    const { full, wholeNumbers } = command.opts<LadderOptions>();
    const query = wholeNumbers === true ? "?whole_numbers=true" : "";
    const found = await bridge.get(`${path(encodeURIComponent(name))}/ladder${query}`, ladder);
    if (isJson) return out(json(found));
    out(drawLadder(found, none));
    if (full === true && found.messages.length > 0) out(`\n${printMessages(found)}`);
  });
}

export function describeCallLadder(calls: Command, shell: CommandShell): void {
  const command = calls
    .command("ladder")
    .description("Shows what Matrix and SIP said in a call, also for a while after it has ended.")
    .argument("<id>");
  describe(command, shell, (id) => `/calls/${id}`, "nothing has been said yet");
}

export function describeTrunkLadder(trunks: Command, shell: CommandShell): void {
  const command = trunks
    .command("ladder")
    .description("Shows what was said last with a trunk outside of calls: REGISTER, OPTIONS, MESSAGE.")
    .argument("<name>");
  describe(command, shell, (name) => `/trunks/${name}`, "nothing has been said outside of calls yet");
}
