// The bridge keeps everything in PostgreSQL, and the server dies in the middle of a call: real parts only.
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Baresip, startBaresip } from "../parts/telephones/baresip.ts";
import { type Browser, startBrowser } from "../parts/clients/browser.ts";
import { toneAt } from "../parts/base/hearing.ts";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { type Postgres, startPostgres } from "../parts/databases/postgres.ts";
import { suiteRig } from "../parts/base/rig.ts";
import { type Stage, startStage } from "../parts/stages/stage.ts";
import { until } from "../parts/base/until.ts";

const NEAR_HZ = 440;
const FAR_HZ = 1000;
const NUMBERS = { phone: "01818118181" } as const;

const rig = suiteRig("call-without-database");
let postgres: Postgres;
let database: { readonly name: string; readonly url: string };
let stage: Stage<keyof typeof NUMBERS>;
let phone: Baresip;
let alice: Browser;
let statusPort = 0;

beforeAll(async () => {
  postgres = await startPostgres(rig);
  database = await postgres.createDatabase();
  statusPort = await freePort();
  const config = { database: { url: database.url }, http: { listen: { port: statusPort } } };
  stage = await startStage(rig, NUMBERS, { config });
  phone = await startBaresip(rig, { number: NUMBERS.phone, port: stage.ports.phone, toneHz: FAR_HZ });
  const account = await stage.synapse.register("alice");
  alice = await startBrowser(rig, { homeserver: stage.synapse.url, account, toneHz: NEAR_HZ });
});

afterEach(() => alice.phone.hangupAll());

/** Each hears the other now. */
const talking = () => Promise.all([toneAt(alice.hears, FAR_HZ, [NEAR_HZ]), toneAt(phone.hears, NEAR_HZ, [FAR_HZ])]);

/** Causes of the calls that the server knows to be over. */
async function causes(): Promise<readonly unknown[]> {
  const rows = await postgres.ask(
    "select record::json ->> 'cause' as cause from call where record is not null order by ended_at_ms",
    database.name,
  );
  return rows.map((row) => row["cause"]);
}

const openCalls = async () => (await postgres.ask("select id from call where call is not null", database.name)).length;

const storeState = async (): Promise<string> => {
  const response = await fetch(`http://127.0.0.1:${statusPort}/ready`);
  const { parts } = (await response.json()) as { parts?: Record<string, { detail: string }> };
  return parts?.["store"]?.detail ?? "";
};

/** A call is up, then the server dies, and the bridge knows. */
async function callThroughOutage(): Promise<void> {
  const from = phone.events.length;
  await alice.phone.dial(NUMBERS.phone);
  await alice.inState("connected");
  await phone.event("CALL_ESTABLISHED", { from });
  await talking();
  const said = stage.running.log.text.length;
  await postgres.kill();
  await stage.running.saying(/store cannot be written: calls in progress go on/, { from: said });
  await talking();
}

async function comesBack(): Promise<void> {
  const said = stage.running.log.text.length;
  await postgres.start();
  await stage.running.saying(/store can be written again/, { from: said });
}

describe("While PostgreSQL is away", () => {
  it("a call goes on; when the server is back the call ends as always, and is stored", async () => {
    const from = phone.events.length;
    await callThroughOutage();
    expect(await storeState()).toMatch(/^PostgreSQL database store_1 at 127\.0\.0\.1:\d+, as postgres: /);
    await comesBack();
    await talking();
    expect(await openCalls()).toBe(1);
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from });
    await until("the record of the call", async () => (await causes()).length === 1);
    expect(await causes()).toEqual(["caller-hung-up"]);
    expect(await openCalls()).toBe(0);
  });

  it("a call ends on both sides at once, and is stored when the server is back", async () => {
    const from = phone.events.length;
    await callThroughOutage();
    await alice.phone.hangup();
    await phone.event("CALL_CLOSED", { from });
    await comesBack();
    await until("the record of the call", async () => (await causes()).length === 2);
    expect(await openCalls()).toBe(0);
  });

  it("no password of the database is in the log", async () => {
    expect(stage.running.log.text).not.toContain(postgres.password);
    expect(stage.running.log.text).not.toContain(encodeURIComponent(postgres.password));
  });
});

describe("Another bridge that has taken the database", () => {
  it("makes this one say so and exit, so that it is started again and waits its turn", async () => {
    const said = stage.running.log.text.length;
    // The lock of the schema `public`. It goes to whoever waits for it when the bridge's session ends.
    const taking = postgres.hold("select pg_advisory_lock(1936290914, hashtext('public'))", database.name);
    const waiting = "select pid from pg_locks where locktype = 'advisory' and not granted";
    await until("somebody to wait for the lock", async () => (await postgres.ask(waiting)).length === 1);
    await postgres.ask(
      `select pg_terminate_backend(pid) from pg_stat_activity
       where application_name = 'matrix-appservice-sip' and datname = '${database.name}'`,
    );
    await stage.running.saying(/another bridge has taken the store over: this one stops/, { from: said });
    expect(await stage.running.exited).toEqual({ code: 4, signal: null });
    expect(stage.running.log.text).toMatch(/cannot go on: another bridge runs on PostgreSQL database store_1/);
    await (await taking).release();
  });
});
