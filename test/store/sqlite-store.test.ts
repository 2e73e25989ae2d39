import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { afterAll, describe, expect, it } from "vitest";
import type { Log, LogFields } from "../../src/ports/telemetry.ts";
import { sqliteDatabase } from "../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../src/store/open-store.ts";
import { openSqlStore } from "../../src/store/sql-store.ts";
import { writeCall } from "../../src/store/stored/stored-call.ts";
import { describeStore } from "../contract/store.ts";
import { inboxEntry, recordOf, storedCall } from "../contract/store-examples.ts";

const folder = mkdtempSync(join(tmpdir(), "store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
function freshPath(): string {
  return join(folder, `${++files}.db`);
}

describeStore("the SQLite store", () => openSqliteStore(freshPath()));

/** Collects error lines. */
function errorLog(): { readonly log: Log; readonly errors: { message: string; fields: LogFields | undefined }[] } {
  const errors: { message: string; fields: LogFields | undefined }[] = [];
  const log: Log = {
    trace: () => undefined,
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (message, fields) => void errors.push({ message, fields }),
    child: () => log,
  };
  return { log, errors };
}

describe("a SQLite file", () => {
  it("still holds events, calls and settings after it was closed and opened again", async () => {
    const path = freshPath();
    const first = await openSqliteStore(path);
    await first.inbox.take([inboxEntry("$a"), inboxEntry("$b")]);
    await first.inbox.done(inboxEntry("$a").eventId);
    await first.calls.save(storedCall("c-1"));
    await first.settings.set("encoding", "percent");
    await first.close();

    const second = await openSqliteStore(path);
    expect((await second.inbox.pending()).map((entry) => entry.eventId)).toEqual(["$b"]);
    expect(await second.inbox.take([inboxEntry("$a"), inboxEntry("$b")])).toEqual([]);
    expect((await second.calls.open()).map(({ call }) => call.id)).toEqual(["c-1"]);
    expect(await second.settings.get("encoding")).toBe("percent");
    await second.close();
  });

  it("is on the disk before events count as taken; nothing else waits for that", async () => {
    const path = freshPath();
    const written: string[] = [];
    let finish = (): void => {};
    const store = await openSqlStore(
      sqliteDatabase(path, {
        async sync(file) {
          written.push(file);
          await new Promise<void>((resolve) => (finish = resolve));
        },
        close: () => undefined,
      }),
      undefined,
    );
    let taken = 0;
    const takes = ["$a", "$b"].map((event) => store.inbox.take([inboxEntry(event)]).then(() => (taken += 1)));
    await store.calls.save(storedCall("c-1"));
    expect((await store.calls.open()).map(({ call }) => call.id)).toEqual(["c-1"]);
    const later = store.inbox.take([inboxEntry("$c")]).then(() => (taken += 1));
    await store.settings.set("key", "value");
    expect([written, taken]).toEqual([[`${path}-wal`], 0]);
    finish();
    await expect.poll(() => written).toEqual([`${path}-wal`, folder]);
    finish();
    await Promise.all(takes);
    // What was committed while the disk worked has to be written again.
    await expect.poll(() => written).toEqual([`${path}-wal`, folder, `${path}-wal`]);
    expect(taken).toBe(2);
    finish();
    await later;
    await store.close();
  });

  it("whose disk fails gives an error, and the event is new when it comes again", async () => {
    let fails = true;
    const database = sqliteDatabase(freshPath(), {
      async sync() {
        if (fails) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      },
      close: () => undefined,
    });
    const store = await openSqlStore(database, undefined);
    await expect(store.inbox.take([inboxEntry("$a")])).rejects.toMatchObject({ name: "StoreError", code: "full" });
    fails = false;
    expect(await store.inbox.take([inboxEntry("$a")])).toHaveLength(1);
    await store.close();
  });

  it("of a newer release is refused and left as it is", async () => {
    const path = freshPath();
    await (await openSqliteStore(path)).close();
    const raw = new SqliteDatabase(path);
    raw.exec("update schema_version set version = 999");
    raw.close();

    await expect(openSqliteStore(path)).rejects.toMatchObject({ name: "StoreError", code: "newer-schema" });
    const after = new SqliteDatabase(path);
    expect(after.prepare("select version from schema_version").get()).toEqual({ version: 999 });
    after.close();
  });

  it("that is no database is refused as corrupt", async () => {
    const path = freshPath();
    writeFileSync(path, "this is a letter to my aunt, not a database\n".repeat(100));
    await expect(openSqliteStore(path)).rejects.toMatchObject({ name: "StoreError", code: "corrupt" });
  });

  it("in a folder that does not exist is refused as unavailable", async () => {
    await expect(openSqliteStore(join(folder, "nowhere", "x.db"))).rejects.toMatchObject({ code: "unavailable" });
  });

  it("that another process keeps locked gives a locked error, and nothing is taken", async () => {
    const path = freshPath();
    const store = await openSqliteStore(path);
    const other = new SqliteDatabase(path);
    other.exec("begin immediate");
    await expect(store.inbox.take([inboxEntry("$a")])).rejects.toMatchObject({ name: "StoreError", code: "locked" });
    other.exec("rollback");
    other.close();
    expect(await store.inbox.take([inboxEntry("$a")])).toHaveLength(1);
    await store.close();
  });

  it("with rows that cannot be read opens all the same, skips them and says so", async () => {
    const path = freshPath();
    const first = await openSqliteStore(path);
    await first.calls.save(storedCall("c-good"));
    await first.calls.save(storedCall("c-garbage"));
    await first.calls.save(storedCall("c-other-id"));
    await first.calls.save(storedCall("c-no-leg"));
    const over = recordOf("c-over", 1);
    await first.calls.finish(over.id, over);
    await first.close();
    const raw = new SqliteDatabase(path);
    const spoil = raw.prepare("update call set call = ? where id = ?");
    spoil.run("{not json", "c-garbage");
    spoil.run(writeCall(storedCall("c-somebody")), "c-other-id");
    spoil.run(JSON.stringify({ id: "c-no-leg", phase: "offering" }), "c-no-leg");
    raw.prepare("update call set record = 'null' where id = 'c-over'").run();
    raw.close();

    const { log, errors } = errorLog();
    const second = await openSqliteStore(path, log);
    expect((await second.calls.open()).map(({ call }) => call.id)).toEqual(["c-good"]);
    expect(await second.calls.history(10)).toEqual([]);
    expect(new Set(errors.map((line) => line.fields?.["call"]))).toEqual(
      new Set(["c-garbage", "c-other-id", "c-no-leg", "c-over"]),
    );
    expect(errors).toContainEqual(
      expect.objectContaining({ fields: { call: "c-over", problem: "not JSON of a record" } }),
    );
    await second.close();
  });
});
