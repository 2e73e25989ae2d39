// `init` with a person at the terminal: every question, a typo, a change of mind.
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { parse } from "yaml";
import { listen } from "../../../dev/loopback/listen.ts";
import { newFolder, nowhere, type Folder } from "./shell.ts";

/** Somebody who reads until a question stands there, and then types. */
function person() {
  const input = new PassThrough();
  const output = new PassThrough();
  let seen = "";
  let read = 0;
  output.setEncoding("utf8").on("data", (text: string) => (seen += text));
  return {
    dialogue: { input, output },
    /** What stands on the screen. */
    screen: () => seen,
    answers: async (...pairs: readonly (readonly [asked: string, typed: string])[]): Promise<void> => {
      for (const [asked, typed] of pairs) {
        await expect.poll(() => seen.slice(read)).toContain(asked);
        await expect.poll(() => seen.slice(seen.indexOf(asked, read))).toContain("> ");
        read = seen.length;
        input.write(`${typed}\r`);
      }
    },
    presses: (key: string) => input.write(key),
  };
}

const start = (folder: Folder, ...flags: readonly string[]) => {
  const somebody = person();
  return { ...somebody, done: folder.init(flags, somebody.dialogue) };
};

const homeserver = [
  ["At which URL does the bridge reach the homeserver?", nowhere],
  ["What is its server name", "example.org"],
  ["Which homeserver is it?", "1"],
] as const;

test("asks for everything, says at once what is wrong with an answer, and shows the password to paste", async () => {
  const folder = newFolder({ LANG: "de_DE.UTF-8" });
  const { answers, done, screen } = start(folder);
  await answers(
    ...homeserver,
    ["In which country", "UK"],
    ["dial_plan.country should be a country's two capital letters", "GB"],
    ["Which telephone system or provider", "asterisk"],
    ["Which number rings somebody", "+441632960123"],
    ["Whom does +441632960123 ring?", "@alice:elsewhere.org"],
    ["inbound.numbers[0].user should be a user of this homeserver", "@alice"],
    ["Which other number?", ""],
    ["Where is Asterisk?", "pbx/1"],
    ["trunks[0].server should be a host name or an IP address", "127.0.0.1:5070"],
    ["User name of your account at the trunk.", ""],
    ["Which address of this machine does Asterisk reach?", ""],
    ["Who may call telephones, at your expense?", ""],
  );
  const { code, out, err } = await done;
  expect([code, err]).toEqual([0, ""]);
  expect(screen()).toContain("two letters, such as GB) [DE]");
  expect(screen()).toContain("or nobody) [@alice:example.org]");
  const password = folder.read("asterisk-password").trim();
  expect(out).toContain(`password=${password}`);
  expect(parse(folder.read("config.yaml"))).toMatchObject({
    homeserver: { url: nowhere, domain: "example.org" },
    dial_plan: { country: "GB" },
    trunks: [{ server: "127.0.0.1:5070", listen: { host: "127.0.0.1" } }],
    inbound: { numbers: [{ number: "+441632960123", user: "@alice:example.org" }] },
    permissions: { "@alice:example.org": "call" },
  });
  expect((await folder.run("--check")).code).toBe(0);
});

test("asks nothing that the homeserver says of itself", async () => {
  const answers: Readonly<Record<string, unknown>> = {
    "/_matrix/client/versions": { versions: ["v1.11"] },
    "/_matrix/federation/v1/version": { server: { name: "Synapse", version: "1.160.0" } },
    "/_matrix/key/v2/server": { server_name: "example.org" },
  };
  const server = createServer(({ url = "" }, response) => {
    response.writeHead(answers[url] === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answers[url] ?? { errcode: "M_UNRECOGNIZED" }));
  });
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${await listen(server)}`;
  const folder = newFolder();
  const flags = ["--country", "GB", "--trunk", "address", "--server", "192.0.2.20", "--address", "192.0.2.10"];
  const somebody = start(folder, ...flags, "--port", "5062");
  await somebody.answers(
    ["At which URL does the bridge reach the homeserver?", url],
    ["Which number rings somebody", ""],
    ["Which number do calls show", ""],
    ["Which public address", ""],
    ["Who may call telephones, at your expense?", "example.org"],
  );
  expect((await somebody.done).code).toBe(0);
  expect(somebody.screen()).toContain("There is Synapse");
  expect(parse(folder.read("config.yaml"))).toMatchObject({ homeserver: { url, domain: "example.org" } });
});

test("asks nothing that a flag says, and never shows a password that is typed", async () => {
  const folder = newFolder();
  const flags = ["--homeserver-url", nowhere, "--domain", "example.org", "--homeserver", "synapse", "--country", "GB"];
  const { answers, done, screen } = start(folder, ...flags, "--ring", "2002=alice", "--allow", "nobody");
  await answers(
    ["Which telephone system or provider", "register"],
    ["Host of the provider or PBX.", "sip.example.org"],
    ["User name of your account at the trunk.", "account"],
    ["What is the password of the account?", "correct-horse"],
  );
  const { code, out } = await done;
  expect(code).toBe(0);
  expect(folder.read("register-password")).toBe("correct-horse\n");
  expect(screen() + out).not.toContain("correct-horse");
  expect(out).toContain("warning:"); // nobody may call
});

test("offers to add to a configuration that is there", async () => {
  const folder = newFolder();
  const flags = ["--homeserver-url", nowhere, "--domain", "example.org", "--homeserver", "synapse", "--country", "GB"];
  await folder.init([...flags, "--yes", "--trunk", "address", "--server", "127.0.0.1:5070", "--allow", "example.org"]);
  const { answers, done } = start(folder);
  await answers(
    ["What is added?", "2"],
    ["Which number rings somebody", "2002"],
    ["Whom does 2002 ring?", "alice bob"],
    ["Which other number?", ""],
  );
  expect((await done).code).toBe(0);
  expect(parse(folder.read("config.yaml"))).toMatchObject({
    inbound: { numbers: [{ number: "2002", users: ["@alice:example.org", "@bob:example.org"] }] },
  });

  const again = start(folder);
  await again.answers(
    ["What is added?", "trunk"],
    ["Which telephone system or provider", "telnyx"],
    ["Which number rings somebody", ""],
    ["Which region?", ""],
    ["What is the user name of the connection?", "account"],
    ["What is the password of the account?", "secret"],
    ["Which of your Telnyx numbers do calls show?", "+12125550123"],
    ["Which numbers go out over it?", "+1"],
  );
  expect((await again.done).code).toBe(0);
  expect((await folder.run("--check")).code).toBe(0);
});

test.each([
  ["Ctrl-C", "\u0003"],
  ["Ctrl-D", "\u0004"],
])("%s in the middle leaves nothing behind", async (_, key) => {
  const folder = newFolder();
  const { answers, presses, done } = start(folder);
  await answers(...homeserver);
  presses(key);
  expect(await done).toMatchObject({ code: 130, err: "\nNothing is written.\n" });
  expect(folder.files()).toEqual([]);
});

test("works at a real terminal", async () => {
  vi.setConfig({ testTimeout: 60_000 });
  const folder = newFolder();
  const main = fileURLToPath(new URL("../../../src/main.ts", import.meta.url));
  const command = [
    process.execPath,
    main,
    "init",
    "-c",
    join(folder.path, "config.yaml"),
    "-f",
    join(folder.path, "r.yaml"),
  ];
  // `script` gives it a pseudo-terminal.
  const child = spawn("script", ["-qec", command.join(" "), "/dev/null"], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let seen = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (seen += text));
  const type = async (asked: string, typed: string): Promise<void> => {
    await expect.poll(() => seen, { timeout: 30_000 }).toContain(asked);
    child.stdin.write(typed);
  };
  const code = new Promise((resolve) => child.once("exit", resolve));
  await type("At which URL does the bridge reach the homeserver?", `${nowhere}\r`);
  await type("What is its server name", "example.org\r");
  await type("Which homeserver is it?", "\u0003");
  expect(await code).toBe(130);
  expect(seen).toContain("Nothing is written.");
  expect(folder.files()).toEqual([]);
});
