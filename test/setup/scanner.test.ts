// That a secret in a log does not go unnoticed: the scanner of all tests' logs finds what it is there for.
import { expect, test } from "vitest";
import { createLog } from "../../src/telemetry/pino-log.ts";
import { FakeTelemetry } from "../fakes/telemetry.ts";
import { leaksFound, plantSecretsOf, scanLine } from "./scanner.ts";

test.each([
  ["a key of SRTP", "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7"],
  ["a password of ICE", String.raw`{"sdp":"v=0\r\na=ice-pwd:x9cml/YzichV2+XlhiMu8g"}`],
  ["digest credentials", 'Authorization: Digest username="a", response="0123456789abcdef0123456789abcdef"'],
  ["a token", "Authorization: Bearer syt_YW5u_abcdefgh"],
  ["a token of JSON (JWT)", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"],
  ["a private key", "-----BEGIN EC PRIVATE KEY-----"],
  ["a token of a registration", `"as":"${"0a".repeat(32)}"`],
  ["digits that were pressed", '"digit":"5"'],
  ["digits that were pressed", "Signal=5"],
  ["the secret correct-horse", "a password: correct-horse"],
])("%s is found", (what, line) => {
  scanLine(line);
  expect(leaksFound()).toContainEqual(expect.stringContaining(what));
});

test("a secret of a configuration is found in a line of a real log that its level leaves out, and in one of a double", () => {
  plantSecretsOf({ trunks: [{ credentials: { password: "planted-in-a-trunk" } }] });
  const { log } = createLog({ level: "error", maskNumbers: true, ghostPrefix: "_sip_", write: () => {} });
  for (const one of [log, new FakeTelemetry().log]) {
    one.trace("connected", { url: "sip:planted-in-a-trunk@example.org" });
    expect(leaksFound()).not.toEqual([]);
    one.child({ name: "planted-in-a-trunk" }).info("connected");
    expect(leaksFound()).not.toEqual([]);
    // The log takes out what stands under the name of a secret.
    one.info("connected", { password: "planted-in-a-trunk" });
    expect(leaksFound()).toEqual([]);
  }
});
