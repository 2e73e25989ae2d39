// `postgres://` URLs as libpq reads them (PostgreSQL manual, "Connection URIs"), as far as the bridge needs them. Messages
// never repeat the URL: there may be a password in it.
import type { PostgresServer, PostgresTls } from "../../ports/store.ts";

/** What is wrong with a URL, as the end of a sentence that begins with the name of the setting. */
export interface UrlProblem {
  readonly problem: string;
}

const defaultPort = 5_432;
const modes = ["disable", "require", "verify-ca", "verify-full"] as const;
const parameters: ReadonlySet<string> = new Set(["host", "port", "sslmode", "sslrootcert", "sslcert", "sslkey"]);
const localHost = /^(?:localhost|127(?:\.\d{1,3}){3}|::1|\/.*)$/;
const example = "postgres://USER@HOST/DATABASE";

export function readPostgresUrl(text: string): PostgresServer | UrlProblem {
  if (!/^postgres(?:ql)?:\/\//.test(text)) return { problem: `should begin with postgres://, as in ${example}` };
  const url = /\s/.test(text) ? null : URL.parse(text);
  if (url === null) return { problem: `should be a URL such as ${example}; write special characters as %XX` };
  const unknown = [...url.searchParams.keys()].find((name) => !parameters.has(name));
  if (unknown !== undefined) {
    return { problem: `has the parameter ${unknown}; the bridge knows ${[...parameters].join(", ")}` };
  }
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (user === undefined || password === undefined || database === undefined) {
    return { problem: "has a % that is not followed by two hexadecimal digits" };
  }
  if (database === "" || database.includes("/")) return { problem: `should name the database, as in ${example}` };
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1") || url.searchParams.get("host") || "";
  if (host === "") return { problem: "should name a host, or the folder of a Unix socket: ?host=/var/run/postgresql" };
  const port = url.port || url.searchParams.get("port") || String(defaultPort);
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535)
    return { problem: "has a port that is none" };
  const tls = readTls(url.searchParams, localHost.test(host));
  if ("problem" in tls) return tls;
  return {
    host,
    port: Number(port),
    user: user || undefined,
    password: password || undefined,
    database,
    tls,
  };
}

/** A server elsewhere has to prove who it is unless the URL says otherwise; libpq would take any. */
function readTls(given: URLSearchParams, isLocal: boolean): PostgresTls | UrlProblem {
  const named = given.get("sslmode") ?? (isLocal ? "disable" : "verify-full");
  const mode = modes.find((one) => one === named);
  if (mode === undefined) return { problem: `should have one of these as its sslmode: ${modes.join(", ")}` };
  const [ca, certificate, key] = ["sslrootcert", "sslcert", "sslkey"].map((name) => given.get(name) ?? undefined);
  if ((certificate === undefined) !== (key === undefined)) return { problem: "needs sslcert and sslkey together" };
  return { mode, ca, certificate, key };
}

/** undefined: not written as URLs are. */
function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
