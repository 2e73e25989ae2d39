// What PostgreSQL, the network or TLS said, in words that name the setting to look at.
import { StoreError, type PostgresServer } from "../../ports/store.ts";

/** Without the password. */
export function placeOf({ host, port, user, database }: PostgresServer): string {
  const where = host.startsWith("/")
    ? `${host}/.s.PGSQL.${port}`
    : `${host.includes(":") ? `[${host}]` : host}:${port}`;
  return `PostgreSQL database ${database} at ${where}${user === undefined ? "" : `, as ${user}`}`;
}

type Code = StoreError["code"];

/** By SQLSTATE (PostgreSQL manual, appendix A). `$` stands for what the server said. */
const byState: Readonly<Record<string, readonly [Code, string]>> = {
  "28P01": ["unavailable", "$ (database.url, database.password)"],
  "28000": ["unavailable", "$ (user and TLS in database.url, or the server's pg_hba.conf)"],
  "3D000": [
    "unavailable",
    "$ (database.url); create it with: createdb --owner=USER --encoding=UTF8 --template=template0 NAME",
  ],
  "42501": ["unavailable", "$; the user in database.url must be allowed to create tables there and own them"],
  "3F000": ["unavailable", "$; the user in database.url needs a schema that it may create tables in"],
  "25006": ["unavailable", "it is read-only, perhaps a standby (database.url)"],
  "53300": ["unavailable", "$ (max_connections of the server; the bridge uses up to 5)"],
  "53100": ["full", "the server's disk is full"],
  "57014": ["slow", "$"],
  "55P03": ["locked", "$"],
  "40001": ["locked", "$"],
  "40P01": ["locked", "$"],
};

/** By the system's or OpenSSL's code. */
const byCode: Readonly<Record<string, string>> = {
  ENOTFOUND: "the host name is not known (database.url)",
  EAI_AGAIN: "the host name cannot be looked up now (database.url)",
  ECONNREFUSED: "nothing listens there (database.url)",
  ENOENT: "there is no such socket (database.url)",
  EACCES: "no permission to use the socket (database.url)",
  ETIMEDOUT: "no answer (database.url)",
  EHOSTUNREACH: "the host cannot be reached (database.url)",
  ENETUNREACH: "the network cannot be reached (database.url)",
  ECONNRESET: "the connection was lost",
  EPIPE: "the connection was lost",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host name (sslmode in database.url)",
  CERT_HAS_EXPIRED: "its certificate has expired (sslmode in database.url)",
};

/** OpenSSL's codes of certificates that nobody known has signed. */
const unknownIssuer = /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_)/;
const noPassword = /password must be a (?:non-empty )?string/;
const noTls = /does not support SSL connections/;
/** Of the driver, which has no codes for them. */
const unanswered = /timeout|no answer/i;

/** The server's own words about rows may hold what people said: only their first line is used, never the detail. */
export function failureOf(server: PostgresServer, cause: unknown): StoreError {
  if (cause instanceof StoreError) return cause;
  const code = codeOf(cause);
  const said = messageOf(cause);
  const fail = (kind: Code, words: string): StoreError =>
    new StoreError(kind, `${placeOf(server)}: ${words.replace("$", () => said)}`, { cause });
  const known = byState[code];
  if (known !== undefined) return fail(...known);
  const words = byCode[code];
  if (words !== undefined) return fail("unavailable", words);
  if (unknownIssuer.test(code)) {
    const advice = "name its CA with sslrootcert=FILE in database.url, or take any certificate with sslmode=require";
    return fail("unavailable", `its certificate is signed by nobody known; ${advice}`);
  }
  if (noPassword.test(said)) return fail("unavailable", "the server asks for a password (database.password)");
  if (noTls.test(said))
    return fail("unavailable", "the server has no TLS; sslmode=disable in database.url goes without");
  if (/^XX00[12]$/.test(code)) return fail("corrupt", "$");
  // Data exceptions, violated constraints, limits: the statement is at fault, and the next one may pass.
  if (/^(?:22|23|54)/.test(code)) return fail("refused", "$");
  if (unanswered.test(said)) return fail("slow", "no answer");
  return fail("unavailable", "$");
}

function codeOf(cause: unknown): string {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : "";
}

function messageOf(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split("\n", 1)[0] ?? "";
}
