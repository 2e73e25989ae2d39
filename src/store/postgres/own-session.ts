// The one connection that changes go over. It holds an advisory lock, so that two bridges never write to one database:
// who has lost the lock has lost the connection too, and cannot write until both are back.
import { setTimeout as delay } from "node:timers/promises";
import type { PostgresPool } from "kysely";
import { Client } from "pg";
import { StoreError, type PostgresServer } from "../../ports/store.ts";
import { clientConfig, greet, PatientClient } from "./connection.ts";
import { failureOf, placeOf } from "./failures.ts";
import { examine } from "./server-facts.ts";

/** Of advisory locks, ours; the second half of the key is the schema, so that each schema has a lock. */
const lockClass = 1_936_290_914;
/** A bridge that has just died is noticed by the server a moment later. */
const lockWaitMs = 2_000;
const lockTryMs = 100;

const goodbyeMs = 1_000;

const tryLock = "select pg_try_advisory_lock($1::int, hashtext(current_schema())) as held";
/** Who holds it: as much as this user may see. */
const holderOfLock = `
  select lock.pid, session.backend_start::text as since, host(session.client_addr) as address
  from pg_locks as lock left join pg_stat_activity as session using (pid)
  where lock.locktype = 'advisory' and lock.granted and lock.objsubid = 2
    and lock.database = (select oid from pg_database where datname = current_database())
    and lock.classid = $1::int::oid and lock.objid = hashtext(current_schema())::oid`;
const ownSession = "select pid, backend_start::text as since from pg_stat_activity where pid = pg_backend_pid()";

/** A server process: its number may come again, together with its start it does not. */
interface ServerProcess {
  readonly pid: number;
  readonly since: string | null;
}

interface Holder extends ServerProcess {
  readonly address: string | null;
}

export class OwnSession implements PostgresPool {
  readonly options = {};
  readonly #server: PostgresServer;
  readonly #onLost: (error: StoreError) => void;
  #open: Promise<PatientClient> | undefined;
  /** The server process of the connection before. */
  #former: ServerProcess | undefined;
  #client: Client | undefined;
  #isEnded = false;
  /** While true, answers may take as long as they take. */
  isPatient = false;

  /** `onLost` is told when the connection breaks, whether or not something is asked of it. */
  constructor(server: PostgresServer, onLost: (error: StoreError) => void) {
    this.#server = server;
    this.#onLost = onLost;
  }

  /** The connection, made anew if it was lost. Throws StoreError, `taken` if another bridge has the lock since. */
  connect(): Promise<PatientClient> {
    this.#open ??= this.#connect().catch((error: unknown) => {
      this.#open = undefined;
      throw error;
    });
    return this.#open;
  }

  async end(): Promise<void> {
    this.#isEnded = true;
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    // A server that does not answer does not say goodbye.
    const timer = setTimeout(() => client.connection.stream.destroy(), goodbyeMs);
    await client.end().finally(() => clearTimeout(timer));
  }

  async #connect(): Promise<PatientClient> {
    const client = new Client(clientConfig(this.#server));
    const lost = (cause: unknown): void => {
      if (this.#client !== client) return;
      this.#client = undefined;
      this.#open = undefined;
      this.#onLost(failureOf(this.#server, cause));
    };
    client.on("error", lost);
    const patient = new PatientClient(
      client,
      () => undefined,
      () => this.isPatient,
    );
    try {
      await client.connect();
      await examine(patient, this.#server);
      await greet(patient);
      await this.#lock(patient);
      const { rows } = await patient.query<ServerProcess>(ownSession);
      if (this.#isEnded) throw new Error("the store was closed");
      this.#former = rows[0];
    } catch (cause) {
      // A server that does not answer would not answer a goodbye either.
      client.connection.stream.destroy();
      throw failureOf(this.#server, cause);
    }
    this.#client = client;
    return patient;
  }

  async #lock(client: PatientClient): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += lockTryMs) {
      const { rows } = await client.query<{ held: boolean }>(tryLock, [lockClass]);
      if (rows[0]?.held === true) return;
      const { rows: holders } = await client.query<Holder>(holderOfLock, [lockClass]);
      const [holder] = holders;
      // What the network has cut off from us still holds the lock until the server notices.
      if (holder !== undefined && holder.pid === this.#former?.pid && holder.since === this.#former.since)
        await client.query("select pg_terminate_backend($1)", [holder.pid]);
      if (waitedMs >= lockWaitMs) throw this.#lockedBy(holder);
      await delay(lockTryMs);
    }
  }

  #lockedBy(holder: Holder | undefined): StoreError {
    const where =
      holder === undefined ? "" : ` (server process ${holder.pid}, from ${holder.address ?? "a Unix socket"})`;
    const words = `another bridge runs on ${placeOf(this.#server)}${where}`;
    return this.#former === undefined ? new StoreError("locked", words) : new StoreError("taken", words);
  }
}
