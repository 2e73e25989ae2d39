// Changes share transactions, and none spoils the others.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Dialect } from "kysely";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { eventId, type RoomId, type UserId } from "../../src/core/ids.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Database } from "../../src/store/sql/database.ts";
import { openSqlStore } from "../../src/store/sql-store.ts";
import { sqliteDatabase } from "../../src/store/sqlite/database.ts";
import { inboxEntry, storedCall, recordOf } from "../contract/store-examples.ts";

const folder = mkdtempSync(join(tmpdir(), "commits-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

function counted(dialect: Dialect, onCommit: () => void, onCompile: () => void): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler() {
      const compiler = dialect.createQueryCompiler();
      return {
        compileQuery(node, id) {
          onCompile();
          return compiler.compileQuery(node, id);
        },
      };
    },
    createDriver() {
      const driver = dialect.createDriver();
      const commit = driver.commitTransaction.bind(driver);
      driver.commitTransaction = async (connection) => {
        onCommit();
        await commit(connection);
      };
      return driver;
    },
  };
}

/** A store that counts its transactions and the times that the disk was waited for; `whenAsked` comes instead of the disk. */
async function counting(whenAsked: () => Promise<void> = async () => {}) {
  const count = { commits: 0, flushes: 0 };
  const texts = { built: 0 };
  /** What the next commit fails with. */
  const faults: Error[] = [];
  const sqlite = sqliteDatabase(join(folder, `${(files += 1)}.db`));
  const database: Database = {
    ...sqlite,
    dialect: counted(
      sqlite.dialect,
      () => {
        const fault = faults.shift();
        if (fault !== undefined) throw fault;
        count.commits += 1;
      },
      () => (texts.built += 1),
    ),
    async flush() {
      count.flushes += 1;
      await whenAsked();
    },
  };
  const store: Store = await openSqlStore(database, undefined);
  onTestFinished(() => store.close());
  count.commits = 0;
  texts.built = 0;
  return { store, count, texts, faults };
}

const unnamed = { displayName: undefined, picture: undefined };
/** No database takes it: the column is never empty. */
const impossible = null as unknown as RoomId;
const user = (name: string) => `@${name}:example.org` as UserId;

test("what is asked for in one turn is one commit, and the disk is waited for once if any of it has to be there", async () => {
  const { store, count } = await counting();
  const call = storedCall("c-1");
  await Promise.all([
    store.inbox.take([inboxEntry("$a")]),
    store.inbox.take([inboxEntry("$b")]),
    store.calls.save(call),
    store.ghosts.save(user("one"), unnamed),
  ]);
  expect(count).toEqual({ commits: 1, flushes: 1 });
  await Promise.all([store.calls.finish(call.call.id, recordOf("c-1", 1)), store.inbox.done(eventId("$a"))]);
  expect(count).toEqual({ commits: 2, flushes: 1 });
});

test("what can wait goes with the next change, and a question sees it all the same", async () => {
  const { store, count } = await counting();
  await store.inbox.take([inboxEntry("$a"), inboxEntry("$b")]);
  const done = store.inbox.done(eventId("$a"));
  await store.ghosts.save(user("one"), unnamed);
  await done;
  expect(count.commits).toBe(2);
  void store.inbox.done(eventId("$b"));
  expect(await store.inbox.pending()).toEqual([]);
});

test("the text of a statement is built once, whatever its values are", async () => {
  const { store, texts } = await counting();
  for (const name of ["one", "two", "three"]) {
    await store.settings.set(name, `value of ${name}`);
    expect(await store.settings.get(name)).toBe(`value of ${name}`);
  }
  expect(texts.built).toBe(2);
});

test("more than a hundred changes are more than one commit, in the order in which they were asked for", async () => {
  const { store, count } = await counting();
  const saved = Array.from({ length: 250 }, (_, index) => store.settings.set("last", String(index)));
  await Promise.all(saved);
  expect(count.commits).toBe(3);
  expect(await store.settings.get("last")).toBe("249");
});

test("a question sees every change that was asked for before it, and waits for none after it", async () => {
  const { store } = await counting();
  const first = store.settings.set("key", "first");
  const asked = store.settings.get("key");
  const second = store.settings.set("other", "second");
  expect(await asked).toBe("first");
  await Promise.all([first, second]);
});

test("a change that the database refuses takes no other with it", async () => {
  const { store } = await counting();
  const results = await Promise.allSettled([
    store.ghosts.save(user("one"), unnamed),
    store.rooms.saveOurs(impossible, user("two")),
    store.ghosts.save(user("three"), unnamed),
  ]);
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect(results[1]).toMatchObject({ reason: { name: "StoreError", code: "refused" } });
  expect(await store.ghosts.list()).toEqual([user("one"), user("three")]);
});

test("a disk that takes no changes answers questions", async () => {
  const { store, faults } = await counting();
  await store.settings.set("key", "value");
  faults.push(Object.assign(new Error("full"), { code: "SQLITE_FULL" }));
  const results = await Promise.allSettled([store.settings.set("key", "other"), store.settings.get("key")]);
  expect(results).toMatchObject([
    { status: "rejected", reason: { code: "full" } },
    { status: "fulfilled", value: "value" },
  ]);
});

test("an event that was stored, though the answer to that was lost, is new when the homeserver sends it again", async () => {
  let answerIsLost = true;
  const { store } = await counting(async () => {
    if (answerIsLost) throw new Error("connection lost");
  });
  await expect(store.inbox.take([inboxEntry("$a"), inboxEntry("$b")])).rejects.toMatchObject({ code: "unavailable" });
  answerIsLost = false;
  expect((await store.inbox.pending()).map((entry) => entry.eventId)).toEqual(["$a", "$b"]);
  await store.inbox.done(eventId("$b"));
  const again = [inboxEntry("$a"), inboxEntry("$b"), inboxEntry("$c")];
  expect((await store.inbox.take(again)).map((entry) => entry.eventId)).toEqual(["$a", "$c"]);
  expect(await store.inbox.take(again)).toEqual([]);
});
