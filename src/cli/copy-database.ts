// `database copy FILE`: moves what a bridge has in its SQLite file to the PostgreSQL database of the configuration.
import { loadConfig } from "../config/load.ts";
import { toStorePlace } from "../config/mapping/database-mapping.ts";
import { ConfigError } from "../config/reading/problem.ts";
import { StoreError } from "../ports/store.ts";
import { exitCode } from "./exit-code.ts";
import type { DescribeCommand } from "./command-shell.ts";
import type { Terminal } from "./terminal.ts";

interface CopyDatabaseOptions {
  readonly configPath: string;
  /** The SQLite file. */
  readonly path: string;
}

export const describeDatabaseCopy: DescribeCommand = (program, shell) => {
  program
    .command("database")
    .description("Moves the database.")
    .command("copy")
    .description(
      "Copies a SQLite file into the empty PostgreSQL database that database.url names. Stop the bridge before.",
    )
    .argument("<file>", "the SQLite file, which stays as it is")
    .option("-c, --config <path>", "the configuration (default: config.yaml)")
    .action((path: string, { config }: { config?: string }) =>
      shell.choose(() => copyDatabase({ configPath: config ?? shell.files().config, path }, shell.terminal)),
    );
};

/** Throws ConfigError. */
async function copyDatabase({ configPath, path }: CopyDatabaseOptions, terminal: Terminal): Promise<number> {
  const place = toStorePlace(loadConfig(configPath, terminal.env));
  if (place.kind !== "postgres") {
    const message = "is missing: it says where to copy to, and the bridge uses that database from its next start on";
    throw new ConfigError(configPath, [{ path: ["database", "url"], message, line: undefined }]);
  }
  // The drivers are loaded only when they are used.
  const { copySqliteToPostgres } = await import("../store/copy/copy-sqlite.ts");
  try {
    const rows = await copySqliteToPostgres(path, place.server, ({ table, copied, rows: all }) =>
      terminal.out(`${table}: ${copied} of ${all}\n`),
    );
    terminal.out(
      `${rows} rows are copied and counted. The bridge uses the server from its next start on; keep ${path} until then.\n`,
    );
    return exitCode.ok;
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    terminal.err(`matrix-appservice-sip: nothing is copied: ${error.message}\n`);
    return exitCode.start;
  }
}
