// The PINs of numbers: where they come from, what is wrong with them, and that none is ever repeated.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseConfig } from "../../../src/config/load.ts";
import { toDidTable, toPins } from "../../../src/config/mapping/inbound-mapping.ts";
import { ConfigError } from "../../../src/config/reading/problem.ts";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { trunkName } from "../../../src/core/ids.ts";
import { findDid } from "../../../src/core/number/plan/did.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  writeFileSync(join(folder, "pin"), "739517\n");
  writeFileSync(join(folder, "long"), "1234567890123\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

const room = 'room: "!office:example.org"';

function read(entries: readonly string[], env: Record<string, string> = {}, more = "") {
  const list = entries.map((entry) => `    - ${entry}\n`).join("");
  const text = `${minimalConfig}${more}inbound:\n  numbers:\n${list}`;
  return parseConfig(text, { configPath: join(folder, "config.yaml"), env });
}

const pinsOf = (entries: readonly string[], env: Record<string, string> = {}) =>
  [...toPins(read(entries, env))].map(([name, { digits }]) => [name, digits]);

function faults(...args: Parameters<typeof read>): string {
  try {
    read(...args);
    return "";
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(join(folder, "config.yaml"), "");
    throw error;
  }
}

describe("a PIN", () => {
  test("stands in the configuration, in a file or in the environment, by the number as it is written", () => {
    const name = "inbound.numbers[2001].pin";
    expect(pinsOf([`{number: "2001", ${room}, pin: "0042"}`])).toEqual([[name, "0042"]]);
    expect(pinsOf([`{number: "2001", ${room}, pin_file: pin}`])).toEqual([[name, "739517"]]);
    for (const [key, variable, entry] of [
      ['number: "+44 1632 960123"', "MATRIX_SIP_PIN_44_1632_960123", "+44 1632 960123"],
      ['number: "+441632960123"', "MATRIX_SIP_PIN_441632960123", "+441632960123"],
      ["number: front-desk", "MATRIX_SIP_PIN_FRONT_DESK", "front-desk"],
      ['prefix: "2"', "MATRIX_SIP_PIN_2", "2*"],
    ])
      expect(pinsOf([`{${key}, ${room}}`], { [variable ?? ""]: "482915" })).toEqual([
        [`inbound.numbers[${entry}].pin`, "482915"],
      ]);
  });

  test("is known to the number table by its name and length alone", () => {
    const table = toDidTable(read([`{number: "2001", ${room}, pin: "482915"}`, `{number: "2002", ${room}}`]));
    const found = (called: string) => findDid(called, trunkName("main"), table, undefined);
    expect(found("2001")).toMatchObject({ pin: { name: "inbound.numbers[2001].pin", length: 6 } });
    expect(found("2002")).toMatchObject({ pin: undefined });
    expect(JSON.stringify(table)).not.toContain("482915");
  });

  test("is guessed at together with others that keep the same people from being called", () => {
    const pins = toPins(
      read([
        `{number: "2001", ${room}, pin: "482915"}`,
        `{number: "2002", ${room}, pin: "1111", ring_seconds: 60}`,
        `{number: "2003", user: "@alice:example.org", pin: "2222"}`,
      ]),
    );
    const [one, two, three] = [...pins.values()].map(({ protects }) => protects);
    expect(two).toBe(one);
    expect(three).not.toBe(one);
  });

  test.each([
    ["three digits", 'pin: "123"'],
    ["thirteen", 'pin: "1234567890123"'],
    ["letters", 'pin: "12ab"'],
    ["a number without quotes", "pin: 4829"],
    ["thirteen in a file", "pin_file: long"],
  ])("is not %s", (_, pin) => {
    const said = faults([`{number: "2001", ${room}, ${pin}}`]);
    expect(said).toMatch(/inbound\.numbers\[0\]\.pin should be 4 to 12 digits/);
    expect(said).not.toMatch(/4829\b|1234567|12ab/);
  });

  test("is refused where it is given twice, and where its file is gone", () => {
    expect(faults([`{number: "2001", ${room}, pin: "4829", pin_file: pin}`])).toContain(
      "inbound.numbers[0].pin is given twice: keep pin or pin_file",
    );
    expect(faults([`{number: "2001", ${room}, pin_file: gone}`])).toContain(
      "inbound.numbers[0].pin_file names a file that cannot be read",
    );
  });

  test("is refused on a trunk whose callers could not hear a tone", () => {
    const never = "media: {transcode: never}\n";
    const entry = `{number: "2001", ${room}, pin: "482915"}`;
    expect(faults([entry], {}, never)).toBe("");
    const wideband = never.replace("}", "}\n");
    const text = `${minimalConfig.replace("    server:", "    media: {codecs: [opus]}\n    server:")}${wideband}inbound:\n  numbers:\n    - ${entry}\n`;
    expect(() => parseConfig(text, { configPath: "config.yaml", env: {} })).toThrow(
      "inbound.numbers[0].pin needs PCMA or PCMU in trunks[0].media.codecs, or media.transcode: auto",
    );
  });
});
