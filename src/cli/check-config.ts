// `--check`: would the bridge accept its configuration and registration, and what in them, or on this machine, should
// somebody look at? Starts nothing.
import { existsSync } from "node:fs";
import { adviseOn, adviseOnRegistration } from "../config/checks/advice.ts";
import { requireCertificates } from "../config/checks/certificates.ts";
import { loadConfig } from "../config/load.ts";
import { toRegistrationFacts } from "../config/mapping/mapping.ts";
import { loadPeopleToken, peopleRegistrationPath } from "../config/registration/people-registration.ts";
import { formatPath, type ConfigFinding } from "../config/reading/problem.ts";
import { loadRegistration } from "../config/registration/registration.ts";
import type { Config } from "../config/schema/schema.ts";
import { checkConferences } from "./conference-checks.ts";
import { exitCode } from "./exit-code.ts";
import { checkMachine } from "./machine-checks.ts";
import type { RunOptions } from "./run.ts";
import type { Terminal } from "./terminal.ts";

/** Throws ConfigError. */
export async function checkFiles(
  { configPath, registrationPath, port }: RunOptions,
  terminal: Terminal,
): Promise<number> {
  const warn = (line: string): void => terminal.out(`warning: ${line}\n`);
  const advise = (file: string, findings: Iterable<ConfigFinding>): void => {
    for (const { path, message } of findings) warn(`${file}: ${formatPath(path)} ${message}`);
  };
  const config = loadConfig(configPath, terminal.env);
  requireCertificates(config, configPath);
  terminal.out(`${configPath}: good\n`);
  advise(configPath, adviseOn(config));
  let conferences: readonly string[] | undefined;
  if (existsSync(registrationPath)) {
    const facts = toRegistrationFacts(config);
    const registration = loadRegistration(registrationPath, facts);
    terminal.out(`${registrationPath}: good\n`);
    if (config.inbound.join_for_people) {
      const peoplePath = peopleRegistrationPath(registrationPath);
      loadPeopleToken(peoplePath, facts, registration, terminal.env);
      terminal.out(`${peoplePath}: good\n`);
    }
    conferences = await checkConferences(config, registration);
    advise(registrationPath, adviseOnRegistration(registration, config, port ?? config.appservice.listen.port));
  } else {
    terminal.out(`${registrationPath}: does not exist yet; write it with -r\n`);
  }
  if (ringsPeople(config) && !config.inbound.join_for_people) {
    terminal.out(
      "note: the first call from a number rings in the person's room with the bot, or if the homeserver accepts " +
        "invitations by itself (Synapse: auto_accept_invites); inbound.join_for_people makes it ring for everybody\n",
    );
  }
  for (const line of await checkMachine({ configPath, registrationPath, config, port })) warn(line);
  for (const line of conferences ?? []) warn(line);
  const { host, port: statusPort } = config.http.listen;
  terminal.out(
    "Not checked here: whether the homeserver reaches the bridge, and whether trunks" +
      `${conferences === undefined ? ", the media server of MatrixRTC" : ""} and TURN servers answer. ` +
      `The running bridge says that in its log and at http://${host.includes(":") ? `[${host}]` : host}:${statusPort}/ready\n`,
  );
  return exitCode.ok;
}

function ringsPeople({ inbound }: Config): boolean {
  return inbound.numbers.some(({ room }) => room === undefined);
}
