// `-r`: writes the registration, or updates an existing one without changing its tokens.
import { loadConfig } from "../config/load.ts";
import { encryptionSecretPath, writeEncryptionSecret } from "../config/registration/encryption-secret.ts";
import { makeRegistration, readRegistration, writeRegistration } from "../config/registration/registration.ts";
import { toRegistrationFacts } from "../config/mapping/mapping.ts";
import { peopleRegistrationPath, writePeopleRegistration } from "../config/registration/people-registration.ts";
import { exitCode } from "./exit-code.ts";
import type { Terminal } from "./terminal.ts";

export interface GenerateOptions {
  readonly configPath: string;
  readonly registrationPath: string;
  /** Where the homeserver reaches the bridge. */
  readonly url: string;
}

/** Throws ConfigError. */
export function generateRegistration(options: GenerateOptions, terminal: Terminal): number {
  const config = loadConfig(options.configPath, terminal.env);
  const former = readRegistration(options.registrationPath);
  const registration = makeRegistration(toRegistrationFacts(config), options.url, former);
  writeRegistration(options.registrationPath, registration);
  const peoplePath = config.inbound.join_for_people ? peopleRegistrationPath(options.registrationPath) : undefined;
  if (peoplePath !== undefined) {
    const facts = toRegistrationFacts(config);
    const had = writePeopleRegistration(peoplePath, facts);
    terminal.out(
      `${peoplePath}: ${had ? "updated, with the same tokens" : "written"}. Give it to the homeserver like the other ` +
        "one, and guard it: whoever has its as_token can act as any user of the homeserver.\n",
    );
  }
  if (config.encryption.mode !== "off") {
    const secretPath = encryptionSecretPath({ ...options, config });
    const had = writeEncryptionSecret(secretPath);
    terminal.out(`${secretPath}: ${had ? "there already, and left as it is" : "written"}. Guard it, and back it up.\n`);
  }
  const done = former ? "updated, with the same tokens" : "written";
  terminal.out(
    `${options.registrationPath}: ${done}. Give it to the homeserver (Synapse: app_service_config_files), ` +
      `start the bridge (matrix-appservice-sip -c ${options.configPath} -f ${options.registrationPath}), and restart the homeserver.\n`,
  );
  return exitCode.ok;
}
