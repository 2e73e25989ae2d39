// `--check`: says whether the bridge would take its configuration and registration, without starting anything.
import { existsSync } from "node:fs";
import { loadConfig } from "../config/load.ts";
import { toRegistrationFacts } from "../config/mapping.ts";
import { loadRegistration } from "../config/registration.ts";
import { exitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

/** Throws ConfigError. */
export function checkFiles(configPath: string, registrationPath: string, terminal: Terminal): number {
  const config = loadConfig(configPath, terminal.env);
  terminal.out(`${configPath}: good\n`);
  if (!existsSync(registrationPath)) {
    terminal.out(`${registrationPath}: not there yet; write it with -r\n`);
    return exitCode.ok;
  }
  loadRegistration(registrationPath, toRegistrationFacts(config));
  terminal.out(`${registrationPath}: good\n`);
  return exitCode.ok;
}
