// The registration by which people are joined to rooms: written beside the first one, held against the configuration.
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { stringify } from "yaml";
import {
  loadPeopleToken,
  makePeopleRegistration,
  peopleRegistrationPath,
  writePeopleRegistration,
} from "../../src/config/registration/people-registration.ts";
import { readRegistration } from "../../src/config/registration/registration.ts";

const facts = { id: "matrix-appservice-sip", domain: "example.org" };
const main = { as_token: "as-token-of-the-first-one" };

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  path = join(folder, "registration-people.yaml");
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ["registration.yaml", "registration-people.yaml"],
  ["/etc/sip.d/reg.yml", "/etc/sip.d/reg-people.yml"],
  ["registration", "registration-people"],
])("%s has %s beside it", (first, second) => {
  expect(peopleRegistrationPath(first)).toBe(second);
});

test("claims the homeserver's people without keeping anybody out, is sent nothing, and says nothing else", () => {
  expect(makePeopleRegistration(facts)).toEqual({
    id: "matrix-appservice-sip-people",
    url: null,
    as_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    hs_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    sender_localpart: "matrix-appservice-sip-people",
    namespaces: { users: [{ exclusive: false, regex: "^@.*:example\\.org$" }] },
    rate_limited: false,
  });
});

test("is readable by its owner only, and keeps its tokens when it is written again", () => {
  expect(writePeopleRegistration(path, facts)).toBe(false);
  const first = readRegistration(path);
  expect(writePeopleRegistration(path, facts)).toBe(true);
  expect(readRegistration(path)).toEqual(first);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

describe("the token", () => {
  test("comes from the file", () => {
    writePeopleRegistration(path, facts);
    expect(loadPeopleToken(path, facts, main, {})).toBe(readRegistration(path)?.as_token);
  });

  test("comes from the environment before the file, which then need not be there", () => {
    expect(loadPeopleToken(path, facts, main, { MATRIX_SIP_PEOPLE_AS_TOKEN: "from outside" })).toBe("from outside");
  });

  test("is missed with the setting and the ways to mend it", () => {
    expect(() => loadPeopleToken(path, facts, main, {})).toThrow(
      /does not exist.*inbound\.join_for_people.*-r.*MATRIX_SIP_PEOPLE_AS_TOKEN/,
    );
  });

  test.each([
    ["a url to which the homeserver would send every event", { url: "http://localhost:1" }, /url.*should be null/],
    [
      "another domain's people",
      { namespaces: { users: [{ exclusive: false, regex: "^@.*:other$" }] } },
      /lacks the people/,
    ],
    [
      "everybody's ids for itself",
      { namespaces: { users: [{ exclusive: true, regex: "^@.*:example\\.org$" }] } },
      /should not be exclusive/,
    ],
    ["the token of the first registration", { as_token: main.as_token }, /should differ/],
  ])("is refused of a file that has %s", (_what, changes, message) => {
    writeFileSync(path, stringify({ ...makePeopleRegistration(facts), ...changes }));
    expect(() => loadPeopleToken(path, facts, main, {})).toThrow(message);
  });
});
