// `database copy`: what a bridge had in its SQLite file is in PostgreSQL, all of it or nothing.
import { writeFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import { minimalConfig } from "../../../dev/config/sample.ts";
import { runCommand } from "../../../src/cli/command.ts";
import type { Terminal } from "../../../src/cli/terminal.ts";
import { readPostgresUrl } from "../../../src/config/schema/postgres-url.ts";
import { eventId, type NumberKey, roomId, type UserId } from "../../../src/core/ids.ts";
import type { Store } from "../../../src/ports/store.ts";
import { openSqliteStore, openStore } from "../../../src/store/open-store.ts";
import { inboxEntry, recordOf, storedCall } from "../../contract/store-examples.ts";
import { type Postgres, startPostgres } from "../parts/databases/postgres.ts";
import { suiteRig } from "../parts/base/rig.ts";

const rig = suiteRig("database-copy");
let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres(rig);
});

const person = "@ann:example.org" as UserId;
const number = "+441632960106" as NumberKey;
const ghostAt = (index: number) => `@_sip_${index}:example.org` as UserId;

let files = 0;

/** A file with rows in every table, of some more than fit into a page. */
async function filledFile(): Promise<string> {
  const path = rig.path(`bridge-${(files += 1)}.db`);
  const store = await openSqliteStore(path);
  const room = roomId("!room:example.org");
  await store.inbox.take([inboxEntry("$z"), inboxEntry("$a"), inboxEntry("$nul\0", 500)]);
  await store.inbox.done(eventId("$a"));
  await store.calls.save(storedCall("c-open"));
  const over = recordOf("c-over", 2_000);
  await store.calls.finish(over.id, over);
  await Promise.all(
    Array.from({ length: 1_234 }, (_, index) =>
      store.ghosts.save(ghostAt(index), { displayName: `Ghost ${index}`, picture: undefined }),
    ),
  );
  await store.conversations.save({ room, person, number, ghost: ghostAt(1) });
  await store.rooms.saveOurs(room, ghostAt(1));
  await store.rooms.firstTime(room, "welcome");
  await store.visits.begin({ room, ghost: ghostAt(2), person, atMs: 5 });
  await store.settings.set("encoding", "percent");
  for (const target of ["first", "second"])
    await store.adminActions.note({
      atMs: 1,
      who: "uid 998",
      action: "pause trunk",
      target,
      detail: undefined,
      outcome: "done",
    });
  await store.close();
  return path;
}

/** What a store says when it is asked for everything. */
async function everythingIn(store: Store) {
  const room = roomId("!room:example.org");
  const said = {
    pending: await store.inbox.pending(),
    open: await store.calls.open(),
    history: await store.calls.history(10),
    ghosts: await store.ghosts.list(),
    ghost: await store.ghosts.find(ghostAt(7)),
    conversations: await store.conversations.find(person, number),
    ours: await store.rooms.ours(room),
    isFirst: await store.rooms.firstTime(room, "welcome"),
    visits: await store.visits.open(),
    actions: (await store.adminActions.latest(10)).map(({ target }) => target),
    encoding: await store.settings.get("encoding"),
    // Known, and handled before.
    again: await store.inbox.take([inboxEntry("$a")]),
  };
  await store.close();
  return said;
}

async function openAt(url: string): Promise<Store> {
  const server = readPostgresUrl(url);
  if ("problem" in server) throw new Error(server.problem);
  return openStore({ kind: "postgres", server });
}

async function copy(path: string, url: string): Promise<{ code: number; out: string; err: string }> {
  const config = rig.path("config.yaml");
  writeFileSync(config, `${minimalConfig}database: {url: ${JSON.stringify(url)}}\n`);
  const said = { out: "", err: "" };
  const terminal: Terminal = {
    env: {},
    out: (text) => void (said.out += text),
    err: (text) => void (said.err += text),
    onSignal: () => {},
    exit: () => {},
  };
  const code = await runCommand(["database", "copy", path, "-c", config], terminal, () => expect.fail("started"));
  return { code, ...said };
}

describe("a copied database", () => {
  it("says what the file says, and its own events come after those", async () => {
    const path = await filledFile();
    const url = await postgres.createSchema();
    const { code, out } = await copy(path, url);
    expect(code).toBe(0);
    expect(out).toMatch(/^setting: 1 of 1\nghost: 500 of 1234\nghost: 1000 of 1234\nghost: 1234 of 1234\n/);
    expect(out).toMatch(/\n1246 rows are copied and counted\. /);
    const store = await openAt(url);
    await store.inbox.take([inboxEntry("$later")]);
    expect((await store.inbox.pending()).map((entry) => entry.eventId)).toEqual(["$z", "$nul\0", "$later"]);
    await store.inbox.done(eventId("$later"));
    await store.close();
    const copied = await everythingIn(await openAt(url));
    expect(copied).toEqual(await everythingIn(await openSqliteStore(path)));
    expect(copied).toMatchObject({ isFirst: false, again: [], open: [{ call: { id: "c-open" } }] });
  });

  it("is not written over: a second copy is refused, and so is one into a database that a bridge has used", async () => {
    const path = await filledFile();
    const url = await postgres.createSchema();
    const store = await openAt(url);
    await store.settings.set("encoding", "grammar");
    await store.close();
    const { code, err } = await copy(path, url);
    expect([code, err]).toEqual([
      4,
      "matrix-appservice-sip: nothing is copied: the database is not empty: the table setting has rows\n",
    ]);
    const after = await openAt(url);
    expect(await after.settings.get("encoding")).toBe("grammar");
    expect(await after.ghosts.list()).toEqual([]);
    await after.close();
  });

  it("is not left behind half: rows that do not arrive are noticed, and nothing is copied", async () => {
    const path = await filledFile();
    const { name, url } = await postgres.createDatabase();
    await (await openAt(url)).close();
    await postgres.ask(
      "create rule lose as on insert to ghost where new.\"user\" like '%7:%' do instead nothing",
      name,
    );
    const { code, err } = await copy(path, url);
    expect(code).toBe(4);
    expect(err).toMatch(/nothing is copied: 1234 rows of the table ghost were copied and 1111 arrived/);
    expect(await postgres.ask("select count(*)::int as rows from setting", name)).toEqual([{ rows: 0 }]);
  });

  it("is not made while a bridge runs on either side", async () => {
    const path = await filledFile();
    const url = await postgres.createSchema();
    const file = await openSqliteStore(path);
    expect((await copy(path, url)).err).toContain(`another bridge runs on ${path}`);
    await file.close();
    const server = await openAt(url);
    expect((await copy(path, url)).err).toContain("another bridge runs on PostgreSQL database postgres");
    await server.close();
  });
});
