// Which number rings whom.
import { describe, expect, test } from "vitest";
import { minimalConfig } from "../../dev/config/sample.ts";
import { faults } from "./minimal.ts";

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
