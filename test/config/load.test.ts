import fc from "fast-check";
import { expect, test } from "vitest";
import { anyText } from "../arbitraries/any-text.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConfigError } from "../../src/config/reading/problem.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { parse, faults, changed } from "./minimal.ts";

test("the minimal configuration is twelve lines and needs nothing else", () => {
  expect(minimalConfig.trimEnd().split("\n")).toHaveLength(12);
  const config = parse(minimalConfig);
  expect(config.homeserver).toEqual({ url: "http://localhost:8008", domain: "example.org" });
  expect(config.trunks[0]).toMatchObject({ name: "main", transport: "udp", number_format: "e164" });
  expect(config.limits).toMatchObject({ allow: [], calls_per_user: 2 });
  expect(config.notices.enabled).toBe(true);
});

test("everything that is wrong is said at once, in the order of the file", () => {
  const text = changed("GB", "UK")
    .replace("gateway: sip.example.org", "gateway: a b")
    .replace("name: main", "nam: main");
  expect(faults(`${text}limits:\n  calls_in_all: 0\n`)).toEqual([
    "config.yaml:5: ghosts.gateway should be a host name or an IP address, without a port",
    "config.yaml:7: dial_plan.country should be a country's two capital letters (ISO 3166-1), such as GB or DE",
    "config.yaml:9: trunks[0].nam is not a known key; did you mean name? (name: Name of the trunk in routes, logs and metrics.)",
    "config.yaml:14: limits.calls_in_all should be a whole number from 1 to 100000",
  ]);
});

test("a missing key is named with its meaning and an example", () => {
  expect(faults(changed("  gateway: sip.example.org\n", "  prefix: _tel_\n"))).toEqual([
    "config.yaml:4: ghosts.gateway is missing: Host name in the user ids of telephone numbers. It does not have to exist. " +
      'If you change it, every number becomes a new user with new rooms. Example: "sip.example.org"',
  ]);
});

test("an error carries its problems as data too", () => {
  try {
    parse(changed("GB", "UK"));
    expect.fail("was taken");
  } catch (error) {
    expect(error).toMatchObject({ name: "ConfigError", code: "config" });
    expect((error as ConfigError).problems).toMatchObject([{ path: ["dial_plan", "country"], line: 7 }]);
  }
});

test.each([
  ["", "is empty"],
  ["# nothing\n", "is empty"],
  ["[]", "should be a section with the keys homeserver"],
  ["just text", "should be a section with the keys homeserver"],
  ["a: *b", "cannot be followed"],
])("%j is no configuration", (text, words) => {
  expect(faults(text)[0]).toContain(words);
});

test("a server name in capitals that is the homeserver's own is what user ids have", () => {
  const text = minimalConfig
    .replaceAll(/\bexample\.org$/gm, "Example.org")
    .replace("example.org: call", "Example.org: call");
  expect(faults(text)).toEqual([]);
});

test("one wrong line is one line of error, however much is wrong with it", () => {
  expect(faults("[".repeat(10_000))).toHaveLength(1);
  expect(faults(`a: ${"{b: ".repeat(10_000)}`)).toHaveLength(1);
  expect(faults(changed("  domain", "   domain"))).toHaveLength(1);
});

test.each([
  [
    "that grow",
    [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ..."bcdefgh".split("").map((to, at) => `${to}: &${to} [${`*${"abcdefg"[at]},`.repeat(9)}]`),
    ].join("\n"),
  ],
  ["in a circle", "a: &a [*a]"],
])("aliases %s are refused, and at once", (_, text) => {
  expect(faults(text)).toEqual(["config.yaml: uses a YAML alias that cannot be followed"]);
});

test.each(["constructor: 1", "__proto__: {a: 1}", "toString:", "<<: {limits: {calls_in_all: 5}}"])(
  "%s is an unknown key like any other",
  (line) => {
    expect(faults(`${minimalConfig}${line}\n`)).toEqual([
      expect.stringContaining("is not a known key; known here: homeserver"),
    ]);
  },
);

test("a mistyped key is seen although it has no value", () => {
  expect(faults(`${minimalConfig}limts:\n`)[0]).toContain("limts is not a known key; did you mean limits?");
  expect(faults(changed("example.org: call", "'@intern:example.org':"))).toEqual([
    expect.stringContaining('config.yaml:12: permissions["@intern:example.org"]'),
  ]);
});

test("a key without a value counts as not given", () => {
  expect(parse(`${minimalConfig}limits:\nmedia:\n  rtp:\n`).limits.calls_per_user).toBe(2);
  expect(faults(changed("gateway: sip.example.org", "gateway:"))[0]).toContain("ghosts.gateway is missing");
});

test("a file that is not there is one line", () => {
  expect(() => loadConfig("/nowhere/config.yaml", {})).toThrow(
    "/nowhere/config.yaml: cannot be read: there is no such file",
  );
});

test("no value of the file comes back in an error: it may be a password", () => {
  const secret = "hunter2correcthorse";
  const places = fc.constantFrom(
    changed("GB", secret),
    changed("http://localhost:8008", secret + " x"),
    changed("    server:", `    transport: ${secret}\n    server:`),
    changed("    server:", `    credentials: {username: 5, password: ${secret}}\n    server:`),
    changed("    server:", `    credentials: {username: a, password: [${secret}]}\n    server:`),
    changed("    server:", `    credentials: {username: a, password: "${secret}\n    server:`),
    changed("    server:", `    credentials:\n      username: a\n      password: *${secret}\n    server:`),
    changed("    server:", `    credentials:\n      username: a\n     password: @${secret}\n    server:`),
    changed("    server:", `    credentials: ${secret}\n    server:`),
    changed("    server:", `    tls: {key: ${secret}}\n    server:`),
    changed("example.org: call", `example.org: ${secret}`),
  );
  fc.assert(
    fc.property(places, (text) => {
      const found = faults(text);
      expect(found).not.toEqual([]);
      expect(found.join("\n")).not.toContain(secret);
    }),
  );
});

test("no file makes it fail otherwise than with its own error", () => {
  const lines = minimalConfig.split("\n");
  const mangled = fc
    .record({ at: fc.nat(lines.length), line: anyText(), drop: fc.nat(2) })
    .map(({ at, line, drop }) => lines.toSpliced(at, drop, line).join("\n"));
  fc.assert(
    fc.property(fc.oneof(mangled, anyText(), fc.json()), (text) => {
      faults(text);
    }),
  );
});
