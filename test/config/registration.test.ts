import {
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import {
  formatRegistration,
  loadRegistration,
  makeRegistration,
  namespaceRegex,
  readRegistration,
  writeRegistration,
  type RegistrationFacts,
} from "../../src/config/registration/registration.ts";
import { createGhostIds } from "../../src/core/number/ghost/ghost-id.ts";

const facts: RegistrationFacts = { id: "sip", bot: "_sip_bot", prefix: "_sip_", domain: "example.org" };
const url = "http://localhost:9993";

let folder = "";
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(content?: string): string {
  count += 1;
  const path = join(folder, `registration-${count}.yaml`);
  if (content !== undefined) writeFileSync(path, content);
  return path;
}

test("says everything that a homeserver has to know", () => {
  const registration = makeRegistration(facts, url);
  expect(parse(formatRegistration(registration))).toEqual({
    id: "sip",
    url,
    as_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    hs_token: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
    sender_localpart: "_sip_sender",
    namespaces: { users: [{ exclusive: true, regex: "^@_sip_.*:example\\.org$" }] },
    protocols: ["m.protocol.pstn", "im.vector.protocol.pstn"],
    rate_limited: false,
    receive_ephemeral: false,
  });
  expect(registration.as_token).not.toBe(registration.hs_token);
  expect(makeRegistration(facts, url).as_token).not.toBe(registration.as_token);
});

test("offers what older clients ask for where it is wanted, and says so if it is not there", () => {
  const wanted = { ...facts, virtualUsers: true };
  const registration = makeRegistration(wanted, url);
  expect(registration.protocols).toEqual([
    "m.protocol.pstn",
    "im.vector.protocol.pstn",
    "im.vector.protocol.sip_native",
    "im.vector.protocol.sip_virtual",
  ]);
  const path = file(formatRegistration(makeRegistration(facts, url)));
  expect(() => loadRegistration(path, wanted)).toThrow(
    "protocols lacks im.vector.protocol.sip_native and im.vector.protocol.sip_virtual, which lookups.virtual_users offers; write it again with -r",
  );
  expect(loadRegistration(file(formatRegistration(registration)), facts).protocols).toHaveLength(4);
});

test("asks for pushed keys where they are wanted, and no more where they are not", () => {
  const asking = makeRegistration({ ...facts, pushedKeys: true }, url);
  expect(asking).toMatchObject({ receive_ephemeral: true, "org.matrix.msc3202": true });
  expect(makeRegistration({ ...facts, pushedKeys: true }, url, makeRegistration(facts, url))).toMatchObject({
    receive_ephemeral: true,
    "org.matrix.msc3202": true,
  });
  const plain = makeRegistration(facts, url, asking);
  expect(plain.receive_ephemeral).toBe(false);
  expect(plain).not.toHaveProperty("org.matrix.msc3202");
  expect(() => loadRegistration(file(formatRegistration(plain)), { ...facts, pushedKeys: true })).toThrow(
    "receive_ephemeral and org.matrix.msc3202 should be true, as encryption.pushed_keys wants; write it again with -r",
  );
});

describe("the namespace", () => {
  const regex = new RegExp(namespaceRegex(facts));
  test.each(["@_sip_bot:example.org", "@_sip_01818118181%40sip.example.org:example.org", "@_sip_+1:example.org"])(
    "holds %s",
    (user) => expect(user).toMatch(regex),
  );
  test.each([
    "@_sip_1:exampleXorg",
    "@_sip_1:example.org.evil",
    "x@_sip_1:example.org",
    "@a_sip_1:example.org",
    "@_sipx1:example.org",
  ])("does not hold %s", (user) => expect(user).not.toMatch(regex));
  test("holds every ghost", () => {
    const encoding = fc.constantFrom("percent", "grammar", "e164" as const);
    const dialled = fc.string({ unit: fc.constantFrom(...Array.from("0123456789*#+ ")) });
    fc.assert(
      fc.property(encoding, dialled, (encoding, dialled) => {
        const options = {
          domain: "example.org",
          prefix: "_sip_",
          encoding,
          gateway: "sip.example.org",
          sipDomains: [],
        };
        const found = createGhostIds(options).forDialled(dialled);
        if (found.kind === "ghost") expect(found.user).toMatch(regex);
      }),
    );
  });
  test("takes nothing in a prefix or a domain for more than itself", () => {
    const odd = new RegExp(namespaceRegex({ prefix: "a.b-", domain: "[2001:db8::1]:8448" }));
    expect("@a.b-1:[2001:db8::1]:8448").toMatch(odd);
    expect("@aXb-1:[2001:db8::1]:8448").not.toMatch(odd);
  });
});

test("is written for its owner alone, and nothing is left beside it", () => {
  const path = file();
  writeRegistration(path, makeRegistration(facts, url));
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder).filter((name) => name.endsWith(".new"))).toEqual([]);
  expect(loadRegistration(path, facts)).toEqual(parse(readFileSync(path, "utf8")));
});

test("is so too where an earlier attempt left a file, or a stranger a link", () => {
  const left = file();
  writeFileSync(`${left}.new`, "", { mode: 0o644 });
  writeRegistration(left, makeRegistration(facts, url));
  expect(statSync(left).mode & 0o777).toBe(0o600);

  const linked = file();
  const target = file("a stranger's file");
  symlinkSync(target, `${linked}.new`);
  writeRegistration(linked, makeRegistration(facts, url));
  expect(readFileSync(target, "utf8")).toBe("a stranger's file");
  expect(lstatSync(linked).isFile()).toBe(true);
});

test("written anew keeps its tokens, its id and what an admin added, and takes the rest from the configuration", () => {
  const former = { ...makeRegistration(facts, url), id: "old-id", "io.element.msc4190": true };
  const path = file(formatRegistration(former));
  const next = { ...facts, prefix: "_tel_", bot: "_tel_bot", id: "new-id" };
  writeRegistration(path, makeRegistration(next, "http://bridge:1", readRegistration(path)));
  expect(loadRegistration(path, next)).toMatchObject({
    id: "old-id",
    url: "http://bridge:1",
    as_token: former.as_token,
    hs_token: former.hs_token,
    sender_localpart: "_tel_sender",
    "io.element.msc4190": true,
    namespaces: { users: [{ regex: "^@_tel_.*:example\\.org$" }] },
  });
});

test("a file that is something else is not overwritten, nor is its content told", () => {
  const path = file("as_token: hunter2\nhs_token: 5\n");
  expect(() => readRegistration(path)).toThrow(/as_token should be a token of at least 16 characters/);
  try {
    readRegistration(path);
  } catch (error) {
    expect(String(error)).not.toContain("hunter2");
  }
});

test("one that is not there says how to write it", () => {
  expect(readRegistration(file())).toBeUndefined();
  expect(() => loadRegistration(file(), facts)).toThrow(
    "does not exist; write it with: matrix-appservice-sip -r -u URL",
  );
});

test("holds a bot of another name, and is the bot's own if an earlier release wrote it", () => {
  const named = { ...facts, bot: "telephone" };
  const registration = makeRegistration(named, url);
  expect(registration.namespaces.users.map(({ regex }) => regex)).toEqual([
    "^@_sip_.*:example\\.org$",
    "^@telephone:example\\.org$",
  ]);
  const earlier = { ...makeRegistration(facts, url), sender_localpart: "telephone" };
  expect(loadRegistration(file(formatRegistration(earlier)), named).sender_localpart).toBe("telephone");
  expect(() => loadRegistration(file(formatRegistration(makeRegistration(facts, url))), named)).toThrow(
    "namespaces.users lacks the bot, ^@telephone:example\\.org$; write it again with -r",
  );
});

describe("one that does not fit is refused with what it lacks", () => {
  test.each<[string, Record<string, unknown>, RegExp]>([
    ["no tokens", { as_token: undefined }, /as_token should be a token/],
    [
      "the same token twice",
      { as_token: "a".repeat(32), hs_token: "a".repeat(32) },
      /hs_token should differ from as_token/,
    ],
    [
      "another namespace",
      { namespaces: { users: [{ exclusive: true, regex: "@_sip_.*" }] } },
      /namespaces\.users lacks the namespace of telephone numbers, \^@_sip_\.\*:example\\\.org\$/,
    ],
    ["no namespace", { namespaces: {} }, /namespaces\.users should be a list/],
    [
      "a shared namespace",
      { namespaces: { users: [{ exclusive: false, regex: "^@_sip_.*:example\\.org$" }] } },
      /should claim the namespace of telephone numbers exclusively/,
    ],
    [
      "no protocols",
      { protocols: undefined },
      /lacks m\.protocol\.pstn and im\.vector\.protocol\.pstn, so clients get no dial pad/,
    ],
    ["one protocol", { protocols: ["m.protocol.pstn"] }, /lacks im\.vector\.protocol\.pstn/],
    ["rate limits", { rate_limited: undefined }, /rate_limited should be false/],
    ["a bot that Synapse refuses", { sender_localpart: "a%b" }, /sender_localpart should be a localpart/],
  ])("%s", (_, changes, words) => {
    const registration = { ...makeRegistration(facts, url), ...changes };
    const text = JSON.stringify(registration);
    expect(() => loadRegistration(file(text), facts)).toThrow(words);
  });
});

test("further namespaces and ephemeral events do no harm", () => {
  const registration = makeRegistration(facts, url);
  registration.namespaces.users.push({ exclusive: false, regex: "^@alice:example\\.org$" });
  registration.receive_ephemeral = true;
  expect(loadRegistration(file(formatRegistration(registration)), facts).receive_ephemeral).toBe(true);
});
