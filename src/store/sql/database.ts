// Everything that differs between databases. Each is one value of `Database`; queries and migrations are the same for all.
import type { ColumnDataType, ColumnDefinitionBuilder, Dialect, Expression, Kysely } from "kysely";
import type { StoreError } from "../../ports/store.ts";
import type { Tables } from "./schema.ts";

type ColumnType = ColumnDataType | Expression<unknown>;

export type Work<T> = (db: Kysely<Tables>) => Promise<T>;

export interface Database {
  /** For changes. Whoever uses it sends one transaction after the other (commits.ts). */
  readonly dialect: Dialect;
  /** For queries beside changes; undefined where both take turns. */
  readonly readDialect: Dialect | undefined;
  /** Of columns with text, which is compared by its bytes. */
  readonly text: ColumnType;
  /** Of a column that numbers its rows in order of arrival; `numbered` completes it. */
  readonly rowNumber: ColumnType;
  numbered(column: ColumnDefinitionBuilder): ColumnDefinitionBuilder;
  /** Resolves when all that was committed before it was asked is on the disk, even if the power fails. */
  flush(): Promise<void>;
  /** Runs what may take as long as it takes. */
  unhurried<T>(db: Kysely<Tables>, work: () => Promise<T>): Promise<T>;
  /** The store's error for what the driver threw. */
  errorOf(cause: unknown): StoreError;
  /** Hears of failures that no query has met. */
  onFailure(listener: (error: StoreError) => void): void;
}
