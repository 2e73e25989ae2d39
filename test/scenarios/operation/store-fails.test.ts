// The disk is full, or the database is gone, in the middle of everything: people's calls go on and end all the same.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import SqliteDatabase from "better-sqlite3";
import { Kysely, sql } from "kysely";
import { expect, onTestFinished, test } from "vitest";
import type { StoredCall } from "../../../src/core/call/recover.ts";
import { eventId, matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { sqliteDatabase } from "../../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../../src/store/open-store.ts";
import { openSqlStore } from "../../../src/store/sql-store.ts";
import { StoreError, type Store } from "../../../src/ports/store.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { accepted, ann, TestBridge, room, trunk } from "../test-bridge.ts";
import { examplePlan } from "../settings.ts";

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "store-fails-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** A store that fails in everything from `break` on. */
function fragileStore(): { readonly store: Store; break(): void; breakWrites(): void; mend(): void } {
  let broken: "nothing" | "writes" | "all" = "nothing";
  const reads = new Set<string | symbol>(["find", "direct", "ours", "open", "known", "history"]);
  const fragile = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, name, receiver) => {
        const found: unknown = Reflect.get(target, name, receiver);
        if (typeof found !== "function") return found;
        return async (...given: readonly unknown[]) => {
          if (broken === "all" || (broken === "writes" && !reads.has(name)))
            throw new StoreError("unavailable", "disk full");
          return Reflect.apply(found, target, given) as unknown;
        };
      },
    });
  const whole = openMemoryStore();
  return {
    store: {
      ...whole,
      ...fragile({ check: () => whole.check() }),
      calls: fragile(whole.calls),
      rooms: fragile(whole.rooms),
      ghosts: fragile(whole.ghosts),
    },
    break: () => void (broken = "all"),
    breakWrites: () => void (broken = "writes"),
    mend: () => void (broken = "nothing"),
  };
}

test("a call goes on and ends on both sides while nothing can be saved", async () => {
  const fragile = fragileStore();
  const bridge = new TestBridge({ store: fragile.store });
  await bridge.ring();
  fragile.break();
  await bridge.sip(accepted);
  expect(bridge.signals).toEqual(["answer"]);
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.sip({ kind: "sip.ended" });
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  expect(bridge.switchboard.calls).toEqual([]);
  expect(bridge.telemetry.ended).toMatchObject([{ cause: "caller-hung-up" }]);
});

test("an INVITE goes out when the call is saved, not before", async () => {
  const store = openMemoryStore();
  let sentBefore: readonly string[] | undefined;
  const save: typeof store.calls.save = async (stored) => {
    await setImmediate();
    sentBefore ??= [...bridge.trunks.verbs];
    await store.calls.save(stored);
  };
  const bridge = new TestBridge({ store: { ...store, calls: { ...store.calls, save } } });
  await bridge.ring();
  expect(sentBefore).toEqual([]);
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("whoever leaves the room hangs up, also while the rooms cannot be looked up", async () => {
  const fragile = fragileStore();
  const bridge = new TestBridge({ store: fragile.store });
  await bridge.ring();
  await bridge.sip(accepted);
  fragile.break();
  await bridge.take({ ...bridge.origin(), kind: "member.left", user: ann });
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
});

test("a call that cannot be known to be new is not dialled; the next one is, once the store is back", async () => {
  const store = openMemoryStore();
  let broken = true;
  const known: typeof store.calls.known = async (...call) => {
    if (broken) throw new StoreError("locked", "database is locked by another process: bridge.db");
    return store.calls.known(...call);
  };
  const bridge = new TestBridge({ store: { ...store, calls: { ...store.calls, known } } });
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact());
  expect([bridge.trunks.verbs, bridge.signals]).toEqual([[], ["reject failed"]]);
  expect(bridge.words).toEqual(["The bridge cannot store calls right now. Please try again later."]);
  broken = false;
  await bridge.passTime(1_000);
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
  expect(bridge.trunks.verbs).toEqual(["invite"]);
});

test("while the store fails new calls are refused both ways, in words and with 503; afterwards they go", async () => {
  const fragile = fragileStore();
  const bridge = new TestBridge({ store: fragile.store });
  await bridge.ring();
  await bridge.sip(accepted);
  fragile.break();
  // Whatever is to be saved next shows it: here that the person hangs up.
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.arrive();
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 503 });
  expect(bridge.telemetry.lines.filter(({ level }) => level === "error")).toMatchObject([
    {
      message: "store cannot be written: calls in progress go on, new ones are refused",
      fields: { reason: "disk full" },
    },
  ]);
  fragile.mend();
  await bridge.passTime(1_000);
  expect(bridge.telemetry.lines.filter(({ message }) => message === "store can be written again")).toHaveLength(1);
  await bridge.arrive();
  expect(bridge.trunks.verbs.at(-1)).toBe("ring");
});

test("what happened while nothing could be saved is in the history once the store is back", async () => {
  const fragile = fragileStore();
  const bridge = new TestBridge({ store: fragile.store });
  await bridge.ring();
  await bridge.sip(accepted);
  fragile.break();
  await bridge.passTime(60_000);
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.sip({ kind: "sip.ended" });
  fragile.mend();
  expect((await bridge.store.calls.open()).map(({ interrupted }) => interrupted)).toEqual([true]);
  await bridge.passTime(1_000);
  expect(await bridge.store.calls.open()).toEqual([]);
  expect(await bridge.store.calls.history(10)).toMatchObject([{ cause: "caller-hung-up" }]);
  expect(bridge.clock.pending).toBe(0);
});

test("a call to an emergency trunk goes out whatever the store does", async () => {
  const fragile = fragileStore();
  const bridge = new TestBridge({ store: fragile.store, plan: { ...examplePlan, emergencyTrunk: trunk } });
  await bridge.take({
    ...bridge.origin(),
    kind: "member.invited",
    user: "@_sip_112%40sip.example.org:example.org" as UserId,
    direct: true,
    encrypted: false,
    public: false,
  });
  fragile.breakWrites();
  await bridge.take(bridge.inviteFact());
  await bridge.passTime(250);
  await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId("call2") }));
  expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
});

test("a store that does not answer holds a hang-up up for a quarter of a second, and after five counts as failed", async () => {
  const store = openMemoryStore();
  let hangs = false;
  const save: typeof store.calls.save = async (call) => {
    if (hangs) await new Promise(() => {});
    await store.calls.save(call);
  };
  const bridge = new TestBridge({ store: { ...store, calls: { ...store.calls, save } } });
  await bridge.ring();
  await bridge.sip(accepted);
  hangs = true;
  void bridge.switchboard.takeMatrix({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.quiet();
  await bridge.passTime(249);
  expect(bridge.trunks.verbs).toEqual(["invite"]);
  await bridge.passTime(1);
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  await bridge.passTime(5_000);
  expect(bridge.telemetry.lines.at(-1)?.fields).toMatchObject({ code: "slow" });
});

test("a disk that is full: the log names it with the path, the call ends on both sides, and its record comes later", async () => {
  const path = join(newFolder(), "bridge.db");
  const database = sqliteDatabase(path);
  const store = await openSqlStore(database, undefined);
  onTestFinished(() => store.close());
  // SQLite answers as on a full disk once the file has so many pages.
  const pages = new Kysely<never>({ dialect: database.dialect });
  const allow = (count: number) => sql.raw(`pragma max_page_count = ${count}`).execute(pages);
  const bridge = new TestBridge({ store });
  await bridge.ring();
  await bridge.sip(accepted);
  await allow(1);
  // Fills what space the pages have left.
  const full = store.settings.set("filler", "x".repeat(100_000));
  await expect(full).rejects.toMatchObject({ code: "full", message: `disk is full: ${path}` });
  await expect(store.check()).rejects.toMatchObject({ code: "full" });
  const long = { eventId: eventId("$long"), room, receivedAtMs: 1, json: "x".repeat(100_000) };
  await expect(store.inbox.take([long])).rejects.toMatchObject({ code: "full", message: `disk is full: ${path}` });
  await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.sip({ kind: "sip.ended" });
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  await allow(1_000_000);
  await bridge.passTime(1_000);
  await expect.poll(() => store.calls.history(1)).toMatchObject([{ cause: "caller-hung-up" }]);
});

test("a database that another program has locked: the call goes on and ends, and the log names it with the path", async () => {
  const path = join(newFolder(), "bridge.db");
  const store = await openSqliteStore(path);
  onTestFinished(() => store.close());
  const bridge = new TestBridge({ store });
  await bridge.ring();
  await bridge.sip(accepted);
  const other = new SqliteDatabase(path);
  onTestFinished(() => void other.close());
  other.exec("begin exclusive");
  void bridge.switchboard.takeMatrix({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
  await bridge.quiet();
  await bridge.passTime(250);
  expect(bridge.trunks.verbs).toEqual(["invite", "bye"]);
  const reason = `database is locked by another process: ${path}`;
  await expect
    .poll(() => bridge.telemetry.lines.find(({ level }) => level === "error")?.fields)
    .toMatchObject({ code: "locked", reason });
  other.exec("rollback");
  await bridge.sip({ kind: "sip.ended" });
  await bridge.passTime(1_000);
  await expect.poll(() => store.calls.history(1)).toMatchObject([{ cause: "caller-hung-up" }]);
});

test("a stored call that makes no sense keeps nobody from being told", async () => {
  const before = new TestBridge();
  await before.ring();
  await before.sip(accepted);
  const [call] = await before.store.calls.open();
  const nonsense = { ...call, call: { id: "c-9", phase: "levitating" } } as unknown as StoredCall;
  const after = new TestBridge();
  for (const one of [nonsense, call]) if (one !== undefined) await after.switchboard.recover(one);
  await after.quiet();
  expect(after.trunks.verbs).toEqual(["resume", "bye"]);
});
