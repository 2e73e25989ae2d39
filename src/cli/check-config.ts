// `--check`: would the bridge accept its configuration and registration, and what in them, or on this machine, should
// somebody look at? Those checks of the doctor that ask nobody else. Starts nothing.
import { existsSync } from "node:fs";
import { versions } from "node:process";
import { peopleRegistrationPath } from "../config/registration/people-registration.ts";
import type { Config } from "../config/schema/schema.ts";
import type { CheckId } from "./doctor/catalogue.ts";
import type { CheckResult } from "./doctor/check.ts";
import { readFiles } from "./doctor/checks/files.ts";
import { machineChecks } from "./doctor/checks/machine.ts";
import { runChecks } from "./doctor/run-checks.ts";
import { exitCode } from "./exit-code.ts";
import type { RunOptions } from "./run.ts";
import type { Terminal } from "./terminal.ts";

/** Without them the bridge does not start. */
const neededFiles: ReadonlySet<CheckId> = new Set(["config", "registration", "people-registration"]);

export async function checkFiles(
  { configPath, registrationPath, port }: RunOptions,
  terminal: Terminal,
): Promise<number> {
  const isWritten = existsSync(registrationPath);
  const { config, checks } = readFiles({ configPath, registrationPath, port, env: terminal.env });
  const files = (await runChecks(checks)).filter(({ id }) => isWritten || !id.endsWith("registration"));
  const broken = files.find(({ id, finding }) => neededFiles.has(id) && finding.kind === "failed");
  if (config === undefined || broken !== undefined) {
    terminal.err(
      broken === undefined
        ? ""
        : linesOf(broken)
            .map((line) => `${line}\n`)
            .join(""),
    );
    return exitCode.config;
  }
  const warn = (result: CheckResult): void => linesOf(result).forEach((line) => terminal.out(`warning: ${line}\n`));
  for (const result of files.filter(({ id }) => neededFiles.has(id))) {
    terminal.out(`${pathOf(result.id, configPath, registrationPath)}: good\n`);
    warn(result);
  }
  if (!isWritten) terminal.out(`${registrationPath}: does not exist yet; write it with -r\n`);
  if (ringsPeople(config) && !config.inbound.join_for_people) {
    terminal.out(
      "note: the first call from a number rings in the person's room with the bot, or if the homeserver accepts " +
        "invitations by itself (Synapse: auto_accept_invites); inbound.join_for_people makes it ring for everybody\n",
    );
  }
  files.filter(({ id }) => !neededFiles.has(id)).forEach(warn);
  const machine = { configPath, config, port, nodeVersion: versions.node, beside: { kind: "nothing" } } as const;
  (await runChecks(machineChecks(machine))).forEach(warn);
  terminal.out(
    "Not checked here: homeserver, trunks, audio. matrix-appservice-sip doctor asks them, beside a running bridge too.\n",
  );
  return exitCode.ok;
}

function ringsPeople({ inbound }: Config): boolean {
  return inbound.numbers.some(({ room }) => room === undefined);
}

function pathOf(id: CheckId, configPath: string, registrationPath: string): string {
  if (id === "config") return configPath;
  return id === "registration" ? registrationPath : peopleRegistrationPath(registrationPath);
}

/** What is wrong, and what mends it in a few words; the docs say more. */
function linesOf({ finding }: CheckResult): readonly string[] {
  if (!("problems" in finding)) return [];
  return finding.problems.map(({ found, mend }) => (mend.startsWith("docs/") ? found : `${found}; ${mend}`));
}
