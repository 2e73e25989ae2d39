// What every command over the admin API has: -c, perhaps --json, a connection, and words where it fails.
import type { Command } from "commander";
import type { CommandShell } from "../command-shell.ts";
import { exitCode } from "../exit-code.ts";
import { CommandFailure, connectTo, type Connection } from "./connection.ts";

export interface Running {
  readonly bridge: Connection;
  readonly isJson: boolean;
  readonly out: (text: string) => void;
}

/** Completes a command. `run` is given its arguments. */
export function overAdminApi(
  command: Command,
  shell: CommandShell,
  run: (running: Running, args: readonly string[]) => Promise<void>,
): void {
  command.option("-c, --config <path>", "the configuration (default: config.yaml)").action(() => {
    // An option may stand before a command or behind it.
    const { json } = command.optsWithGlobals<{ json?: true }>();
    const config = [command, command.parent].map((one) => one?.opts<{ config?: string }>().config).find(Boolean);
    shell.choose(async () => {
      const { terminal } = shell;
      try {
        const bridge = connectTo(config ?? shell.files().config, terminal);
        await run({ bridge, isJson: json === true, out: (text) => terminal.out(text) }, command.args);
        return exitCode.ok;
      } catch (error) {
        if (!(error instanceof CommandFailure)) throw error;
        terminal.err(`matrix-appservice-sip: ${error.message}\n`);
        return error.exit;
      }
    });
  });
}

export const jsonOption = ["--json", "for programs: JSON instead of a table"] as const;
