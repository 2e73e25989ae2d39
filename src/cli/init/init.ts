// `init`: from questions, or flags, to files that work.
import { existsSync } from "node:fs";
import { Outside, type AskOutside } from "../../matrix/http/outside.ts";
import { exitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { readAccounts } from "./accounts.ts";
import { askAddition, writeAddition } from "./add-to-config.ts";
import type { InitFlags } from "./flags.ts";
import { openInterview, UsageError, type Interview } from "./interview.ts";
import { askEverything, writeEverything } from "./new-config.ts";
import { Interrupted } from "./prompt.ts";

/** Gives the exit code. Throws ConfigError. */
export async function init(flags: InitFlags, terminal: Terminal): Promise<number> {
  const interview = openInterview(terminal, flags.yes !== true);
  const outside = new Outside();
  try {
    const write = await ask(flags, interview, outside.ask, terminal);
    interview.finish();
    interview.close();
    // A signal waits until everything is written.
    terminal.onSignal(() => {});
    write();
    return exitCode.ok;
  } catch (error) {
    if (error instanceof UsageError) {
      terminal.err(`error: ${error.message}\n`);
      return exitCode.usage;
    }
    if (error instanceof Interrupted) {
      terminal.err("\nNothing is written.\n");
      return 130;
    }
    throw error;
  } finally {
    interview.close();
    await outside.close();
  }
}

async function ask(
  flags: InitFlags,
  interview: Interview,
  outside: AskOutside,
  terminal: Terminal,
): Promise<() => void> {
  const accounts = readAccounts();
  if (existsSync(flags.config)) {
    const addition = await askAddition(flags, interview, terminal.env);
    return () => writeAddition(addition, flags, terminal, accounts, interview.isDialogue);
  }
  if (flags.route !== undefined)
    throw new UsageError(`--route: ${flags.config} does not exist yet, and its first trunk gets every number`);
  const plan = await askEverything(flags, interview, outside, terminal.env);
  return () => writeEverything(plan, flags, terminal, accounts, interview.isDialogue);
}
