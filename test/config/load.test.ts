import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadConfig, parseConfig } from "../../src/config/load.ts";
import { ConfigError } from "../../src/config/reading/problem.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import type { Config } from "../../src/config/schema/schema.ts";

function parse(text: string): Config {
  return parseConfig(text, { configPath: "config.yaml", env: {} });
}

/** The lines of the error, or none. */
function faults(text: string): string[] {
  try {
    parse(text);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split("\n");
    throw error;
  }
}

/** The minimal configuration with one line replaced. */
function changed(from: string, to: string): string {
  expect(minimalConfig).toContain(from);
  return minimalConfig.replace(from, to);
}

test("the minimal configuration is twelve lines and needs nothing else", () => {
  expect(minimalConfig.trimEnd().split("\n")).toHaveLength(12);
  const config = parse(minimalConfig);
  expect(config.homeserver).toEqual({ url: "http://localhost:8008", domain: "example.org" });
  expect(config.trunks[0]).toMatchObject({ name: "main", transport: "udp", number_format: "e164" });
  expect(config.limits).toMatchObject({ allow: [], calls_per_user: 2 });
  expect(config.notices.enabled).toBe(true);
});

describe("what people mistype", () => {
  test.each<[string, string, string, string]>([
    [
      "a key with letters swapped",
      "server: sip",
      "sevrer: sip",
      "config.yaml:10: trunks[0].sevrer is not a known key; did you mean server? (server: Host of the provider or PBX.",
    ],
    [
      "a key too short",
      "gateway:",
      "gatway:",
      "config.yaml:5: ghosts.gatway is not a known key; did you mean gateway?",
    ],
    [
      "a key in another case",
      "domain:",
      "Domain:",
      "config.yaml:3: homeserver.Domain is not a known key; did you mean domain?",
    ],
    [
      "a hyphen for an underscore",
      "dial_plan:",
      "dial-plan:",
      "config.yaml:6: dial-plan is not a known key; did you mean dial_plan?",
    ],
    [
      "another bridge's key",
      "permissions:",
      "permission:",
      "config.yaml:11: permission is not a known key; did you mean permissions?",
    ],
    [
      "a key of another program",
      "country: GB",
      "country: GB\n  federate: true",
      "config.yaml:8: dial_plan.federate is not a known key; known here: country, routes, withhold_prefixes, sip_domains, emergency_trunk",
    ],
    [
      "a word in another case",
      "    server:",
      "    transport: UDP\n    server:",
      "config.yaml:10: trunks[0].transport should be one of udp, tcp, tls, ws, wss; did you mean udp?",
    ],
    [
      "a word nearly right",
      "gateway:",
      "encoding: percentage\n  gateway:",
      "config.yaml:5: ghosts.encoding should be one of percent, grammar, e164; did you mean percent?",
    ],
    [
      "a country as it is spoken of",
      "GB",
      "UK",
      "config.yaml:7: dial_plan.country should be a country's two capital letters (ISO 3166-1), such as GB or DE",
    ],
    [
      "a country in lower case",
      "GB",
      "gb",
      "config.yaml:7: dial_plan.country should be a country's two capital letters (ISO 3166-1), such as GB or DE; did you mean GB?",
    ],
    [
      "a URL without its scheme",
      "http://localhost:8008",
      "localhost:8008",
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https://",
    ],
    [
      "a URL with a password",
      "http://localhost:8008",
      "http://user:hunter2@localhost",
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https://",
    ],
    [
      "a user id for a domain",
      "domain: example.org",
      "domain: '@alice:example.org'",
      "config.yaml:3: homeserver.domain should be the homeserver's server name, the part after the colon in user ids",
    ],
    [
      "a port behind the gateway",
      "sip.example.org\ndial",
      "sip.example.org:5060\ndial",
      "config.yaml:5: ghosts.gateway should be a host name or an IP address, without a port",
    ],
    [
      "a scheme before the server",
      "server: sip.example.org",
      "server: sip:sip.example.org",
      "config.yaml:10: trunks[0].server should be a host name or an IP address, with :port if it is not the usual one (IPv6 in brackets)",
    ],
    [
      "IPv6 without brackets",
      "server: sip.example.org",
      "server: 2001:db8::1",
      "config.yaml:10: trunks[0].server should be a host name or an IP address, with :port if it is not the usual one (IPv6 in brackets)",
    ],
    [
      "a port that is none",
      "    server:",
      "    listen: {port: 99999}\n    server:",
      "config.yaml:10: trunks[0].listen.port should be a whole port number from 0 to 65535",
    ],
    [
      "a port in quotes",
      "    server:",
      "    listen: {port: '5060'}\n    server:",
      "config.yaml:10: trunks[0].listen.port should be a whole port number from 0 to 65535",
    ],
    [
      "a duration with its unit",
      "permissions:",
      "limits:\n  max_duration_seconds: 2h\npermissions:",
      "config.yaml:12: limits.max_duration_seconds should be a whole number of seconds from 1 to 604800",
    ],
    [
      "a duration without its unit in the key",
      "permissions:",
      "limits:\n  max_duration: 7200\npermissions:",
      "config.yaml:12: limits.max_duration is not a known key; did you mean max_duration_seconds?",
    ],
    [
      "yes for true",
      "permissions:",
      "notices:\n  enabled: yes\npermissions:",
      "config.yaml:12: notices.enabled should be true or false",
    ],
    [
      "a number without quotes",
      "    server:",
      "    identity:\n      default_number: +441632960123\n    server:",
      'config.yaml:11: trunks[0].identity.default_number should be a telephone number in quotes, such as "+441632960123"',
    ],
    [
      "a prefix without quotes",
      "country: GB",
      "country: GB\n  routes:\n    - prefix: +44\n      trunk: main",
      'config.yaml:9: dial_plan.routes[0].prefix should be the beginning of a number in quotes, such as "+44"',
    ],
    [
      "one value where a list is meant",
      "permissions:",
      "limits:\n  allow: premium\npermissions:",
      "config.yaml:12: limits.allow should be a list of kinds of number",
    ],
    [
      "a section where a list is meant",
      "  - name: main\n    server",
      "  main:\n    server",
      "config.yaml:8: trunks should be a list of trunks",
    ],
    [
      "a value where a section is meant",
      "  url: http://localhost:8008\n  domain: example.org\n",
      "",
      "config.yaml:1: homeserver is missing: The Matrix homeserver.",
    ],
    [
      "no trunk at all",
      "  - name: main\n    server: sip.example.org\n",
      "  []\n",
      "config.yaml:8: trunks should list one trunk at least",
    ],
    [
      "a placeholder that is none",
      "    server:",
      "    identity: {from_user: '{phone}'}\n    server:",
      "config.yaml:10: trunks[0].identity.from_user should be text in which only {localpart}, {domain}, {user_id}, {displayname}, {number} stand in braces",
    ],
    [
      "a codec that is none",
      "    server:",
      "    media: {codecs: [G711]}\n    server:",
      "config.yaml:10: trunks[0].media.codecs[0] should be one of PCMU, PCMA, G722, opus",
    ],
    [
      "a network that is none",
      "    server:",
      "    peers: [10.0.0.0/33]\n    server:",
      "config.yaml:10: trunks[0].peers[0] should be a network such as 192.0.2.0/24 or an address",
    ],
    [
      "a permission that is none",
      "example.org: call",
      "example.org: user",
      'config.yaml:12: permissions["example.org"] should be `call`, `none`, or a section with the keys allow, calls_per_user, max_duration_seconds',
    ],
    [
      "a key in a permission",
      "example.org: call",
      "example.org: {alow: [premium]}",
      'config.yaml:12: permissions["example.org"].alow is not a known key; did you mean allow?',
    ],
    [
      "a value in a permission",
      "example.org: call",
      "example.org: {allow: [premum]}",
      'config.yaml:12: permissions["example.org"].allow[0] should be one of premium, shared-cost, satellite, unknown; did you mean premium?',
    ],
    [
      "a user without the @",
      "example.org: call",
      "'alice:example.org': call",
      'config.yaml:12: permissions["alice:example.org"] should have a Matrix user id, a server name or * (in quotes) as its key',
    ],
    [
      "a user without a server",
      "example.org: call",
      "'@alice': call",
      'config.yaml:12: permissions["@alice"] should have a Matrix user id, a server name or * (in quotes) as its key',
    ],
    [
      "a star without quotes",
      "example.org: call",
      "*: call",
      "config.yaml:12: is not YAML: put text with special characters in quotes",
    ],
    [
      "a user without quotes",
      "example.org: call",
      "@alice:example.org: call",
      "config.yaml:12: begins with a character that has a meaning in YAML: put the text in quotes",
    ],
    [
      "a star for some users",
      "example.org: call",
      "example.org: call\n  '@guest*:example.org': none",
      'config.yaml:13: permissions["@guest*:example.org"] should not contain a star: * must stand alone, for everybody on this homeserver',
    ],
    [
      "a star for some servers",
      "example.org: call",
      "'*.example.org': none",
      'config.yaml:12: permissions["*.example.org"] should not contain a star',
    ],
    [
      "a server in capitals",
      "example.org: call",
      "Example.COM: none",
      'config.yaml:12: permissions["Example.COM"] should have the server name in lower case, as it is in user ids',
    ],
    [
      "a user's server in capitals",
      "example.org: call",
      "'@alice:Example.org': none",
      'config.yaml:12: permissions["@alice:Example.org"] should have the server name in lower case',
    ],
    [
      "a homeserver with the path of its API",
      "http://localhost:8008",
      "http://localhost:8008/_matrix/client",
      "config.yaml:2: homeserver.url should end before /_matrix, which the bridge appends",
    ],
    [
      "a space behind the URL",
      "http://localhost:8008",
      '"http://localhost:8008/ "',
      "config.yaml:2: homeserver.url should be a URL that begins with http:// or https://",
    ],
    [
      "a colon without its space",
      "domain: example.org",
      "domain:example.org",
      "config.yaml:3: lacks a space after a colon, or a closing quote, bracket or comma",
    ],
    [
      "the same port on all addresses",
      "permissions:",
      "http: {listen: {host: '::', port: 9993}}\npermissions:",
      "config.yaml:11: http.listen.port is the port of appservice.listen too",
    ],
    ["a tab", "  country", "\tcountry", "config.yaml:7: is indented with a tab; YAML wants spaces"],
    ["a key twice", "country: GB", "country: GB\n  country: DE", "config.yaml:8: the same key is given twice"],
    [
      "a trunk that is not there",
      "country: GB",
      "country: GB\n  emergency_trunk: man",
      "config.yaml:8: dial_plan.emergency_trunk should be the name of a trunk: main",
    ],
    [
      "a route to a trunk that is not there",
      "country: GB",
      "country: GB\n  routes: [{prefix: '', trunk: man}]",
      "config.yaml:8: dial_plan.routes[0].trunk should be the name of a trunk: main",
    ],
    [
      "a SIP domain with a port",
      "country: GB",
      "country: GB\n  sip_domains: {'pbx.example.org:5060': main}",
      'config.yaml:8: dial_plan.sip_domains["pbx.example.org:5060"] should have a domain as its key',
    ],
    [
      "a trunk's name twice",
      "permissions:",
      "  - name: MAIN\n    server: b.example.org\npermissions:",
      "config.yaml:11: trunks[1].name is the name of trunks[0] too, for environment variables",
    ],
    [
      "names that environment variables cannot tell apart",
      "  - name: main\n    server: sip.example.org\n",
      "  - name: a-b\n    server: a.example.org\n  - name: a_b\n    server: b.example.org\n",
      "config.yaml:11: trunks[1].name is the name of trunks[0] too, for environment variables",
    ],
    [
      "ports the wrong way round",
      "permissions:",
      "media: {rtp: {ports: {min: 20000, max: 10000}}}\npermissions:",
      "config.yaml:11: media.rtp.ports should contain more ports: max is below min, or too close to it",
    ],
    [
      "the same port for two listeners",
      "permissions:",
      "http: {listen: {port: 9993}}\npermissions:",
      "config.yaml:11: http.listen.port is the port of appservice.listen too",
    ],
    [
      "a certificate without its key",
      "    server:",
      "    tls: {certificate: c}\n    server:",
      "config.yaml:10: trunks[0].tls has a certificate without its key",
    ],
    [
      "a bot with a capital",
      "ghosts:",
      "appservice: {bot: SipBot}\nghosts:",
      "config.yaml:4: appservice.bot should be a localpart of a-z, 0-9, dot, hyphen and underscore",
    ],
    [
      "a prefix with a regular expression",
      "gateway:",
      "prefix: '_sip_.*'\n  gateway:",
      "config.yaml:5: ghosts.prefix should be a prefix of a-z, 0-9, dot, hyphen and underscore",
    ],
    [
      "a route to a second trunk that is not there",
      "country: GB",
      "country: GB\n  routes: [{prefix: '', trunk: main, more_trunks: [main, man]}]",
      "config.yaml:8: dial_plan.routes[0].more_trunks[1] should be the name of a trunk: main",
    ],
    [
      "a code that withholds the number, without quotes",
      "country: GB",
      "country: GB\n  withhold_prefixes: [141]",
      "config.yaml:8: dial_plan.withhold_prefixes[0] should be two to eight digits, * and # in quotes",
    ],
    [
      "a registration nobody knows the user of",
      "    server:",
      "    registration: {}\n    server:",
      "config.yaml:10: trunks[0].registration needs the key user, because the trunk has no credentials",
    ],
    [
      "a session timer shorter than may be",
      "    server:",
      "    session_timer: {expires_seconds: 60}\n    server:",
      "config.yaml:10: trunks[0].session_timer.expires_seconds should be a whole number of seconds from 90 to 86400",
    ],
    [
      "a session timer the wrong way round",
      "    server:",
      "    session_timer: {expires_seconds: 100, min_seconds: 200}\n    server:",
      "config.yaml:10: trunks[0].session_timer.min_seconds should not be more than expires_seconds",
    ],
    [
      "a header that is none",
      "    server:",
      "    inbound: {called_number: 'P-Called Party'}\n    server:",
      "config.yaml:10: trunks[0].inbound.called_number should be request-uri, to, or the name of a header",
    ],
    [
      "a second gateway with a scheme",
      "    server:",
      "    more_servers: ['sip:b.example.org']\n    server:",
      "config.yaml:10: trunks[0].more_servers[0] should be a host name or an IP address",
    ],
    [
      "the bot where withheld callers live",
      "ghosts:",
      "appservice: {bot: _sip_anonymous}\nghosts:",
      "config.yaml:4: appservice.bot is the localpart of callers who withhold their number",
    ],
  ])("%s", (_, from, to, fault) => {
    expect(faults(changed(from, to))[0]?.slice(0, fault.length)).toBe(fault);
  });

  test("Norway is a country", () => expect(faults(changed("GB", "NO"))).toEqual([]));
  test.each(["country:GB", 'country: "GB'])("%s is no configuration", (to) => {
    expect(faults(changed("country: GB", to))).not.toEqual([]);
  });
});

describe("which number rings whom", () => {
  /** What is wrong with a list of numbers, each on its own line from 13 on. */
  function wrong(...numbers: string[]): string[] {
    return faults(`${minimalConfig}inbound:\n  numbers:\n${numbers.map((entry) => `    - ${entry}\n`).join("")}`).map(
      (line) => line.replace("config.yaml:", ""),
    );
  }
  const user = 'user: "@alice:example.org"';

  test.each([
    [`{number: "+442079460001", ${user}}`],
    [`{number: "2001", users: ["@alice:example.org", "@bob:example.org"], ring_seconds: 30}`],
    [`{pattern: "+4420794601XX", in_turn: [{users: ["@alice:example.org"], ring_seconds: 10}]}`],
    [`{prefix: "", room: "!office:example.org"}`],
    [`{number: front-desk, room: "!31hneApxJ_1o-63DmFrpeqnkFfWppnzWso1JvH3ogLM"}`],
    [`{number: "2001", trunks: [main], ${user}}`],
  ])("%s is good", (entry) => expect(wrong(entry)).toEqual([]));

  test.each([
    [
      "a number without quotes",
      `{number: +442079460001, ${user}}`,
      "15: inbound.numbers[0].number should be a number or a name in quotes",
    ],
    ["no number", `{${user}}`, "15: inbound.numbers[0] should have one of the keys number, pattern, prefix"],
    ["nobody", `{number: "2001"}`, "15: inbound.numbers[0] should have one of the keys user, users, in_turn, room"],
    [
      "two numbers",
      `{number: "2001", prefix: "", ${user}}`,
      "15: inbound.numbers[0].prefix should not stand beside number: one of number, pattern, prefix",
    ],
    [
      "two ways to ring",
      `{number: "2001", room: "!a:b", ${user}}`,
      "15: inbound.numbers[0].room should not stand beside user: one of user, users, in_turn, room",
    ],
    [
      "a user without a server",
      '{number: "2001", user: "@alice"}',
      "15: inbound.numbers[0].user should be a Matrix user id in quotes",
    ],
    [
      "a user of another homeserver",
      '{number: "2001", users: ["@eve:example.com"]}',
      "15: inbound.numbers[0].users[0] should be a user of this homeserver, unless inbound.remote_users is true",
    ],
    [
      "a ghost",
      '{number: "2001", in_turn: [{users: ["@_sip_2002%40sip.example.org:example.org"]}]}',
      "15: inbound.numbers[0].in_turn[0].users[0] should be a person: this user is one of the bridge's own",
    ],
    [
      "the bot",
      '{number: "2001", user: "@_sip_bot:example.org"}',
      "15: inbound.numbers[0].user should be a person: this user is one of the bridge's own",
    ],
    ["nobody in a list", '{number: "2001", users: []}', "15: inbound.numbers[0].users should name one user at least"],
    [
      "a room's address",
      '{number: "2001", room: "#office:example.org"}',
      "15: inbound.numbers[0].room should be a room id in quotes",
    ],
    [
      "a trunk that is not there",
      `{number: "2001", trunks: [man], ${user}}`,
      "15: inbound.numbers[0].trunks[0] should be the name of a trunk: main",
    ],
    [
      "a regular expression",
      `{pattern: "^20\\\\d+$", ${user}}`,
      "15: inbound.numbers[0].pattern should be a number in quotes with X for a digit",
    ],
    [
      "a prefix of letters",
      `{prefix: "sales", ${user}}`,
      "15: inbound.numbers[0].prefix should be the beginning of a number in quotes",
    ],
    [
      "a mistyped key",
      `{numbr: "2001", ${user}}`,
      "15: inbound.numbers[0].numbr is not a known key; did you mean number?",
    ],
    [
      "an address",
      `{number: "alice@pbx.example.org", ${user}}`,
      '15: inbound.numbers[0].number should be a number or a name in quotes, such as "+441632960123" or "alice", without @',
    ],
    [
      "a mistyped turn",
      `{number: "2001", in_turn: [{user: "@alice:example.org"}]}`,
      "15: inbound.numbers[0].in_turn[0].user is not a known key; did you mean users?",
    ],
    [
      "no time to ring",
      `{number: "2001", ring_seconds: 1, ${user}}`,
      "15: inbound.numbers[0].ring_seconds should be a whole number of seconds from 5 to 600",
    ],
  ])("not so %s", (_, entry, fault) => expect(wrong(entry)[0]?.slice(0, fault.length)).toBe(fault));

  test.each([
    ["written alike", `{number: "2001", ${user}}`, `{number: "2001", ${user}}`, "number"],
    ["written otherwise", `{number: "+442079460001", ${user}}`, `{number: "020 7946 0001", ${user}}`, "number"],
    ["behind one for all trunks", `{number: "2001", ${user}}`, `{number: "2001", trunks: [main], ${user}}`, "number"],
    ["of a pattern", `{pattern: "20xx", ${user}}`, `{pattern: "20XX", ${user}}`, "pattern"],
    ["of all", `{prefix: "", ${user}}`, `{prefix: "", room: "!a:b"}`, "prefix"],
  ])("the same number twice is an error that names both lines: %s", (_, first, second, key) => {
    expect(wrong(first, `{number: "2999", ${user}}`, second)).toEqual([
      `17: inbound.numbers[2].${key} is the ${key} of inbound.numbers[0] too (line 15)`,
    ]);
  });
  test("so is one on the same trunk, but not one for the other trunks", () => {
    const only = `{number: "2001", trunks: [main], ${user}}`;
    expect(wrong(only, only)).toEqual([
      "16: inbound.numbers[1].number is the number of inbound.numbers[0] too on the same trunk (line 15)",
    ]);
    expect(wrong(only, `{number: "2001", ${user}}`)).toEqual([]);
  });
  test("users of other homeservers are rung where that is wanted", () => {
    const text = `inbound: {remote_users: true, numbers: [{number: "2001", user: "@eve:example.com"}]}\n`;
    expect(faults(minimalConfig + text)).toEqual([]);
  });
  test("a mailbox is a person's too", () => {
    expect(faults(`${minimalConfig}voicemail: {accounts: {"2001": ["@eve:example.com"]}}\n`)).toEqual([
      'config.yaml:13: voicemail.accounts["2001"][0] should be a user of this homeserver, unless inbound.remote_users is true',
    ]);
  });
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
    .record({ at: fc.nat(lines.length), line: fc.string({ unit: "binary" }), drop: fc.nat(2) })
    .map(({ at, line, drop }) => lines.toSpliced(at, drop, line).join("\n"));
  fc.assert(
    fc.property(fc.oneof(mangled, fc.string({ unit: "binary" }), fc.json()), (text) => {
      faults(text);
    }),
  );
});
