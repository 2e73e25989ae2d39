// What a command with a name needs of the command line it is on.
import type { Command } from "commander";
import type { Terminal } from "./terminal.ts";

export interface CommandShell {
  readonly terminal: Terminal;
  /** The paths given before the command's name, or their defaults. */
  files(): { readonly config: string; readonly file: string };
  /** Called while the line is read: what is run if nothing is wrong with it. Gives the exit code. */
  choose(run: () => Promise<number>): void;
}

/** Adds a command to the program. */
export type DescribeCommand = (program: Command, shell: CommandShell) => void;
