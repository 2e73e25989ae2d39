// A database of an earlier release is brought up to date, and what people had is still there.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import SqliteDatabase from "better-sqlite3";
import { Kysely } from "kysely";
import { afterAll, describe, expect, test } from "vitest";
import type { NumberKey, UserId } from "../../src/core/ids.ts";
import { sqliteDatabase } from "../../src/store/sqlite/database.ts";
import { up } from "../../src/store/migrations/001-start.ts";
import { openSqliteStore } from "../../src/store/open-store.ts";

const folder = mkdtempSync(join(tmpdir(), "migrations-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ann = "@ann:example.org" as UserId;
const number = "+441632960106" as NumberKey;

async function firstRelease(path: string, rows: string): Promise<void> {
  const database = sqliteDatabase(path);
  const db = new Kysely<never>({ dialect: database.dialect });
  await up(db as never, database);
  await db.destroy();
  const raw = new SqliteDatabase(path);
  raw.exec(`create table schema_version (version integer not null); insert into schema_version values (1); ${rows}`);
  raw.close();
}

describe("direct rooms of the first release", () => {
  test("are conversations: the room of a number in which a person called last is the first", async () => {
    const path = join(folder, "calls.db");
    await firstRelease(
      path,
      `insert into direct_room (ghost, person, room) values
         ('@_sip_01632960106:example.org', '@ann:example.org', '!dialled:example.org'),
         ('@_sip_+441632960106:example.org', '@ann:example.org', '!called:example.org'),
         ('@_sip_01632960107:example.org', '@ann:example.org', '!other:example.org');
       insert into call (id, room, matrix_call_id, record, ended_at_ms) values
         ('1', '!dialled:example.org', 'a', '{}', 2000), ('2', '!called:example.org', 'b', '{}', 1000);`,
    );
    const store = await openSqliteStore(path);
    await store.conversations.rekey((ghost) => (ghost.includes("960107") ? ("other" as NumberKey) : number));
    expect((await store.conversations.find(ann, number)).map(({ room, ghost }) => [room, ghost])).toEqual([
      ["!dialled:example.org", "@_sip_01632960106:example.org"],
      ["!called:example.org", "@_sip_+441632960106:example.org"],
    ]);
    await store.close();
  });

  test("that two had are the room of one of them", async () => {
    const path = join(folder, "shared.db");
    await firstRelease(
      path,
      `insert into direct_room (ghost, person, room) values
         ('@_sip_2:example.org', '@ann:example.org', '!one:example.org'),
         ('@_sip_1:example.org', '@bob:example.org', '!one:example.org');`,
    );
    const store = await openSqliteStore(path);
    await store.conversations.rekey(() => number);
    expect(await store.conversations.find("@bob:example.org" as UserId, number)).toMatchObject([
      { ghost: "@_sip_1:example.org" },
    ]);
    expect(await store.conversations.find(ann, number)).toEqual([]);
    await store.close();
  });
});
