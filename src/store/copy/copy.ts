// Everything of one database into another that is empty, in one transaction of the second: all of it or nothing.
import { Kysely } from "kysely";
import { StoreError } from "../../ports/store.ts";
import { migrate } from "../migrations/all.ts";
import type { Database } from "../sql/database.ts";
import type { Tables } from "../sql/schema.ts";

type TableName = Exclude<keyof Tables, "schema_version">;

/** How the rows of a table are ordered: each row has other values there. */
const keys: Readonly<Record<TableName, readonly string[]>> = {
  setting: ["key"],
  ghost: ["user"],
  conversation: ["room"],
  own_member: ["room", "user"],
  said: ["room", "subject"],
  visit: ["room", "ghost"],
  call: ["id"],
  inbox: ["seq"],
  admin_action: ["seq"],
  block: ["person", "what"],
  webhook: ["seq"],
  usage: ["scope", "window"],
  charge: ["id"],
  bar: ["id"],
};
const tables = Object.keys(keys) as readonly TableName[];

/** What numbers its rows itself, in the order in which they come. */
const numbered = "seq";
const pageRows = 500;

export interface CopyProgress {
  readonly table: string;
  readonly copied: number;
  readonly rows: number;
}

/** Rows of any table, as the query builder sees them. */
type AnyTables = Record<string, Record<string, unknown>>;

/**
 * Brings both schemas up to date, then copies. Gives the number of rows. Throws StoreError, `refused` if the second is
 * not empty or its rows do not come to the same number; then nothing of the copy is in it.
 */
export async function copyStore(
  from: Database,
  to: Database,
  onProgress: (progress: CopyProgress) => void,
): Promise<number> {
  const source = new Kysely<Tables>({ dialect: from.dialect });
  const target = new Kysely<Tables>({ dialect: to.dialect });
  try {
    await wrapped(from, () => migrate(source, from));
    return await wrapped(to, () =>
      to.unhurried(target, async () => {
        await migrate(target, to);
        return target.transaction().execute((transaction) => copyTables(from, source, transaction, onProgress));
      }),
    );
  } finally {
    await source.destroy();
    await target.destroy();
  }
}

async function copyTables(
  from: Database,
  source: Kysely<Tables>,
  target: Kysely<Tables>,
  onProgress: (progress: CopyProgress) => void,
): Promise<number> {
  for (const table of tables) {
    if ((await count(target, table)) > 0) {
      throw new StoreError("refused", `the database is not empty: the table ${table} has rows`);
    }
  }
  let all = 0;
  for (const table of tables) {
    const rows = await wrapped(from, () => count(source, table));
    let copied = 0;
    for (;;) {
      const page = await wrapped(from, () => pageOf(source, table, copied));
      if (page.length === 0) break;
      await (target as unknown as Kysely<AnyTables>).insertInto(table).values(page).execute();
      copied += page.length;
      onProgress({ table, copied, rows });
    }
    const arrived = await count(target, table);
    if (arrived !== rows) {
      throw new StoreError("refused", `${rows} rows of the table ${table} were copied and ${arrived} arrived`);
    }
    all += rows;
  }
  return all;
}

async function count(db: Kysely<Tables>, table: TableName): Promise<number> {
  const { rows } = await db
    .selectFrom(table)
    .select((all) => all.fn.countAll<number>().as("rows"))
    .executeTakeFirstOrThrow();
  return rows;
}

async function pageOf(db: Kysely<Tables>, table: TableName, offset: number): Promise<Record<string, unknown>[]> {
  const all = (db as unknown as Kysely<AnyTables>).selectFrom(table).selectAll();
  const sorted = keys[table].reduce((query, column) => query.orderBy(column), all);
  const rows = await sorted.limit(pageRows).offset(offset).execute();
  return rows.map((row) => Object.fromEntries(Object.entries(row).filter(([column]) => column !== numbered)));
}

/** Each database says its own errors. */
async function wrapped<T>(database: Database, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw database.errorOf(cause);
  }
}
