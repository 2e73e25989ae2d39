// The secret of the numbers' identities: written once, beside the registration, and for its owner's eyes alone.
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  encryptionSecretPath,
  loadEncryptionSecret,
  writeEncryptionSecret,
} from "../../src/config/registration/encryption-secret.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  path = join(folder, "registration-encryption.key");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("stands beside the registration, or where the configuration says", () => {
  const place = { configPath: "/etc/sip/config.yaml", registrationPath: "/var/sip/registration.yaml" };
  const mode = "on-demand" as const;
  expect(
    encryptionSecretPath({ ...place, config: { encryption: { mode, secret_file: undefined, pushed_keys: false } } }),
  ).toBe("/var/sip/registration-encryption.key");
  expect(
    encryptionSecretPath({
      ...place,
      config: { encryption: { mode, pushed_keys: false, secret_file: "keys/own.key" } },
    }),
  ).toBe("/etc/sip/keys/own.key");
});

test("is readable by its owner only, different each time, and never overwritten", () => {
  expect(writeEncryptionSecret(path)).toBe(false);
  const first = readFileSync(path, "utf8");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(writeEncryptionSecret(path)).toBe(true);
  expect(readFileSync(path, "utf8")).toBe(first);
  expect(Buffer.from(loadEncryptionSecret(path, "on-demand") ?? []).toString()).toBe(first.trim());
  rmSync(path);
  writeEncryptionSecret(path);
  expect(readFileSync(path, "utf8")).not.toBe(first);
});

test.each([
  ["is missing", () => {}, /no such file.*-r/],
  ["others can read", () => (writeEncryptionSecret(path), chmodSync(path, 0o644)), /chmod 600/],
  ["others can change", () => (writeEncryptionSecret(path), chmodSync(path, 0o660)), /chmod 600/],
  ["is short", () => writeFileSync(path, "short secret\n", { mode: 0o600 }), /fewer than 43 characters/],
])("is refused with words, and never shown, if it %s", (_, prepare, words) => {
  prepare();
  expect(() => loadEncryptionSecret(path, "always")).toThrow(words);
  expect(() => loadEncryptionSecret(path, "always")).not.toThrow(/short secret/);
});

test("may be missing where keys are made on demand, and is not looked at where there are none", () => {
  expect(loadEncryptionSecret(path, "on-demand")).toBeUndefined();
  writeFileSync(path, "short", { mode: 0o600 });
  expect(loadEncryptionSecret(path, "off")).toBeUndefined();
});

test("may be read by a group of its own", () => {
  writeEncryptionSecret(path);
  chmodSync(path, 0o640);
  expect(loadEncryptionSecret(path, "always")).toHaveLength(44);
});
