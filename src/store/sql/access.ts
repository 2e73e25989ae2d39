// How the tables' code reaches the database: changes in shared transactions, queries behind the changes asked for before.
import type { Kysely } from "kysely";
import type { Log } from "../../ports/telemetry.ts";
import { Commits, persistently } from "./commits.ts";
import type { Database } from "./database.ts";
import type { Tables } from "./schema.ts";
import { Statements, type Run, type Statement } from "./statement.ts";

export interface Access {
  readonly log: Log | undefined;
  /** Sees all changes asked for before. Throws StoreError. */
  readonly read: <Values, Row>(query: Statement<Values, Row>, values: Values) => Promise<readonly Row[]>;
  /** Resolves when the change is made. Throws StoreError. */
  readonly change: Run;
  /** As `change`, a moment later: for what nobody waits for, and what does no harm if it is lost. */
  readonly changeLater: Run;
  /** Several statements, made whole or not at all. `isDurable`: they outlive a power failure. Throws StoreError. */
  readonly changeTogether: <T>(work: (run: Run) => Promise<T>, isDurable?: boolean) => Promise<T>;
  /** Hears that the connection is lost, and with it the right to be the only one who writes. */
  readonly onLost: (listener: () => void) => void;
  /** Resolves when whatever was asked for before is done with. */
  readonly settled: () => Promise<void>;
}

export function openAccess(
  database: Database,
  { reader, writer }: { readonly reader: Kysely<Tables>; readonly writer: Kysely<Tables> },
  log: Log | undefined,
): Access {
  const statements = new Statements();
  const commits = new Commits(writer, database);
  const ask = statements.on(reader);
  return {
    log,
    async read(query, values) {
      // To wait for a transaction, and then to take the locks again, costs more than the query.
      if (reader === writer && !commits.isIdle)
        return (await commits.make((db) => statements.on(db)(query, values), "query")).rows;
      await commits.settled();
      return (await persistently(database, () => ask(query, values))).rows;
    },
    change: (statement, values) => commits.make((db) => statements.on(db)(statement, values)),
    changeLater: (statement, values) => commits.makeLater((db) => statements.on(db)(statement, values)),
    changeTogether: (work, isDurable) =>
      commits.make((db) => work(statements.on(db)), isDurable ? "durable" : "change"),
    onLost: (listener) => database.onFailure(listener),
    settled: () => commits.settled(),
  };
}
