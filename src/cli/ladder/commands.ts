// `calls ladder ID` and `trunks ladder NAME`.
import { writeFileSync } from "node:fs";
import type { Command } from "commander";
import { ladder } from "../../http/admin/wire/ladders.ts";
import { overAdminApi } from "../admin/admin-command.ts";
import { CommandFailure } from "../admin/connection.ts";
import { json } from "../admin/print.ts";
import type { CommandShell } from "../command-shell.ts";
import { exitCode } from "../exit-code.ts";
import { captureOf } from "./pcap.ts";
import { drawLadder, printMessages, type LadderOfCall } from "./drawing.ts";

interface LadderOptions {
  readonly full?: true;
  readonly wholeNumbers?: true;
  readonly pcap?: string;
}

/** `path` of the API, below which `ladder` is. */
function describe(command: Command, shell: CommandShell, path: (name: string) => string, none: string): void {
  command
    .option("--full", "the messages themselves below the drawing, without keys, passwords, texts and digits")
    .option("--pcap <file>", "write a capture file for Wireshark and sngrep instead")
    .option("--whole-numbers", "numbers without asterisks, if admin.whole_numbers lets you")
    .option("--json", "for programs: JSON instead of a drawing");
  overAdminApi(command, shell, async ({ bridge, isJson, out }, [name = ""]) => {
    const { full, wholeNumbers, pcap } = command.opts<LadderOptions>();
    const query = wholeNumbers === true ? "?whole_numbers=true" : "";
    const found = await bridge.get(`${path(encodeURIComponent(name))}/ladder${query}`, ladder);
    if (pcap !== undefined) return writeCapture(pcap, found, out);
    if (isJson) return out(json(found));
    out(drawLadder(found, none));
    if (full === true && found.messages.length > 0) out(`\n${printMessages(found)}`);
  });
}

/** It has addresses and perhaps numbers, so that nobody else may read it. Throws CommandFailure. */
function writeCapture(path: string, found: LadderOfCall, out: (text: string) => void): void {
  try {
    writeFileSync(path, captureOf(found), { flag: "wx", mode: 0o600 });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "failed";
    const why = code === "EEXIST" ? "it is there already" : code;
    throw new CommandFailure(exitCode.usage, `${path} cannot be written: ${why}`);
  }
  out(`${path}: written, ${found.messages.length} messages\n`);
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
