// `init` beside a configuration that somebody keeps by hand.
import { readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { parseConfig } from "../../../src/config/load.ts";
import { everything, newFolder, type Folder } from "./shell.ts";

const byHand = `# My bridge. Do not touch on Fridays.
homeserver: { url: "http://localhost:8008", domain: example.org } # the old one
ghosts:
    gateway:   sip.example.org

dial_plan:
    country: GB   # where I live

trunks:
    # The PBX in the cellar
    - name: cellar
      server: 192.0.2.20
      #transport: tls
      # it cannot do texts
      messages: { enabled: false }

permissions: { example.org: call } # everybody
`;

function byHandFolder(text = byHand): Folder {
  const folder = newFolder();
  writeFileSync(join(folder.path, "config.yaml"), text, { mode: 0o640 });
  return folder;
}

const telnyx = (folder: Folder): string[] => {
  writeFileSync(join(folder.path, "given"), "s3cret\n", { mode: 0o600 });
  const account = ["--username", "account", "--password-file", join(folder.path, "given")];
  return ["--trunk", "telnyx", ...account, "--number", "+12125550123"];
};

describe("a trunk", () => {
  test("is added, with its route, and every line that was there stays", async () => {
    const folder = byHandFolder();
    const { code, out } = await folder.init(["--yes", ...telnyx(folder), "--route", "+1"]);
    expect(code).toBe(0);
    const text = folder.read("config.yaml");
    for (const line of byHand.trimEnd().split("\n")) expect(text).toContain(`${line}\n`);
    const { trunks, dial_plan: plan } = parseConfig(text, { configPath: join(folder.path, "config.yaml"), env: {} });
    expect(trunks.map(({ name }) => name)).toEqual(["cellar", "telnyx"]);
    expect(plan.routes.map(({ prefix, trunk }) => [prefix, trunk])).toEqual([
      ["+1", "telnyx"],
      ["", "cellar"],
    ]);
    expect(out).toContain("the route of every other number, to cellar");
    expect(out).toContain("In Telnyx Mission Control:");
  });

  test("without a route only brings calls: what went to the first one still does", async () => {
    const folder = byHandFolder();
    await folder.init(["--yes", ...telnyx(folder)]);
    expect(parse(folder.read("config.yaml"))).toMatchObject({ dial_plan: { country: "GB" } });
    expect(folder.read("config.yaml")).not.toContain("routes");
  });

  test("of the same preset gets another name, and a given one must be free", async () => {
    const folder = byHandFolder();
    await folder.init(["--yes", ...telnyx(folder)]);
    await folder.init(["--yes", ...telnyx(folder)]);
    const { trunks } = parse(folder.read("config.yaml")) as { trunks: { name: string }[] };
    expect(trunks.map(({ name }) => name)).toEqual(["cellar", "telnyx", "telnyx-2"]);
    const { code, err } = await folder.init(["--yes", ...telnyx(folder), "--name", "cellar"]);
    expect([code, err]).toEqual([2, expect.stringContaining("--name: trunks[3].name is the name of trunks[0] too")]);
  });

  test("says what it would need of settings that all trunks share", async () => {
    const folder = byHandFolder(`${byHand}media: { rtp: { host: 192.0.2.10 } }\n`);
    const { out } = await folder.init(["--yes", ...telnyx(folder)]);
    expect(out).toContain("note: media.rtp.host is 192.0.2.10, for all trunks");
  });
});

describe("numbers", () => {
  test("are added to those that are there", async () => {
    const folder = byHandFolder();
    expect((await folder.init(["--yes", "--ring", "+441632960123=alice"])).code).toBe(0);
    const { code, out } = await folder.init(["--yes", "--ring", "*=!office:example.org"]);
    expect([code, out]).toEqual([0, expect.stringContaining("every other number, which rings !office:example.org")]);
    expect(parse(folder.read("config.yaml"))).toMatchObject({
      inbound: {
        numbers: [
          { number: "+441632960123", user: "@alice:example.org" },
          { prefix: "", trunks: ["cellar"], room: "!office:example.org" },
        ],
      },
    });
    expect(folder.read("config.yaml")).toContain("country: GB   # where I live");
  });

  test("that are there already change nothing", async () => {
    const folder = byHandFolder();
    await folder.init(["--yes", "--ring", "+441632960123=alice"]);
    const before = folder.read("config.yaml");
    const { code, err } = await folder.init(["--yes", "--ring", "01632 960123=bob"]);
    expect([code, err]).toEqual([2, expect.stringContaining("is the number of inbound.numbers[0] too")]);
    expect(folder.read("config.yaml")).toBe(before);
  });
});

test("the file keeps its mode, and a link stays a link", async () => {
  const folder = newFolder();
  const real = join(folder.path, "real.yaml");
  writeFileSync(real, byHand, { mode: 0o640 });
  symlinkSync(real, join(folder.path, "config.yaml"));
  expect((await folder.init(["--yes", "--ring", "+441632960123=alice"])).code).toBe(0);
  expect(statSync(real).mode & 0o777).toBe(0o640);
  expect(readFileSync(real, "utf8")).toContain("+441632960123");
  expect(folder.files()).toEqual(["config.yaml", "real.yaml"]);
});

describe("nothing is changed", () => {
  test.each([
    [["--yes"], "exists already, and is not overwritten: say what to add to it, with --trunk or --ring"],
    [everything, "nothing in it is changed; edit ghosts.encoding there"],
    [["--yes", "--domain", "example.com"], "edit homeserver.domain there"],
    [["--yes", "--ring", "2002=a", "--allow", "example.org"], "edit permissions there"],
  ])("by %j", async (flags, words) => {
    const folder = byHandFolder();
    const { code, err } = await folder.init(flags);
    expect([code, err]).toEqual([2, expect.stringContaining(words)]);
    expect(folder.read("config.yaml")).toBe(byHand);
  });

  test("while the configuration has an error", async () => {
    const broken = byHand.replace("country: GB", "country: UK");
    const folder = byHandFolder(broken);
    const { code, err } = await folder.init(["--yes", "--ring", "2002=alice"]);
    expect([code, err]).toEqual([
      3,
      expect.stringContaining("dial_plan.country should be a country's two capital letters"),
    ]);
    expect(folder.read("config.yaml")).toBe(broken);
  });

  test("where two trunks would have one port, and no password is left behind", async () => {
    const folder = byHandFolder(
      byHand.replace("server: 192.0.2.20", "server: 192.0.2.20\n      listen: { port: 5062 }"),
    );
    const before = folder.read("config.yaml");
    const flags = ["--trunk", "freeswitch", "--server", "127.0.0.1:5080", "--address", "127.0.0.1"];
    const { code, err } = await folder.init(["--yes", ...flags]);
    expect([code, err]).toEqual([
      3,
      expect.stringContaining("trunks[1].listen.port is the port of trunks[0].listen too"),
    ]);
    expect(folder.read("config.yaml")).toBe(before);
    expect(folder.files()).toEqual(["config.yaml"]);
  });
});
