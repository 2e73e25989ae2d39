// The section `database`: a SQLite file unless a URL names a PostgreSQL server.
import { filePath, section, text, whole } from "./scalars.ts";

export const defaultDatabasePath = "matrix-appservice-sip.db";

export const database = section({
  path: filePath
    .default(defaultDatabasePath)
    .describe("The SQLite file. A relative path starts in the working directory."),
  url: text("should be a URL that begins with postgres://")
    .optional()
    .describe(
      "Keeps everything in a PostgreSQL database instead of the SQLite file. Create it empty, in the encoding UTF8, and make the bridge's user its owner. A server on another machine must have a certificate for its name, or name its CA with `sslrootcert=FILE`; `sslmode` works as for other programs (disable, require, verify-ca, verify-full). docs/operation.md has more.",
    )
    .meta({ examples: ["postgres://bridge@db.example.org/bridge"] }),
  password: text()
    .optional()
    .describe(
      "Password of the user in `url`. Keep it out of this file if you can: use `password_file`, or the environment variable MATRIX_SIP_DATABASE_PASSWORD, which overrides it.",
    )
    .meta({ examples: ["a-long-password"] }),
  password_file: filePath
    .optional()
    .describe("File that contains the password, instead of `password`.")
    .meta({ examples: ["database-password"] }),
  // Not less than the homeserver may take to send an old invite once more.
  keep_calls_days: whole(8, 36_500)
    .default(90)
    .describe("How long the record of a finished call is kept.")
    .meta({ reload: "now" }),
});
