// How the tables' code reaches the database: changes in shared transactions, queries behind the changes asked for before.
import type { Kysely } from "kysely";
import type { Log } from "../../ports/telemetry.ts";
import { Commits, persistently } from "./commits.ts";
import type { Database, Work } from "./database.ts";
import type { Tables } from "./schema.ts";

export interface Access {
  readonly log: Log | undefined;
  /** Sees all changes asked for before. Throws StoreError. */
  readonly read: <T>(query: Work<T>) => Promise<T>;
  /** Resolves when the change is made, whole or not at all. Throws StoreError. */
  readonly change: <T>(work: Work<T>) => Promise<T>;
  /** As `change`, and it outlives a power failure. */
  readonly changeDurably: <T>(work: Work<T>) => Promise<T>;
  /** Resolves when whatever was asked for before is done with. */
  readonly settled: () => Promise<void>;
}

export function openAccess(
  database: Database,
  { reader, writer }: { readonly reader: Kysely<Tables>; readonly writer: Kysely<Tables> },
  log: Log | undefined,
): Access {
  const commits = new Commits(writer, database);
  return {
    log,
    async read(query) {
      await commits.settled();
      return persistently(database, () => query(reader));
    },
    change: (work) => commits.make(work),
    changeDurably: (work) => commits.make(work, true),
    settled: () => commits.settled(),
  };
}
