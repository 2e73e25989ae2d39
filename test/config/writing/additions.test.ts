// What is added to a configuration leaves every line that somebody wrote where it was.
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { minimalConfig, sampleConfig } from "../../../dev/config/sample.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { AdditionError, appendToList } from "../../../src/config/writing/additions.ts";

const second = { name: "second", server: "sip2.example.org" };
const number = { number: "+441632960124", user: "@bob:example.org" };

/** The lines of `after` that `before` has not, when those of `before` all stand in it, in their order. */
function added(before: string, after: string): string[] {
  const old = before.trimEnd().split("\n");
  return after
    .trimEnd()
    .split("\n")
    .filter((line) => {
      if (line !== old[0]) return true;
      old.shift();
      return false;
    })
    .concat(old.map((line) => `LOST: ${line}`));
}

describe("a trunk is added", () => {
  test("with what its settings mean", () => {
    const after = appendToList(minimalConfig, ["trunks"], [second]);
    expect(added(minimalConfig, after)).toEqual(["  - name: second", "    server: sip2.example.org"]);
    const more = appendToList(minimalConfig, ["trunks"], [{ ...second, transport: "tls" }]);
    expect(added(minimalConfig, more)).toContain("    # Transport to the trunk.");
  });

  test("to the sample, behind all that belongs to its trunk and before the next chapter", () => {
    const before = sampleConfig();
    const after = appendToList(before, ["trunks"], [second]);
    expect(added(before, after)).toEqual(["  - name: second", "    server: sip2.example.org"]);
    expect(after).toContain(
      "      #relearn_seconds: 1\n  - name: second\n    server: sip2.example.org\n\n# Calls from the telephone network",
    );
    // The settings of the first trunk can still be taken by removing the #.
    const taken = after.replace("      #srtp: off", "      srtp: required").replace("    #media:", "    media:");
    expect(parseConfig(taken, { configPath: "c", env: {} }).trunks.map(({ media }) => media.srtp)).toEqual([
      "required",
      "off",
    ]);
  });

  test.each([
    ["not indented", "trunks:\n- name: a # mine\n  server: a.example\n# Next\npermissions: {}\n"],
    ["on one line", "trunks: [{ name: a, server: a.example }] # mine\n# Next\npermissions: {}\n"],
    ["at the end without a line break", "permissions: {}\ntrunks:\n    -   name: a\n        server: a.example"],
  ])("to a list that is %s", (_, before) => {
    const after = appendToList(before, ["trunks"], [second]);
    expect(parse(after)).toEqual({ permissions: {}, trunks: [{ name: "a", server: "a.example" }, second] });
    for (const comment of before.match(/#.*/g) ?? []) expect(after).toContain(comment);
    expect(after.indexOf("second")).toBeLessThan(after.includes("# Next") ? after.indexOf("# Next") : Infinity);
  });
});

describe("a number is added", () => {
  test.each([
    ["without the chapter", "a: 1 # one\n"],
    ["where the chapter is empty", "inbound:\n# Other\na: 1 # one\n"],
    [
      "where the chapter has other settings",
      "inbound:\n  remote_users: true # mine\n  #numbers:\n# Other\na: 1 # one\n",
    ],
    ["where the chapter stands on one line", "inbound: { remote_users: true }\na: 1 # one\n"],
    ["where the list is empty", "inbound:\n  numbers: []\na: 1 # one\n"],
  ])("%s", (_, before) => {
    const after = appendToList(before, ["inbound", "numbers"], [number]);
    const was = parse(before) as { inbound?: object };
    expect(parse(after)).toEqual({ ...was, inbound: { ...was.inbound, numbers: [number] } });
    for (const comment of before.match(/#.*/g) ?? []) expect(after).toContain(comment);
  });

  test("behind others, without explaining again what they have", () => {
    const before = appendToList(minimalConfig, ["inbound", "numbers"], [number]);
    expect(before.match(/# Whom the number rings/g)).toHaveLength(1);
    const after = appendToList(before, ["inbound", "numbers"], [{ number: "2002", user: "@bob:example.org" }]);
    expect(added(before, after)).toEqual(['    - number: "2002"', '      user: "@bob:example.org"']);
  });
});

test.each([
  ["an alias", "base: &list [{ name: a }]\ntrunks: *list\n"],
  ["a comment where the entry would go", "trunks: [\n  { name: a } # mine\n]\n"],
  ["no list", "trunks: main\n"],
])("a form in which nothing can be added for sure is left alone: %s", (_, text) => {
  expect(() => appendToList(text, ["trunks"], [second])).toThrow(AdditionError);
});
