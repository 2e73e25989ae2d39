import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../src/config/load.ts";
import { toIceServers, toTrunkSettings } from "../../src/config/mapping/mapping.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { environmentName } from "../../src/config/reading/secrets.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  writeFileSync(join(folder, "password"), "from the file\n");
  writeFileSync(join(folder, "two-lines"), "first\nsecond\n");
  writeFileSync(join(folder, "empty"), "\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

function trunk(lines: string, env: Record<string, string> = {}) {
  const text = minimalConfig.replace("    server:", `${lines}\n    server:`).replace("name: main", "name: sip-main");
  return toTrunkSettings(parseConfig(text, { configPath: join(folder, "config.yaml"), env }), "test")[0];
}

describe("the password of a challenge", () => {
  const password = (lines: string, env: Record<string, string> = {}) =>
    trunk(`    challenge: ${lines}`, env)?.challenge;
  test("stands in the configuration, in a file or in the environment", () => {
    const algorithms = ["SHA-256", "MD5"];
    const settings = { algorithms, realm: "example.org", username: "provider" };
    expect(password("{username: provider, password: here}")).toEqual({ ...settings, password: "here" });
    expect(password("{username: provider, password_file: password}")).toEqual({
      ...settings,
      password: "from the file",
    });
    const env = { MATRIX_SIP_CHALLENGE_SIP_MAIN_PASSWORD: "from the environment" };
    expect(password("{username: provider, realm: voice}", env)).toEqual({
      algorithms,
      realm: "voice",
      username: "provider",
      password: "from the environment",
    });
  });
  test("is not that of the trunk's own account, nor the other way round", () => {
    const env = { MATRIX_SIP_TRUNK_SIP_MAIN_PASSWORD: "ours" };
    expect(() => password("{username: provider}", env)).toThrow(
      "trunks[0].challenge.password is missing: give password, password_file or the environment variable MATRIX_SIP_CHALLENGE_SIP_MAIN_PASSWORD",
    );
  });
  test("is missed beside another fault of the same trunk", () => {
    expect(() => password("{username: provider}\n    credentials: {username: a}")).toThrow(
      /credentials\.password is missing.*\n.*challenge\.password is missing/,
    );
  });
});

describe("a trunk's password", () => {
  test("stands in the configuration", () => {
    expect(trunk("    credentials: {username: a, password: here}")?.credentials?.password).toBe("here");
  });
  test("stands in a file beside it, its line end dropped", () => {
    expect(trunk("    credentials: {username: a, password_file: password}")?.credentials?.password).toBe(
      "from the file",
    );
  });
  test("stands in a file somewhere", () => {
    const path = join(folder, "two-lines");
    expect(trunk(`    credentials: {username: a, password_file: ${path}}`)?.credentials?.password).toBe(
      "first\nsecond",
    );
  });
  test("comes from the environment, which goes before both", () => {
    const env = { MATRIX_SIP_TRUNK_SIP_MAIN_PASSWORD: "from the environment" };
    expect(trunk("    credentials: {username: a}", env)?.credentials?.password).toBe("from the environment");
    expect(trunk("    credentials: {username: a, password: here}", env)?.credentials?.password).toBe(
      "from the environment",
    );
    expect(trunk("    credentials: {username: a, password_file: gone}", env)?.credentials?.password).toBe(
      "from the environment",
    );
  });
  test.each([
    [
      "{username: a}",
      "trunks[0].credentials.password is missing: give password, password_file or the environment variable MATRIX_SIP_TRUNK_SIP_MAIN_PASSWORD",
    ],
    [
      "{username: a, password: b, password_file: password}",
      "trunks[0].credentials.password is given twice: keep password or password_file",
    ],
    [
      "{username: a, password_file: gone}",
      "trunks[0].credentials.password_file names a file that cannot be read: there is no such file",
    ],
    [
      "{username: a, password_file: .}",
      "trunks[0].credentials.password_file names a file that cannot be read: it is a folder",
    ],
    ["{username: a, password_file: empty}", "trunks[0].credentials.password_file names a file that is empty"],
  ])("%s is an error", (credentials, words) => {
    expect(() => trunk(`    credentials: ${credentials}`)).toThrow(words);
  });
});

test("certificates and keys come from files and the environment", () => {
  const env = { MATRIX_SIP_TRUNK_SIP_MAIN_TLS_KEY: "key" };
  const tls = trunk("    tls: {ca: inline, certificate_file: two-lines, key: other}", env)?.tls;
  expect(tls).toEqual({ ca: "inline", certificate: "first\nsecond", key: "key", serverName: undefined });
});

test("a key from the environment is enough for a certificate, and one that is nowhere is missed", () => {
  const env = { MATRIX_SIP_TRUNK_SIP_MAIN_TLS_KEY: "key" };
  expect(trunk("    tls: {certificate_file: password}", env)?.tls.key).toBe("key");
  expect(() => trunk("    tls: {certificate_file: password}")).toThrow(
    "trunks[0].tls has a certificate without its key",
  );
});

test("a TURN server's password comes from the environment by its place in the list", () => {
  const text = `${minimalConfig}media:
  ice:
    servers:
      - urls: ["stun:stun.example.org"]
      - urls: ["turn:turn.example.org?transport=udp"]
        username: bridge
`;
  const config = parseConfig(text, { configPath: "config.yaml", env: { MATRIX_SIP_ICE_2_CREDENTIAL: "secret" } });
  expect(toIceServers(config)).toEqual([
    { urls: ["stun:stun.example.org"] },
    { urls: ["turn:turn.example.org?transport=udp"], username: "bridge", credential: "secret" },
  ]);
});

test("names of variables are capitals, digits and underscores", () => {
  expect(environmentName("TRUNK", "sip-main.1", "PASSWORD")).toBe("MATRIX_SIP_TRUNK_SIP_MAIN_1_PASSWORD");
});
