// The secret that the cross-signing identities of the bridge's users are made of: written once, beside the registration,
// and read at each start. Whoever has it can pass for every number of the bridge; no message here holds it.
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fstatSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import { ConfigError } from "../reading/problem.ts";
import { codeOf } from "../reading/secrets.ts";
import type { Config } from "../schema/schema.ts";

export interface SecretPlace {
  readonly configPath: string;
  readonly registrationPath: string;
  readonly config: Pick<Config, "encryption">;
}

const secretBytes = 32;
/** Base64 of fewer bytes can be guessed. */
const leastCharacters = 43;

/** `registration.yaml` has `registration-encryption.key` beside it. */
export function encryptionSecretPath({ configPath, registrationPath, config }: SecretPlace): string {
  const { secret_file: named } = config.encryption;
  if (named !== undefined) return resolve(dirname(configPath), named);
  const extension = extname(registrationPath);
  return `${registrationPath.slice(0, registrationPath.length - extension.length)}-encryption.key`;
}

/** True if it was there before, and so was left as it is. Throws ConfigError. */
export function writeEncryptionSecret(path: string): boolean {
  try {
    writeFileSync(path, `${randomBytes(secretBytes).toString("base64")}\n`, { flag: "wx", mode: 0o600 });
    return false;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return true;
    throw failure(path, `cannot be written: ${codeOf(error)}`, error);
  }
}

/** undefined: there is none, and the mode can do without. Throws ConfigError. */
export function loadEncryptionSecret(path: string, mode: Config["encryption"]["mode"]): Uint8Array | undefined {
  if (mode === "off" || (mode === "on-demand" && !existsSync(path))) return undefined;
  let text: string;
  let access: number;
  try {
    const file = openSync(path, "r");
    try {
      access = fstatSync(file).mode;
      text = readFileSync(file, "utf8").trim();
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw failure(
      path,
      `cannot be read, and encryption.mode needs it: ${codeOf(error)}. Write it with -r, or set encryption.mode to off`,
      error,
    );
  }
  if ((access & 0o027) !== 0)
    throw failure(path, "can be read by everybody on this machine, or changed by others: chmod 600 or 640");
  if (text.length < leastCharacters)
    throw failure(path, `holds fewer than ${leastCharacters} characters: delete it and write it again with -r`);
  return Buffer.from(text, "utf8");
}

function failure(path: string, message: string, cause?: unknown): ConfigError {
  return new ConfigError(path, [{ path: [], message, line: undefined }], { cause });
}
