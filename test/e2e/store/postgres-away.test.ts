// A PostgreSQL server that goes away and comes back, a network that loses connections, and a second bridge on one database.
import { beforeAll, describe, expect, it } from "vitest";
import { readPostgresUrl } from "../../../src/config/schema/postgres-url.ts";
import type { Store, StoreError } from "../../../src/ports/store.ts";
import { openStore } from "../../../src/store/open-store.ts";
import { inboxEntry } from "../../contract/store-examples.ts";
import { type Postgres, startPostgres } from "../parts/databases/postgres.ts";
import { suiteRig, testRig } from "../parts/base/rig.ts";
import { startTcpHop } from "../parts/databases/tcp-hop.ts";
import { until } from "../parts/base/until.ts";

const rig = suiteRig("store-postgres-away");
let postgres: Postgres;

beforeAll(async () => {
  postgres = await startPostgres(rig);
});

/** A store and what it said by itself; closed with the rig of the test. */
async function open(url: string, port = postgres.port) {
  const server = readPostgresUrl(url);
  if ("problem" in server) throw new Error(server.problem);
  const store: Store = await openStore({ kind: "postgres", server: { ...server, port } });
  const failures: StoreError[] = [];
  store.onFailure((error) => failures.push(error));
  return { store, failures };
}

const settled = (store: Store) => until("the store to work again", () => store.check().then(() => true));

describe("a second bridge on one database", () => {
  it("is refused and told about the first, until that is gone", async () => {
    const url = await postgres.createSchema();
    const { store } = await open(url);
    await expect(open(url)).rejects.toMatchObject({
      name: "StoreError",
      code: "locked",
      message: expect.stringMatching(
        /^another bridge runs on PostgreSQL database .* \(server process \d+, from 127\.0\.0\.1\)$/,
      ) as string,
    });
    await store.settings.set("still", "there");
    await store.close();
    const second = await open(url);
    expect(await second.store.settings.get("still")).toBe("there");
    await second.store.close();
  });

  it("is at home in another schema", async () => {
    const [one, other] = await Promise.all([open(await postgres.createSchema()), open(await postgres.createSchema())]);
    await one.store.settings.set("whose", "one");
    expect(await other.store.settings.get("whose")).toBeUndefined();
    await Promise.all([one.store.close(), other.store.close()]);
  });
});

describe("while the server is away", () => {
  it("everything is refused, and nothing is once it is back", async () => {
    const url = await postgres.createSchema();
    const { store, failures } = await open(url);
    await store.settings.set("before", "stored");
    await store.settings.get("before");
    await postgres.kill();
    await until("word of the lost connection", () => failures.length > 0);
    expect(failures).toMatchObject([{ name: "StoreError", code: "unavailable" }]);
    const unavailable = { name: "StoreError", code: "unavailable" };
    await expect(store.settings.get("before")).rejects.toMatchObject(unavailable);
    await expect(store.inbox.take([inboxEntry("$a")])).rejects.toMatchObject(unavailable);
    await expect(store.check()).rejects.toMatchObject({
      message: expect.stringContaining("nothing listens there (database.url)") as string,
    });
    await postgres.start();
    await settled(store);
    expect(await store.settings.get("before")).toBe("stored");
    expect(await store.inbox.take([inboxEntry("$a")])).toHaveLength(1);
    // The lock is back too.
    await expect(open(url)).rejects.toMatchObject({ code: "locked" });
    await store.close();
  });

  it("another bridge may take the database, and then the first one is told that it has lost it", async () => {
    const url = await postgres.createSchema();
    const first = await open(url);
    await postgres.kill();
    await until("word of the lost connection", () => first.failures.length > 0);
    await postgres.start();
    const second = await open(url);
    await expect(first.store.check()).rejects.toMatchObject({ name: "StoreError", code: "taken" });
    await expect(first.store.settings.set("whose", "first")).rejects.toMatchObject({ code: "taken" });
    await second.store.settings.set("whose", "second");
    expect(await second.store.settings.get("whose")).toBe("second");
    await Promise.all([first.store.close(), second.store.close()]);
  });
});

describe("a network that loses connections", () => {
  it("leaves the lock with a connection that is dead: the bridge ends it and goes on", async () => {
    const url = await postgres.createSchema();
    const hop = await startTcpHop(testRig(), postgres.port);
    const { store, failures } = await open(url, hop.port);
    await store.settings.set("before", "stored");
    hop.cut();
    await until("word of the lost connection", () => failures.length > 0);
    await settled(store);
    expect(await store.settings.get("before")).toBe("stored");
    await store.close();
  });

  it("may swallow the answer to a commit: the event is new when the homeserver sends it again", async () => {
    const url = await postgres.createSchema();
    const hop = await startTcpHop(testRig(), postgres.port);
    const { store } = await open(url, hop.port);
    hop.cutAfter("commit");
    await expect(store.inbox.take([inboxEntry("$a")])).rejects.toMatchObject({ code: "unavailable" });
    hop.cutAfter("nothing is called that");
    await settled(store);
    expect((await store.inbox.pending()).map(({ eventId }) => eventId)).toEqual(["$a"]);
    expect(await store.inbox.take([inboxEntry("$a")])).toHaveLength(1);
    expect(await store.inbox.take([inboxEntry("$a")])).toEqual([]);
    await store.close();
  });

  it("may swallow everything: what is asked is given up, and so is opening", async () => {
    const url = await postgres.createSchema();
    const hop = await startTcpHop(testRig(), postgres.port);
    const { store } = await open(url, hop.port);
    hop.swallow();
    await expect(store.settings.set("key", "value")).rejects.toMatchObject({ name: "StoreError", code: "slow" });
    await expect(store.settings.get("key")).rejects.toMatchObject({ name: "StoreError", code: "slow" });
    await expect(open(url, hop.port)).rejects.toMatchObject({ name: "StoreError", code: "slow" });
    await store.close();
  });
});
