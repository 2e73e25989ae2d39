// argv to command. The flags are those of every Matrix bridge; a command with a name is described in its own file; exit codes
// are in exit-code.ts.
import { Command, CommanderError, InvalidArgumentError } from "commander";
import { ConfigError } from "../config/reading/problem.ts";
import { httpUrl } from "../config/schema/scalars.ts";
import { adminCommands } from "./admin/all.ts";
import { checkFiles } from "./check-config.ts";
import type { CommandShell } from "./command-shell.ts";
import { describeDatabaseCopy } from "./copy-database.ts";
import { describeDoctor } from "./doctor/describe-doctor.ts";
import { exitCode } from "./exit-code.ts";
import { describeNumberExplain } from "./explain-number.ts";
import { generateRegistration } from "./generate-registration.ts";
import { describeInit } from "./init/describe-init.ts";
import { runBridge, type StartBridge } from "./run.ts";
import type { Terminal } from "./terminal.ts";
import { packageVersion } from "./version.ts";

interface Flags {
  readonly generateRegistration?: true;
  readonly check?: true;
  readonly url?: string;
  readonly config: string;
  readonly file: string;
  readonly port?: number;
}

/** In the order of `--help`. */
const namedCommands = [describeInit, describeDoctor, describeNumberExplain, describeDatabaseCopy, ...adminCommands];

/** The bridge is loaded only to be run: it is most of the program. */
const startFromApp: StartBridge = async (options) => (await import("../app.ts")).startBridge(options);

/** Runs to the end and gives the exit code. `start` is another one in tests only. */
export async function runCommand(argv: readonly string[], terminal: Terminal, start = startFromApp): Promise<number> {
  let run = (): Promise<number> => dispatch(program, program.opts<Flags>(), terminal, start);
  const program = programOf(terminal, (chosen) => (run = chosen));
  try {
    program.parse(argv, { from: "user" });
    return await run();
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage;
    if (!(error instanceof ConfigError)) throw error;
    terminal.err(`${error.message}\n`);
    return exitCode.config;
  }
}

/** The command line with all its commands; `choose` is called by the one that is named. */
export function programOf(terminal: Terminal, choose: CommandShell["choose"]): Command {
  const program = describeProgram(terminal);
  // What the flags say is a command without a name.
  program.action(() => {});
  const shell: CommandShell = { terminal, files: () => program.opts<Flags>(), choose };
  for (const describe of namedCommands) describe(program, shell);
  return program;
}

async function dispatch(program: Command, flags: Flags, terminal: Terminal, start: StartBridge): Promise<number> {
  const { config: configPath, file: registrationPath, url, port } = flags;
  if (flags.check) return checkFiles({ configPath, registrationPath, port }, terminal);
  if (!flags.generateRegistration) {
    if (url !== undefined) program.error("error: -u belongs to -r, which writes the registration");
    return runBridge({ configPath, registrationPath, port }, terminal, start);
  }
  if (url === undefined) {
    return program.error("error: -r needs -u URL, the address at which the homeserver reaches the bridge");
  }
  return generateRegistration({ configPath, registrationPath, url }, terminal);
}

function describeProgram(terminal: Terminal): Command {
  return new Command("matrix-appservice-sip")
    .description("Bridges Matrix calls to SIP trunks and the telephone network.")
    .usage(
      "init\n       matrix-appservice-sip -r -u URL -c config.yaml -f registration.yaml\n       matrix-appservice-sip -c config.yaml -f registration.yaml [-p PORT]\n" +
        "       matrix-appservice-sip doctor [--json] -c config.yaml -f registration.yaml\n" +
        "       matrix-appservice-sip number explain TEXT [--as USER] [--trunk NAME] [--from-trunk NAME] -c config.yaml\n" +
        "       matrix-appservice-sip database copy FILE -c config.yaml\n" +
        "       matrix-appservice-sip calls|trunks|numbers|users|export|config|log ... -c config.yaml",
    )
    .option("-r, --generate-registration", "write the registration and exit; an existing one keeps its tokens")
    .option("-u, --url <url>", "with -r: URL at which the homeserver reaches the bridge", parseUrl)
    .option("-c, --config <path>", "the configuration", "config.yaml")
    .option("-f, --file <path>", "the registration", "registration.yaml")
    .option("-p, --port <port>", "listen for the homeserver on this port; overrides the configuration", parsePort)
    .option("--check", "check the configuration, the registration and this machine, and exit")
    .version(packageVersion(), "-v, --version")
    .addHelpText(
      "after",
      "\nExit codes: 0 done or stopped, 1 defect, or doctor found something broken, 2 wrong command line, 3 wrong configuration or registration, 4 cannot start, or no bridge answers.\n" +
        "SIGTERM and SIGINT end all calls and stop the bridge; with shutdown.drain_seconds, SIGTERM waits for the calls first. " +
        "The next signal ends the waiting, and one more ends the process at once.",
    )
    .allowExcessArguments(false)
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride();
}

function parseUrl(value: string): string {
  const parsed = httpUrl.safeParse(value);
  if (!parsed.success) throw new InvalidArgumentError("It should begin with http:// or https://.");
  return parsed.data;
}

function parsePort(value: string): number {
  const port = /^\d{1,5}$/.test(value) ? Number(value) : 0;
  if (port < 1 || port > 65_535) throw new InvalidArgumentError("It should be a port from 1 to 65535.");
  return port;
}
