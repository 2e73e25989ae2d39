// The store's contract, kept by a real PostgreSQL; and servers, databases and users that the bridge cannot use.
import { beforeAll, describe, expect, it } from "vitest";
import { readPostgresUrl } from "../../../src/config/schema/postgres-url.ts";
import type { PostgresServer, Store, StoreError } from "../../../src/ports/store.ts";
import { openStore } from "../../../src/store/open-store.ts";
import { probePostgres } from "../../../src/store/postgres/probe.ts";
import { describeStore } from "../../contract/store.ts";
import { inboxEntry, storedCall } from "../../contract/store-examples.ts";
import { type Authority, createAuthority } from "../parts/base/certificates.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { type Postgres, startPostgres } from "../parts/databases/postgres.ts";
import { suiteRig } from "../parts/base/rig.ts";

const rig = suiteRig("store-postgres");
let postgres: Postgres;
let authority: Authority;

beforeAll(async () => {
  authority = await createAuthority(rig, "Test CA");
  postgres = await startPostgres(rig, { certificate: await authority.issue("localhost") });
});

function serverOf(url: string): PostgresServer {
  const server = readPostgresUrl(url);
  if ("problem" in server) throw new Error(server.problem);
  return server;
}

const open = (server: PostgresServer): Promise<Store> => openStore({ kind: "postgres", server });
const openAt = (url: string): Promise<Store> => open(serverOf(url));

/** What opening says; "opened" if it did. */
async function opening(server: PostgresServer): Promise<string> {
  try {
    await (await open(server)).close();
    return "opened";
  } catch (error) {
    const { name, code, message } = error as StoreError;
    expect([name, code]).toEqual(["StoreError", "unavailable"]);
    return message;
  }
}

describeStore("the PostgreSQL store", async () => openAt(await postgres.createSchema()));

describe("a PostgreSQL database", () => {
  it("still holds events, calls and settings after it was closed and opened again", async () => {
    const url = await postgres.createSchema();
    const first = await openAt(url);
    await first.inbox.take([inboxEntry("$a"), inboxEntry("$b")]);
    await first.inbox.done(inboxEntry("$a").eventId);
    await first.calls.save(storedCall("c-1"));
    await first.settings.set("encoding", "percent");
    await first.close();

    const second = await openAt(url);
    expect((await second.inbox.pending()).map((entry) => entry.eventId)).toEqual(["$b"]);
    expect(await second.inbox.take([inboxEntry("$a"), inboxEntry("$b")])).toEqual([]);
    expect((await second.calls.open()).map(({ call }) => call.id)).toEqual(["c-1"]);
    expect(await second.settings.get("encoding")).toBe("percent");
    await second.close();
  });

  it("is reached over a Unix socket", async () => {
    const { name } = await postgres.createDatabase();
    const query = `host=${encodeURIComponent(postgres.socketFolder)}&port=${postgres.port}`;
    const server = serverOf(`postgres:///${name}?${query}`);
    expect(await opening({ ...server, user: "postgres", password: postgres.password })).toBe("opened");
  });

  it("of a newer release is refused and left as it is", async () => {
    const { name, url } = await postgres.createDatabase();
    await (await openAt(url)).close();
    await postgres.ask("update schema_version set version = 999", name);
    await expect(openAt(url)).rejects.toMatchObject({ name: "StoreError", code: "newer-schema" });
    expect(await postgres.ask("select version from schema_version", name)).toEqual([{ version: 999 }]);
  });

  it("sorts by bytes, whatever its own language is: an index must not change with the system's library", async () => {
    const { name, url } = await postgres.createDatabase();
    await (await openAt(url)).close();
    const columns = await postgres.ask(
      `select distinct collation_name from information_schema.columns
       where table_schema = 'public' and data_type = 'text'`,
      name,
    );
    expect(columns).toEqual([{ collation_name: "C" }]);
  });
});

describe("what cannot be opened says why, and which setting to look at", () => {
  const place = (user = "postgres", database = "postgres") =>
    `PostgreSQL database ${database} at 127.0.0.1:${postgres.port}, as ${user}`;

  it("a host that nobody knows", async () => {
    expect(await opening(serverOf("postgres://bridge@db.invalid/calls"))).toMatch(
      /^PostgreSQL database calls at db\.invalid:5432, as bridge: the host name .* \(database\.url\)$/,
    );
  });

  it("a port on which nobody listens", async () => {
    const port = await freePort();
    expect(await opening(serverOf(`postgres://bridge@127.0.0.1:${port}/calls`))).toBe(
      `PostgreSQL database calls at 127.0.0.1:${port}, as bridge: nothing listens there (database.url)`,
    );
  });

  it("a wrong password, which is not repeated", async () => {
    expect(await opening({ ...serverOf(postgres.urlOf("postgres")), password: "wrong" })).toBe(
      `${place()}: password authentication failed for user "postgres" (database.url, database.password)`,
    );
  });

  it("no password", async () => {
    expect(await opening({ ...serverOf(postgres.urlOf("postgres")), password: undefined })).toBe(
      `${place()}: the server asks for a password (database.password)`,
    );
  });

  it("a database that does not exist", async () => {
    expect(await opening(serverOf(postgres.urlOf("nowhere")))).toBe(
      `${place("postgres", "nowhere")}: database "nowhere" does not exist (database.url); create it with: ` +
        "createdb --owner=USER --encoding=UTF8 --template=template0 NAME",
    );
  });

  it("a user who may not create tables", async () => {
    const { name } = await postgres.createDatabase();
    await postgres.ask("create user guest password 'guest'");
    expect(await opening(serverOf(`postgres://guest:guest@127.0.0.1:${postgres.port}/${name}`))).toBe(
      `${place("guest", name)}: permission denied for schema public; ` +
        "the user in database.url must be allowed to create tables there and own them",
    );
  });

  it("a database in another encoding", async () => {
    const { name, url } = await postgres.createDatabase("encoding LATIN1 locale 'C' locale_provider libc");
    expect(await opening(serverOf(url))).toBe(
      `${place("postgres", name)}: its encoding is LATIN1, and UTF8 is needed: createdb --encoding=UTF8 --template=template0`,
    );
  });
});

describe("`--check`", () => {
  const probing = (url: string) =>
    probePostgres(serverOf(url)).then(
      () => "good",
      (error: unknown) => (error as StoreError).message,
    );

  it("finds a database good that is new, or that a bridge runs on, and leaves no table behind", async () => {
    const { name, url } = await postgres.createDatabase();
    expect(await probing(url)).toBe("good");
    expect(await postgres.ask("select to_regclass('schema_version') as found", name)).toEqual([{ found: null }]);
    const store = await openAt(url);
    expect(await probing(url)).toBe("good");
    await store.close();
  });

  it("says what the start would say", async () => {
    const { name, url } = await postgres.createDatabase();
    await postgres.ask("create user visitor password 'visitor'");
    expect(await probing(`postgres://visitor:visitor@127.0.0.1:${postgres.port}/${name}`)).toMatch(
      /the user may not create tables in the schema public$/,
    );
    expect(await probing(postgres.urlOf("nowhere"))).toMatch(/database "nowhere" does not exist \(database\.url\)/);
    await (await openAt(url)).close();
    await postgres.ask("update schema_version set version = 999", name);
    expect(await probing(url)).toMatch(/a newer release has written it$/);
  });
});

describe("TLS", () => {
  /** As `localhost`, which is the name in the server's certificate, or another. */
  const over = (query: string, host = "localhost") =>
    opening({
      ...serverOf(`postgres://${host}/postgres${query}`),
      port: postgres.port,
      user: "postgres",
      password: postgres.password,
    });

  it("is used for what other machines see", async () => {
    const url = await postgres.createSchema();
    const store = await open({ ...serverOf(`${url}?sslmode=require`), host: "localhost" });
    await store.settings.get("anything");
    const used = await postgres.ask(
      `select distinct ssl from pg_stat_ssl join pg_stat_activity using (pid)
       where application_name = 'matrix-appservice-sip'`,
    );
    await store.close();
    expect(used).toEqual([{ ssl: true }]);
  });

  it("has the server prove its name to whoever wants that", async () => {
    const ca = `sslrootcert=${encodeURIComponent(authority.certificateFile)}`;
    expect(await over(`?sslmode=verify-full&${ca}`)).toBe("opened");
    expect(await over(`?sslmode=verify-full&${ca}`, "127.0.0.1")).toMatch(/its certificate is for another host name/);
    expect(await over(`?sslmode=verify-ca&${ca}`, "127.0.0.1")).toBe("opened");
    expect(await over("?sslmode=verify-full")).toMatch(
      /its certificate is signed by nobody known; name its CA with sslrootcert/,
    );
    expect(await over("?sslmode=require")).toBe("opened");
    expect(await over("?sslmode=verify-ca&sslrootcert=/nowhere.pem")).toMatch(
      /the file of sslrootcert in database.url cannot be read/,
    );
  });

  it("is missed on a server that has none", async () => {
    const plain = await startPostgres(rig);
    const server = serverOf(plain.urlOf("postgres", "?sslmode=require"));
    expect(await opening(server)).toMatch(/the server has no TLS; sslmode=disable in database.url goes without$/);
  });
});
