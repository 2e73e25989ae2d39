// What `--check` says before anything is started: of the two files, of each other, and of this machine.
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { createSocket } from "node:dgram";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { freePort } from "../../dev/loopback/free-ports.ts";
import { bind, listen } from "../../dev/loopback/listen.ts";
import { runCommand } from "../../src/cli/command.ts";
import type { Terminal } from "../../src/cli/terminal.ts";
import { minimalConfig } from "../../dev/config/sample.ts";
import { Authority } from "../sip/rig/certificates.ts";

let folder = "";
let config = "";
let registration = "";

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  config = join(folder, "config.yaml");
  registration = join(folder, "registration.yaml");
  await configure((text) => text);
  await run("-r", "-u", `http://localhost:${bridgePort}`);
});
afterEach(() => rmSync(folder, { recursive: true }));

let bridgePort = 0;

/** The smallest configuration, on ports that are free. */
async function configure(change: (text: string) => string): Promise<void> {
  bridgePort = await freePort();
  const listens = `appservice: {listen: {port: ${bridgePort}}}\nhttp: {listen: {port: 0}}\n`;
  const database = `database: {path: ${JSON.stringify(join(folder, "bridge.db"))}}\n`;
  writeFileSync(config, change(`${minimalConfig}${listens}${database}`), { mode: 0o640 });
}

/** The same with a PostgreSQL server. */
function useServer(url: string): Promise<void> {
  return configure((text) => text.replace(/^database: .*$/m, `database: {url: ${JSON.stringify(url)}}`));
}

async function run(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { out: "", err: "" };
  const terminal: Terminal = {
    env: {},
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    onSignal: () => {},
    exit: () => {},
  };
  const code = await runCommand([...argv, "-c", config, "-f", registration], terminal, () => expect.fail("started"));
  return { code, ...said };
}

const warnings = ({ out }: { out: string }) => out.split("\n").filter((line) => line.startsWith("warning: "));

test("both files are good, and the doctor looks at the rest", async () => {
  const { code, out } = await run("--check");
  expect([code, out]).toEqual([
    0,
    `${config}: good\n${registration}: good\n` +
      "Not checked here: homeserver, trunks, audio. matrix-appservice-sip doctor asks them, beside a running bridge too.\n",
  ]);
});

test("a registration comes after its configuration", async () => {
  rmSync(registration);
  const { code, out } = await run("--check");
  expect(code).toBe(0);
  expect(out).toContain(`${registration}: does not exist yet; write it with -r\n`);
});

test("what is wrong is said, and ends it", async () => {
  writeFileSync(registration, "id: x\n");
  const { code, err } = await run("--check");
  expect([code, err]).toEqual([3, expect.stringContaining("as_token should be a token")]);
});

describe("of the configuration it warns of", () => {
  test.each([
    ["permissions for another domain", { "example.com": "call" }, "permissions lets nobody on example.org call"],
    ["permissions that forbid alone", { "*": "none" }, "permissions lets nobody on example.org call"],
    ["no permissions", {}, "permissions lets nobody on example.org call"],
    [
      "a person of a domain that is spelt wrong",
      { "*": "call", "@boss:exmaple.org": { allow: ["satellite"] } },
      'permissions["@boss:exmaple.org"] is for another server than homeserver.domain, example.org',
    ],
  ])("%s", async (_, permissions, words) => {
    await configure((text) => text.replace(/^permissions:(?:\n .*)*$/m, `permissions: ${JSON.stringify(permissions)}`));
    const checked = await run("--check");
    expect(checked.code).toBe(0);
    expect(checked.out).toContain(words);
  });
});

test("people of other servers may call, without a warning", async () => {
  const permissions = JSON.stringify({ "example.org": "call", "matrix.org": "call", "@eve:elsewhere.net": "none" });
  await configure((text) => text.replace(/^permissions:(?:\n .*)*$/m, `permissions: ${permissions}`));
  expect(warnings(await run("--check")).join("")).not.toContain("permissions");
});

test("it warns of rooms that are always to be encrypted, and cannot be", async () => {
  await configure((text) => `${text}rooms: {encrypted: always}\n`);
  expect(warnings(await run("--check")).join("")).not.toContain("rooms.encrypted");
  const secret = join(folder, "registration-encryption.key");
  rmSync(secret);
  expect(warnings(await run("--check"))).toContain(
    `warning: ${config}: rooms.encrypted has no effect: there is no secret in ${secret}; write it with -r`,
  );
  await configure((text) => `${text}rooms: {encrypted: always}\nencryption: {mode: off}\n`);
  expect(warnings(await run("--check")).join("\n")).toContain(
    `${config}: rooms.encrypted has no effect: encryption.mode is off`,
  );
});

test("it warns of clients that are to be rung, and cannot be, and of tokens that anybody on the way could read", async () => {
  await configure((text) => `${text}people: {calls: rtc}\nrtc: {allowed_services: ["http://rtc.example.com/jwt"]}\n`);
  expect(warnings(await run("--check"))).toContain(
    `warning: ${config}: rtc.allowed_services[0] is not https: whoever is on the way could read the tokens of calls`,
  );
  await configure((text) => `${text}people: {calls: rtc}\nrtc: {mode: off}\n`);
  expect(warnings(await run("--check"))).toContain(
    `warning: ${config}: people.calls has no effect: rtc.mode is off, so only other clients are rung`,
  );
  await configure((text) => `${text}rtc: {livekit_service_url: "http://rtc.example.com/jwt"}\n`);
  expect(warnings(await run("--check"))).toContain(
    `warning: ${config}: rtc.livekit_service_url is not https: whoever is on the way could read the tokens of calls`,
  );
  await configure((text) => `${text}rtc: {livekit_service_url: "http://127.0.0.1:8080"}\n`);
  expect(warnings(await run("--check")).join("")).not.toContain("rtc");
});

test("it warns of trunks over which calls of MatrixRTC would fail", async () => {
  const words = "trunks[0].media.codecs lacks opus, which MatrixRTC has alone, and media.transcode is never";
  const restrict = (text: string, codecs: string): string =>
    `${text.replace(/^( +)server: .*$/m, `$&\n$1media: {codecs: ${codecs}}`)}people: {calls: both}\nmedia: {transcode: never}\n`;
  await configure((text) => restrict(text, "[PCMA]"));
  expect(warnings(await run("--check")).join("")).toContain(words);
  await configure((text) => restrict(text, "[PCMA, opus]"));
  expect(warnings(await run("--check")).join("")).not.toContain("codecs");
});

describe("of the registration it warns of", () => {
  test.each([
    ["no address", "null", "url is missing, so the homeserver sends the bridge nothing"],
    ["an address of another kind", "ftp://bridge.example.org", "url should begin with http:// or https://"],
    ["an address without its kind", "bridge.example.org:9993", "url should begin with http:// or https://"],
  ])("%s", async (_, url, words) => {
    writeFileSync(registration, readFileSync(registration, "utf8").replace(/^url: .*$/m, `url: ${url}`));
    expect(warnings(await run("--check")).join("")).toContain(words);
  });

  test("a bot that reads no encrypted rooms, as earlier releases wrote it", async () => {
    const earlier = readFileSync(registration, "utf8").replace("_sip_sender", "_sip_bot");
    writeFileSync(registration, earlier);
    expect(warnings(await run("--check"))).toEqual([
      `warning: ${registration}: sender_localpart is the bot, which therefore cannot read in encrypted rooms on Synapse; write the registration again with -r, and restart the homeserver`,
    ]);
    await run("-r", "-u", `http://127.0.0.1:${bridgePort}`);
    expect(warnings(await run("--check"))).toEqual([]);
  });

  test("an address at which the bridge does not listen", async () => {
    await run("-r", "-u", "http://127.0.0.1:9");
    expect(warnings(await run("--check"))).toEqual([
      `warning: ${registration}: url leads to port 9 of this machine, but the bridge listens on ${bridgePort}: see appservice.listen.port and -p`,
    ]);
    expect(warnings(await run("--check", "-p", "9")).join("")).not.toContain("url leads");
  });

  test("an address that goes too far", async () => {
    await run("-r", "-u", "http://bridge.example.org/_matrix/app");
    expect(warnings(await run("--check"))).toEqual([expect.stringContaining("url should end before /_matrix")]);
  });
});

describe("of this machine it warns of", () => {
  test("a registration and a password that everybody can read", async () => {
    const secret = join(folder, "secret");
    writeFileSync(secret, "correct horse", { mode: 0o644 });
    await configure((text) =>
      text.replace(/^( +)server:/m, "$1credentials: {username: u, password_file: secret}\n$1server:"),
    );
    chmodSync(registration, 0o644);
    await run("-r", "-u", `http://localhost:${bridgePort}`);
    chmodSync(registration, 0o644);
    expect(warnings(await run("--check"))).toEqual([
      `warning: ${registration}: contains the tokens, and everybody on this machine can read it; chmod o-rwx`,
      `warning: ${secret}: contains trunks[0].credentials.password_file, and everybody on this machine can read it; chmod o-rwx`,
    ]);
  });

  test("a configuration with a password in it that everybody can read", async () => {
    await configure((text) =>
      text.replace(/^( +)server:/m, "$1credentials: {username: u, password: secret}\n$1server:"),
    );
    await run("-r", "-u", `http://localhost:${bridgePort}`);
    chmodSync(config, 0o644);
    const [warning = ""] = warnings(await run("--check"));
    expect(warning).toContain(`${config}: contains trunks[0].credentials.password, and everybody`);
    expect(warning).not.toContain("secret");
  });

  test("a port in use, of HTTP and of a trunk", async () => {
    const server = createServer();
    await listen(server, bridgePort);
    onTestFinished(() => void server.close());
    const socket = createSocket("udp4");
    const sipPort = await bind(socket);
    onTestFinished(() => void socket.close());
    const before = bridgePort;
    await configure((text) =>
      text.replace(/^( +)server:/m, `$1listen: {host: 127.0.0.1, port: ${sipPort}}\n$1server:`),
    );
    expect(warnings(await run("--check", "-p", String(before))).slice(-2)).toEqual([
      `warning: ${config}: appservice.listen: 127.0.0.1:${before} is in use: by another program, or by the bridge if it is running`,
      `warning: ${config}: trunks[0].listen: 127.0.0.1:${sipPort} is in use: by another program, or by the bridge if it is running`,
    ]);
  });

  test("an address that is not this machine's", async () => {
    await configure((text) => text.replace("http: {listen: {", "http: {listen: {host: 192.0.2.1, "));
    expect(warnings(await run("--check")).join("")).toContain(
      "http.listen: 192.0.2.1:0 does not belong to this machine",
    );
  });

  test("a database server that does not answer", async () => {
    const port = await freePort();
    await useServer(`postgres://bridge:p%40ss@127.0.0.1:${port}/bridge`);
    const result = await run("--check");
    expect(warnings(result)).toContain(
      `warning: ${config}: PostgreSQL database bridge at 127.0.0.1:${port}, as bridge: nothing listens there (database.url)`,
    );
    expect(result.out).not.toMatch(/p@ss|p%40ss/);
  });
  test("a database's password that everybody can read, in its URL too", async () => {
    const port = await freePort();
    await useServer(`postgres://bridge:secret@127.0.0.1:${port}/bridge`);
    chmodSync(config, 0o644);
    expect(warnings(await run("--check"))).toContain(
      `warning: ${config}: contains database.url, and everybody on this machine can read it; chmod o-rwx`,
    );
  });
  test("a database whose folder is missing", async () => {
    await configure((text) => text.replace(/^database:.*$/m, "database: {path: /nowhere/bridge.db}"));
    expect(warnings(await run("--check")).join("")).toContain(
      "the folder /nowhere, and the bridge cannot write there: there is no such",
    );
  });
});

test("a ca that is no certificate is an error", async () => {
  await configure((text) => text.replace(/^( +)server:/m, "$1tls: {ca: nonsense}\n$1server:"));
  const { code, err } = await run("--check");
  expect([code, err]).toEqual([3, expect.stringContaining("trunks[0].tls.ca is not a certificate in PEM form")]);
});

describe("a certificate", () => {
  const authority = new Authority();
  const one = authority.issue("one", "IP:127.0.0.1");
  const other = authority.issue("other", "IP:127.0.0.1");
  authority.remove();

  test.each([
    ["that is none", "nonsense", one.key, "tls.certificate is not a certificate in PEM form"],
    ["whose key is none", one.cert, "nonsense", "tls.key is not a private key in PEM form"],
    ["with the key of another", one.cert, other.key, "tls.key is not the key of the certificate"],
  ])("%s is an error", async (_, certificate, key, words) => {
    await configure((text) =>
      text.replace(/^( +)server:/m, `$1tls: ${JSON.stringify({ certificate, key })}\n$1server:`),
    );
    const { code, err } = await run("--check");
    expect([code, err]).toEqual([
      3,
      `${config}: trunks[0].${words}${err.includes("passphrase") ? ", or needs a passphrase" : ""}\n`,
    ]);
  });
});
