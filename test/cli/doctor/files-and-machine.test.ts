// Files and machine, each link broken alone; and a world in which none is.
import { appendFileSync, chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listen } from "../../../dev/loopback/listen.ts";
import { checkIds } from "../../../src/cli/doctor/catalogue.ts";
import { talkThroughEngine } from "../../../src/cli/doctor/checks/audio.ts";
import { machineChecks } from "../../../src/cli/doctor/checks/machine.ts";
import { isWrong, patience, seeAlone, take, type Broken } from "./see-alone.ts";
import { examine, world } from "./world.ts";

const rows: readonly Broken[] = [
  {
    link: "config",
    what: "a misspelt key",
    before: ({ config }) => appendFileSync(config, "permision: {}\n"),
    found: /permision .*permissions/,
    mend: /docs\/configuration\.md/,
  },
  {
    link: "config",
    what: "permissions that let nobody call",
    state: "warning",
    config: () => ({ permissions: { "*": "none" } }),
    found: /permissions lets nobody on example\.org call/,
    mend: /docs\/configuration\.md/,
  },
  {
    link: "registration",
    what: "it is not written yet",
    before: ({ registration }) => rmSync(registration),
    found: /registration\.yaml does not exist yet/,
    mend: /-r -u URL/,
  },
  {
    link: "registration",
    what: "it is another file",
    before: ({ registration }) => {
      const text = readFileSync(registration, "utf8");
      writeFileSync(registration, text.replace(/^as_token: .*$/m, "as_token: short"));
    },
    found: /as_token should be a token of at least 16 characters/,
    mend: /docs/,
  },
  {
    link: "people-registration",
    what: "it is missing",
    config: () => ({ inbound: { join_for_people: true } }),
    before: ({ folder }) => rmSync(join(folder, "registration-people.yaml")),
    found: /registration-people\.yaml/,
    mend: /docs|-r/,
  },
  {
    link: "file-modes",
    what: "everybody can read the tokens",
    state: "warning",
    before: ({ registration }) => chmodSync(registration, 0o644),
    found: /registration\.yaml: contains the tokens/,
    mend: /chmod o-rwx/,
  },
  {
    link: "encryption-secret",
    what: "rooms are to be encrypted, and there is none",
    state: "warning",
    config: () => ({ rooms: { encrypted: "always" } }),
    before: ({ folder }) => rmSync(join(folder, "registration-encryption.key")),
    found: /rooms\.encrypted has no effect/,
    mend: /-r/,
  },
  {
    link: "bridge",
    what: "something else listens at its address",
    state: "warning",
    before: async ({ ports, ends }) => {
      const server = createServer((_, response) => void response.writeHead(200).end("hello"));
      await listen(server, ports.appservice);
      ends(() => void server.close());
    },
    found: /something listens where the bridge would/,
    mend: /run the doctor as its user/,
  },
  {
    link: "store",
    what: "its folder is missing",
    config: () => ({ database: { path: "/nowhere/bridge.db" } }),
    found: /the folder \/nowhere, and the bridge cannot write there/,
    mend: /docs\/operation\.md/,
  },
  {
    link: "store",
    what: "it is no database",
    before: ({ folder }) => writeFileSync(join(folder, "bridge.db"), "not a database at all, only a text\n".repeat(50)),
    found: /not a sound SQLite database/,
    mend: /troubleshooting\.md#store/,
  },
  {
    link: "ports",
    what: "another program has the trunk's",
    before: ({ ports, ends }) => take(ports.sip, ends),
    found: /trunks\[0\]\.listen: 127\.0\.0\.1:\d+ is in use/,
    mend: /troubleshooting\.md#ports/,
  },
  {
    link: "clock",
    what: "it is two hours ahead",
    state: "warning",
    interpose: (_, path) =>
      path.endsWith("/client/versions")
        ? {
            status: 200,
            body: { versions: ["v1.11"] },
            headers: { date: new Date(Date.now() - 7_200_000).toUTCString() },
          }
        : undefined,
    found: /clock is 72\d\d s ahead of the homeserver's/,
    mend: /NTP/,
  },
];

test(
  "nothing is wrong with a world in good health, and nothing is left behind",
  patience,
  async ({ onTestFinished }) => {
    const files = await world(onTestFinished);
    expect((await examine(files, { talk: talkThroughEngine })).filter(isWrong)).toEqual([]);
    expect(files.gateway.registrations).toEqual([]);
  },
);

describe("broken alone", () => {
  test.for(rows)("$link: $what", patience, async (broken, { onTestFinished }) => seeAlone(broken, onTestFinished));
});

test("node: a line of Node that has not been tried", async () => {
  const parts = {
    configPath: "",
    config: {} as never,
    port: undefined,
    nodeVersion: "23.11.0",
    beside: { kind: "nothing" },
  } as const;
  const [node] = machineChecks(parts);
  expect(await node?.run(AbortSignal.timeout(1_000))).toEqual({
    kind: "warning",
    problems: [{ found: "Node 23.11.0 has not been tried with the bridge", mend: "use Node 22 or 24" }],
  });
});

test("every link of the catalogue is broken by a test", () => {
  const folder = import.meta.dirname;
  const tests = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
  const isBroken = (id: string): boolean =>
    tests.some((text) => text.includes(`link: "${id}"`) || text.includes(`"${id}: `));
  expect(checkIds.filter((id) => id !== "call" && !isBroken(id))).toEqual([]);
});
