// `init` without a terminal: flags say everything, or it says which are missing.
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { trunkPresets } from "../../../src/config/presets/presets.ts";
import { everything, newFolder, nowhere } from "./shell.ts";

const made = ["asterisk-password", "config.yaml", "registration-encryption.key", "registration.yaml"];

test("writes files that pass the check without a warning, readable by nobody else", async () => {
  const folder = newFolder();
  const { code, err } = await folder.init([...everything, "--ring", "+441632960123=alice"]);
  expect([code, err]).toEqual([0, ""]);
  expect(folder.files()).toEqual(made);
  for (const name of made) expect(statSync(join(folder.path, name)).mode & 0o077).toBe(0);
  const check = await folder.run("--check");
  expect(check.code).toBe(0);
  expect(check.out.match(/: good$/gm)).toHaveLength(2);
  expect(check.out).not.toContain("warning:");
});

test("writes what was chosen, each with what the sample says of it", async () => {
  const folder = newFolder();
  await folder.init([...everything, "--ring", "+441632960123=alice", "--ring", "2002=alice,@bob:example.org"]);
  const text = folder.read("config.yaml");
  expect(parse(text)).toMatchObject({
    homeserver: { url: nowhere, domain: "example.org" },
    dial_plan: { country: "GB" },
    trunks: [
      {
        name: "asterisk",
        credentials: { username: "matrix", password_file: "asterisk-password" },
        identity: { numbers: { "@alice:example.org": "+441632960123", "@bob:example.org": "2002" } },
      },
    ],
    inbound: {
      numbers: [
        { number: "+441632960123", user: "@alice:example.org" },
        { number: "2002", users: ["@alice:example.org", "@bob:example.org"] },
      ],
    },
    permissions: { "@alice:example.org": "call" },
  });
  expect(text).toContain(
    "  # The homeserver's server name: the part after the colon in user ids.\n  domain: example.org",
  );
  // Explained once, not for each number.
  expect(text.match(/# The called number, in any form/g)).toHaveLength(1);
  expect(text.split("\n").length).toBeLessThan(120);
});

test("says what to paste and what to run, and tells a log no password", async () => {
  const folder = newFolder();
  const { out } = await folder.init([...everything, "--ring", "+441632960123=alice"]);
  expect(out).toContain('app_service_config_files: ["/etc/matrix-synapse/matrix-appservice-sip.yaml"]');
  expect(out).toContain("exten => +441632960123,1,Dial(PJSIP/${EXTEN}@matrix,45)");
  expect(out).toContain(`matrix-appservice-sip -c ${join(folder.path, "config.yaml")}`);
  expect(out).toContain("systemctl restart matrix-synapse");
  const secret = folder.read("asterisk-password").trim();
  expect(secret).toHaveLength(24);
  expect(out).not.toContain(secret);
  expect(out).toContain(`password=THE CONTENT OF ${join(folder.path, "asterisk-password")}`);
});

describe("a missing answer", () => {
  test("is an error that names the flag, for all of them at once", async () => {
    const folder = newFolder();
    const { code, err } = await folder.init(["--yes", "--homeserver-url", nowhere]);
    expect(code).toBe(2);
    for (const flag of ["--domain", "--homeserver", "--country", "--trunk", "--allow"]) {
      expect(err).toContain(`error: ${flag} is needed: `);
    }
    expect(folder.files()).toEqual([]);
  });

  test.each([
    [
      ["--trunk", "telnyx"],
      ["--username", "--password-file", "--number"],
    ],
    [
      ["--trunk", "twilio"],
      ["--server", "--username", "--password-file", "--number", "--public-address"],
    ],
    [
      ["--trunk", "address"],
      ["--server", "--address"],
    ],
  ])("of %j is one too", async (flags, missing) => {
    const folder = newFolder();
    const common = everything.slice(0, everything.indexOf("--trunk"));
    const { code, err } = await folder.init([...common, "--allow", "nobody", ...flags]);
    expect(code).toBe(2);
    expect([...err.matchAll(/error: (--[\w-]+) is needed/g)].map(([, flag]) => flag)).toEqual(missing);
    expect(folder.files()).toEqual([]);
  });
});

describe("a wrong answer names the flag and the setting", () => {
  test.each([
    [["--country", "UK"], "--country: dial_plan.country should be a country's two capital letters (ISO 3166-1)"],
    [["--domain", "https://example.org"], "--domain: homeserver.domain should be the homeserver's server name"],
    [["--homeserver-url", "localhost"], "--homeserver-url: homeserver.url should be a URL"],
    [["--homeserver", "matrix"], "--homeserver: should be one of synapse, dendrite"],
    [["--trunk", "astersik"], "--trunk: should be one of asterisk, freeswitch"],
    [["--name", "my trunk"], "--name: trunks[0].name should be a short name"],
    [["--server", "sip:pbx"], "--server: trunks[0].server should be a host name"],
    [["--address", "pbx/1"], "--address: trunks[0].listen.host should be an IP address of this machine"],
    [["--port", "5062"], "--port: a trunk of the preset asterisk does not have it"],
    [["--ring", "+441632960123"], "--ring +441632960123: should be NUMBER=USER"],
    [["--ring", "+441632960123=@alice:elsewhere.org"], "inbound.numbers[0].user should be a user of this homeserver"],
    [["--ring", "2002=a", "--ring", "2002=b"], "inbound.numbers[1].number is the number of inbound.numbers[0] too"],
    [["--allow", "@alice"], '--allow: permissions["@alice"] should have a Matrix user id, a server name or *'],
    [
      ["--password-file", "/nowhere/password"],
      "--password-file: /nowhere/password cannot be read: there is no such file",
    ],
    [["--route", "+49"], "does not exist yet, and its first trunk gets every number"],
  ])("%j", async (flags, words) => {
    const folder = newFolder();
    const { code, err } = await folder.init([...everything, ...flags]);
    expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    expect(folder.files()).toEqual([]);
  });
});

test("nothing is overwritten", async () => {
  const folder = newFolder();
  writeFileSync(join(folder.path, "asterisk-password"), "old\n");
  const { code, err } = await folder.init(everything);
  expect([code, err]).toEqual([
    2,
    expect.stringContaining("asterisk-password exists already: take it with --password-file"),
  ]);
  expect(folder.files()).toEqual(["asterisk-password"]);
  expect(folder.read("asterisk-password")).toBe("old\n");
});

test("a registration that is there is kept if it fits, and otherwise nothing is written", async () => {
  const folder = newFolder();
  await folder.init(everything);
  const registration = folder.read("registration.yaml");

  const other = newFolder();
  writeFileSync(join(other.path, "registration.yaml"), registration);
  expect((await other.init(everything)).code).toBe(0);
  expect(other.read("registration.yaml")).toBe(registration);

  const third = newFolder();
  writeFileSync(join(third.path, "registration.yaml"), registration.replaceAll("example\\.org", "example\\.com"));
  const { code, err } = await third.init(everything);
  expect([code, err]).toEqual([3, expect.stringContaining("lacks the namespace of telephone numbers")]);
  expect(third.files()).toEqual(["registration.yaml"]);
});

test("what fails half-way leaves nothing behind", async () => {
  const folder = newFolder();
  const { code, err } = await folder.init([...everything, "-c", join(folder.path, "none/config.yaml")]);
  expect(code).toBe(3);
  expect(err).toContain("cannot be written: there is no such file");
  expect(folder.files()).toEqual([]);
});

test("a homeserver on another machine is told where the bridge listens", async () => {
  const folder = newFolder();
  const flags = ["--homeserver-url", "http://192.0.2.30:8008", "--appservice-url", "http://192.0.2.10:9000"];
  expect((await folder.init([...everything, ...flags])).code).toBe(0);
  expect(parse(folder.read("config.yaml"))).toMatchObject({ appservice: { listen: { host: "0.0.0.0", port: 9000 } } });
  expect(parse(folder.read("registration.yaml"))).toMatchObject({ url: "http://192.0.2.10:9000" });
});

test("--join-for-people writes the second registration, and names both", async () => {
  const folder = newFolder();
  const { out } = await folder.init([...everything, "--join-for-people", "--ring", "+441632960123=alice"]);
  expect(folder.files()).toContain("registration-people.yaml");
  expect(out).toContain(
    'app_service_config_files: ["/etc/matrix-synapse/matrix-appservice-sip.yaml", "/etc/matrix-synapse/matrix-appservice-sip-people.yaml"]',
  );
  expect((await folder.run("--check")).code).toBe(0);
});

test.each(["conduit", "continuwuity", "tuwunel"])(
  "%s gets the encoding that it takes, and a command",
  async (software) => {
    const folder = newFolder();
    const { code, out } = await folder.init([...everything, "--homeserver", software]);
    expect(code).toBe(0);
    expect(parse(folder.read("config.yaml"))).toMatchObject({ ghosts: { encoding: "grammar" } });
    expect(out).toMatch(/(?:register-appservice|!admin appservices register)\n/);
    expect(out).not.toContain("app_service_config_files");
  },
);

test.each(trunkPresets.map(({ id }) => id))("%s: what is written passes the check", async (id) => {
  const folder = newFolder();
  writeFileSync(join(folder.path, "given"), "s3cret\n", { mode: 0o600 });
  const preset = trunkPresets.find((one) => one.id === id);
  const values: Readonly<Record<string, readonly string[]>> = {
    server: ["--server", "127.0.0.1:5070"],
    username: ["--username", "account"],
    password: ["--password-file", join(folder.path, "given")],
    number: ["--number", "+441632960123"],
    address: ["--address", "127.0.0.1"],
    public_address: ["--public-address", "203.0.113.5"],
  };
  const answers = Object.keys(preset?.asks ?? {}).flatMap((key) => values[key] ?? []);
  const common = everything.slice(0, everything.indexOf("--trunk"));
  const flags = ["--allow", "example.org", "--trunk", id, ...answers, "--ring", "+441632960123=alice"];
  expect(await folder.init([...common, ...flags])).toMatchObject({ code: 0, err: "" });
  const { code, out } = await folder.run("--check");
  expect(code).toBe(0);
  expect(out).not.toContain("warning:");
});
