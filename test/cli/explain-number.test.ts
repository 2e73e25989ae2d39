// `number explain` as an admin runs it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runCommand } from "../../src/cli/command.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  writeFileSync(
    join(folder, "config.yaml"),
    `homeserver: { url: "http://localhost:8008", domain: example.org }
ghosts: { gateway: sip.example.org }
dial_plan:
  country: US
  routes:
    - { prefix: "+", trunk: main, more_trunks: [backup] }
    - { prefix: "9", trunk: backup, strip: 1, prepend: "1" }
trunks:
  - { name: main, server: sip.example.org, number_format: national }
  - { name: backup, server: sip2.example.org, inbound: { number_format: e164-without-plus } }
inbound:
  numbers:
    - { number: "+12125550123", user: "@alice:example.org", ring_seconds: 40 }
    - { number: "2002", room: "!office:example.org", pin: "482915" }
permissions:
  example.org: call
  "@bob:example.org": { allow: [premium] }
`,
  );
});
afterEach(() => rmSync(folder, { recursive: true }));

async function explain(...argv: readonly string[]): Promise<{ code: number; words: string; error: string }> {
  let [words, error] = ["", ""];
  const terminal = {
    env: {},
    out: (text: string) => void (words += text),
    err: (text: string) => void (error += text),
    onSignal: () => {},
    exit: () => {},
  };
  const code = await runCommand(["number", "explain", ...argv, "-c", join(folder, "config.yaml")], terminal);
  return { code, words, error };
}

/** What stands behind the label. */
function row(words: string, label: string): string | undefined {
  return words
    .split("\n")
    .find((line) => line.startsWith(label.padEnd(14)))
    ?.slice(14);
}

describe("a dialled number", () => {
  test("is read, judged, routed and written as it would be", async () => {
    const { code, words } = await explain("(212)", "555-0100", "--as", "@alice:example.org");
    expect(code).toBe(0);
    expect(row(words, "Dialled")).toBe("(212) 555-0100, which is 2125550100");
    expect(row(words, "Ghost")).toBe("@_sip_2125550100%40sip.example.org:example.org");
    expect(words).toMatch(/^Readings +national +\+12125550100 +ordinary +assigned$/m);
    expect(row(words, "Route")).toBe('prefix "+"');
    expect(row(words, "Trunk")).toBe("main gets 2125550100");
    expect(row(words, "then")).toBe("backup gets +12125550100");
    expect(row(words, "Caller")).toBe('@alice:example.org, by permissions."example.org"');
    expect(row(words, "Result")).toBe("the call goes out");
  });

  test("that may be two numbers shows both, and says how to make it clear", async () => {
    const { words } = await explain("4782901234");
    expect(words).toMatch(
      /^Readings +national +\+14782901234 +ordinary +assigned\n +E\.164 without plus +\+4782901234 +premium/m,
    );
    expect(row(words, "Result")).toBe("refused: doubtful-number");
    expect(words).toContain("Dial it with + and the country code.");
    expect(words).toContain("limits.allow or permissions.*.allow with premium");
  });

  test.each([
    ["+41900123456", [], "refused: premium-barred"],
    ["+41900123456", ["--as", "@bob:example.org"], "the call goes out"],
    ["+41900123456", ["--as", "@bob:example.com"], "refused: not-permitted"],
    ["112", [], "refused: emergency"],
    ["2001", [], "refused: no-route"],
    ["9 212 555 0100", [], "the call goes out"],
    ["123456789012", ["--trunk", "backup"], "refused: no-route"],
    ["12x", [], "nobody is found: not-dialable"],
  ])("%s %j: %s", async (text, more, result) => {
    const { code, words } = await explain(text, ...more);
    expect([code, row(words, "Result")]).toEqual([0, result]);
  });

  test("that is refused shows what the trunk would have got", async () => {
    const { words } = await explain("+41900123456");
    expect(row(words, "Trunk")).toBe("main would get 01141900123456");
  });

  test("is judged for somebody who may call, where permissions name single people only", async () => {
    const file = join(folder, "config.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("  example.org: call\n", ""));
    const { words } = await explain("+12125550100");
    expect(row(words, "Result")).toBe("the call goes out");
  });

  test("does not take the routes of other trunks than the one that is asked about", async () => {
    const { words } = await explain("9 212 555 0100", "--trunk", "main");
    expect(row(words, "Route")).not.toContain('prefix "9"');
  });

  test("takes the trunk that is asked about, by that trunk's own routes", async () => {
    const { words } = await explain("9 212 555 0100", "--trunk", "backup");
    expect(row(words, "Route")).toBe('prefix "9", strip 1, prepend 1');
    expect(row(words, "Trunk")).toBe("backup gets +12125550100");
  });
});

describe("a number that comes from a trunk", () => {
  test("is who calls, what calling back reaches, and whom it rings", async () => {
    const { words } = await explain("12125550123", "--from-trunk", "main");
    expect(row(words, "As a caller")).toBe("+1 212 555 0123, @_sip_+12125550123%40sip.example.org:example.org");
    expect(row(words, "Calling back")).toBe("+12125550123 over main");
    expect(row(words, "As called")).toBe("+12125550123");
    expect(row(words, "rings")).toBe("@alice:example.org for 40 s");
  });
  test("asks for a PIN first, which is not shown", async () => {
    const { words } = await explain("2002", "--from-trunk", "main");
    expect(row(words, "asks for")).toBe("a PIN (inbound.numbers[2002].pin)");
    expect(words).not.toContain("482915");
  });
  test("is read as that trunk writes numbers", async () => {
    expect(row((await explain("4782012345", "--from-trunk", "main")).words, "As a caller")).toMatch(
      /^\+1 478 201 2345,/,
    );
    const { words } = await explain("4782012345", "--from-trunk", "backup");
    expect(row(words, "Format")).toMatch(/^e164-without-plus/);
    expect(row(words, "As a caller")).toMatch(/^\+47 820 12 345,/);
    expect(row(words, "As called")).toBe("nobody's number: 404");
  });
});

test.each([
  [["2001", "--trunk", "other"], /has no trunk other; it has main, backup/],
  [["2001", "--as", "alice"], /--as should be a Matrix user id such as @alice:example\.org/],
  [["2001", "--from-trunk", "main", "--trunk", "main"], /--from-trunk explains a number that comes in/],
])("%j is a wrong command line, and says why", async (argv, message) => {
  const { code, words, error } = await explain(...argv);
  expect([code, words]).toEqual([2, ""]);
  expect(error).toMatch(message);
});
