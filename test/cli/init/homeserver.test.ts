// What `init` learns from a homeserver, and what it does not believe.
import { createServer } from "node:http";
import { describe, expect, onTestFinished, test } from "vitest";
import { parse } from "yaml";
import { listen } from "../../../dev/loopback/listen.ts";
import { findByDomain, findHomeserver, findSoftware, probeHomeserver } from "../../../src/cli/init/find-homeserver.ts";
import type { AskOutside } from "../../../src/matrix/http/outside.ts";
import { everything, newFolder } from "./shell.ts";

const versions = { versions: ["v1.11"] };

/** A homeserver that answers these paths below `/_matrix/`, and nothing else. */
async function homeserver(answers: Readonly<Record<string, unknown>>): Promise<string> {
  const server = createServer(({ url = "" }, response) => {
    const answer = answers[url.replace("/_matrix/", "")];
    response.writeHead(answer === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? { errcode: "M_UNRECOGNIZED" }));
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${await listen(server)}`;
}

/** Without what it says itself. */
const rest = everything.filter((flag, index) => {
  const told = ["--homeserver", "--homeserver-url", "--domain"];
  return !told.includes(flag) && !told.includes(everything[index - 1] ?? "");
});

test("its name and its program need no flag", async () => {
  const url = await homeserver({
    "client/versions": versions,
    "federation/v1/version": { server: { name: "Dendrite", version: "0.13.8" } },
    "key/v2/server": { server_name: "matrix.example.org:8448" },
  });
  const folder = newFolder();
  const { code, out } = await folder.init([...rest, "--homeserver-url", url, "--allow", "nobody"]);
  expect(code).toBe(0);
  expect(parse(folder.read("config.yaml"))).toMatchObject({
    homeserver: { url, domain: "matrix.example.org:8448" },
    ghosts: { gateway: "sip.matrix.example.org", encoding: "grammar" },
  });
  expect(out).toContain("In dendrite.yaml:");
});

test("another server name than it has is an error", async () => {
  const url = await homeserver({ "client/versions": versions, "key/v2/server": { server_name: "example.org" } });
  const folder = newFolder();
  const flags = ["--homeserver-url", url, "--domain", "example.com", "--homeserver", "synapse"];
  const { code, err } = await folder.init([...rest, ...flags]);
  expect([code, err]).toEqual([
    2,
    expect.stringContaining(`--domain: homeserver.domain should be example.org: so says`),
  ]);
});

describe("nothing is taken from", () => {
  test.each([
    [
      "what is no homeserver",
      { "client/versions": { versions: "v1" }, "key/v2/server": { server_name: "example.org" } },
    ],
    ["a name that is none", { "client/versions": versions, "key/v2/server": { server_name: "a b\nc: d" } }],
    [
      "answers of another form",
      { "client/versions": versions, "key/v2/server": [], "federation/v1/version": { server: 7 } },
    ],
    [
      "a program that nobody knows",
      { "client/versions": versions, "federation/v1/version": { server: { name: "x\u001B[2J" } } },
    ],
  ])("%s", async (_, answers) => {
    const folder = newFolder();
    const { code, err } = await folder.init([...rest, "--homeserver-url", await homeserver(answers)]);
    expect(code).toBe(2);
    expect(err).toContain("--domain is needed");
    expect(err).toContain("--homeserver is needed");
  });
});

/** Answers by URL. */
const asking =
  (answers: Readonly<Record<string, unknown>>): AskOutside =>
  async ({ url }) => ({ status: url in answers ? 200 : 404, body: answers[url] });

test("nothing that would write on a terminal what it likes is shown", async () => {
  const at = "http://hs/_matrix";
  const found = await probeHomeserver(
    "http://hs",
    asking({
      [`${at}/client/versions`]: versions,
      [`${at}/federation/v1/version`]: { server: { name: "Synapse\u001B[2J", version: "1" } },
      [`${at}/key/v2/server`]: { server_name: "example.org\u001B[2J" },
    }),
  );
  expect(found).toEqual({ url: "http://hs", domain: undefined, preset: undefined, software: undefined });
});

describe("without its address", () => {
  test("it is looked for on this machine, on the port of Conduit too", async () => {
    const at = "http://localhost:6167/_matrix";
    const found = await findHomeserver(
      asking({
        [`${at}/client/versions`]: versions,
        [`${at}/federation/v1/version`]: { server: { name: "Conduit", version: "0.11.0-alpha" } },
      }),
    );
    expect(found).toMatchObject({
      url: "http://localhost:6167",
      software: "Conduit 0.11.0-alpha",
      preset: { id: "conduit" },
    });
  });

  test("it is found as clients find it", async () => {
    const found = await findByDomain(
      "example.org",
      asking({
        "https://example.org/.well-known/matrix/client": {
          "m.homeserver": { base_url: "https://matrix.example.org/" },
        },
        "https://matrix.example.org/_matrix/client/versions": versions,
      }),
    );
    expect(found?.url).toBe("https://matrix.example.org");
  });

  test("its program is asked for where other homeservers find it", async () => {
    const found = await findSoftware(
      "example.org",
      asking({
        "https://example.org/.well-known/matrix/server": { "m.server": "matrix.example.org:443" },
        "https://matrix.example.org:443/_matrix/federation/v1/version": {
          server: { name: "Tuwunel", version: "1.9.0" },
        },
      }),
    );
    expect(found.preset?.id).toBe("tuwunel");
  });

  test("nothing that answers is nothing found", async () => {
    const ask: AskOutside = () => Promise.reject(new Error("refused"));
    expect(await findHomeserver(ask)).toBeUndefined();
    expect(await findByDomain("example.org", ask)).toBeUndefined();
    expect((await findSoftware("example.org", ask)).preset).toBeUndefined();
  });
});
