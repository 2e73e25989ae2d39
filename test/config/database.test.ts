// Where the store is, from the section `database`.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { toStorePlace } from "../../src/config/mapping/database-mapping.ts";
import { parseConfig } from "../../src/config/load.ts";
import { minimalConfig } from "../../dev/config/sample.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "matrix-appservice-sip-"));
  writeFileSync(join(folder, "password"), "from the file\n");
});
afterAll(() => rmSync(folder, { recursive: true }));

function place(section: string, env: Record<string, string> = {}) {
  const text = `${minimalConfig}database: ${section}\n`;
  return toStorePlace(parseConfig(text, { configPath: join(folder, "config.yaml"), env }));
}

function server(url: string, more = "") {
  const found = place(`{url: ${JSON.stringify(url)}${more}}`);
  if (found.kind !== "postgres") throw new Error("no server");
  return found.server;
}

describe("without a URL", () => {
  test("it is a file", () => {
    expect(place("{}")).toEqual({ kind: "sqlite", path: "matrix-appservice-sip.db" });
    expect(place("{path: /data/bridge.db}")).toEqual({ kind: "sqlite", path: "/data/bridge.db" });
  });

  test("a password has nothing to open", () => {
    expect(() => place("{password: secret}")).toThrow("database.password belongs to url, which is missing");
    expect(() => place("{password_file: password}")).toThrow("database.password_file belongs to url, which is missing");
  });
});

describe("a URL", () => {
  const local = { mode: "disable", ca: undefined, certificate: undefined, key: undefined };

  test("names the server, the user and the database", () => {
    expect(server("postgres://bridge:p%40ss@127.0.0.1:5433/calls")).toEqual({
      host: "127.0.0.1",
      port: 5433,
      user: "bridge",
      password: "p@ss",
      database: "calls",
      tls: local,
    });
    expect(server("postgresql://[::1]/calls")).toMatchObject({ host: "::1", port: 5432, user: undefined, tls: local });
  });

  test("leads to a Unix socket", () => {
    const url = "postgres:///calls?host=/var/run/postgresql&port=5433";
    expect(server(url)).toMatchObject({ host: "/var/run/postgresql", port: 5433, database: "calls", tls: local });
  });

  test("to another machine has the server prove who it is, unless it says otherwise", () => {
    expect(server("postgres://db.example.org/calls").tls.mode).toBe("verify-full");
    expect(server("postgres://db.example.org/calls?sslmode=require").tls.mode).toBe("require");
    expect(server("postgres://db.example.org/calls?sslmode=verify-ca&sslrootcert=/etc/ca.pem").tls).toEqual({
      mode: "verify-ca",
      ca: "/etc/ca.pem",
      certificate: undefined,
      key: undefined,
    });
  });

  test.each([
    ["mysql://db/calls", "should begin with postgres://, as in postgres://USER@HOST/DATABASE"],
    ["postgres://bridge@db", "should name the database, as in postgres://USER@HOST/DATABASE"],
    ["postgres://bridge@db/one/two", "should name the database, as in postgres://USER@HOST/DATABASE"],
    ["postgres:///calls", "should name a host, or the folder of a Unix socket: ?host=/var/run/postgresql"],
    ["postgres://bridge:sec ret@db/calls", "should be a URL such as postgres://USER@HOST/DATABASE; write special"],
    ["postgres://bridge:100%@db/calls", "has a % that is not followed by two hexadecimal digits"],
    ["postgres:///calls?host=/tmp&port=x", "has a port that is none"],
    [
      "postgres://db/calls?sslmode=prefer",
      "should have one of these as its sslmode: disable, require, verify-ca, verify-full",
    ],
    ["postgres://db/calls?sslcert=a.pem", "needs sslcert and sslkey together"],
    ["postgres://db/calls?pool=4", "has the parameter pool; the bridge knows host, port, sslmode"],
  ])("%s is refused, in words and without repeating it", (url, words) => {
    expect(() => server(url)).toThrow(`database.url ${words}`);
    expect(() => server(url)).not.toThrow(/sec ret|100%/);
  });

  test("and a file are one too many", () => {
    const both = "{path: bridge.db, url: 'postgres://db/calls'}";
    expect(() => place(both)).toThrow("database.path is given besides url: keep one of them");
  });
});

describe("the password", () => {
  const password = (section: string, env: Record<string, string> = {}) => {
    const found = place(`{url: 'postgres://bridge@db/calls', ${section}}`, env);
    return found.kind === "postgres" ? found.server.password : undefined;
  };

  test("stands in the configuration, in a file or in the environment", () => {
    expect(password("password: here")).toBe("here");
    expect(password("password_file: password")).toBe("from the file");
    expect(password("password: here", { MATRIX_SIP_DATABASE_PASSWORD: "from the environment" })).toBe(
      "from the environment",
    );
    expect(password("keep_calls_days: 30")).toBeUndefined();
  });

  test("in a file that is missing is named", () => {
    expect(() => password("password_file: nowhere")).toThrow(
      "database.password_file names a file that cannot be read: there is no such file",
    );
  });

  test("stands in one place only", () => {
    expect(() => server("postgres://bridge:secret@db/calls", ", password: other")).toThrow(
      "database.url has a password, and there is another beside it: keep one of them",
    );
    expect(() => password("password: here, password_file: password")).toThrow(
      "database.password is given twice: keep password or password_file",
    );
  });
});
