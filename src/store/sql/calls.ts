// The ledger of calls: open ones as JSON of what a restart has to end, ended ones as JSON of their record.
import type { CallRecord } from "../../core/call/model/record.ts";
import type { StoredCall } from "../../core/call/recover.ts";
import type { CallLedger } from "../../ports/store.ts";
import { readCall, writeCall } from "../stored/stored-call.ts";
import { readRecord, writeRecord } from "../stored/stored-record.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

type Address = Pick<CallRecord, "room" | "matrixCallId">;

const write = statement((db, { id, room, matrix_call_id, call, record, ended_at_ms }: Tables["call"]) =>
  db
    .insertInto("call")
    .values({ id, room, matrix_call_id, call, record, ended_at_ms })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((given) => ({
        room: given.ref("excluded.room"),
        matrix_call_id: given.ref("excluded.matrix_call_id"),
        call: given.ref("excluded.call"),
        record: given.ref("excluded.record"),
        ended_at_ms: given.ref("excluded.ended_at_ms"),
      })),
    ),
);
/** Changes no column that is in an index; and nothing, if the call has another address by now. */
const writeAgain = statement((db, { id, room, matrix_call_id, call }: Tables["call"]) =>
  db
    .insertInto("call")
    .values({ id, room, matrix_call_id, call, record: null, ended_at_ms: null })
    .onConflict((conflict) =>
      conflict
        .column("id")
        .doUpdateSet((given) => ({ call: given.ref("excluded.call") }))
        .whereRef("call.room", "=", "excluded.room")
        .whereRef("call.matrix_call_id", "=", "excluded.matrix_call_id")
        .where("call.ended_at_ms", "is", null),
    ),
);
const forget = statement((db, { beforeMs }: { beforeMs: number }) =>
  db.deleteFrom("call").where("ended_at_ms", "<", beforeMs).where("call", "is", null),
);
const listOpen = statement((db) => db.selectFrom("call").select(["id", "call"]).where("ended_at_ms", "is", null));
const find = statement((db, { room, matrixCallId }: { room: string; matrixCallId: string }) =>
  db.selectFrom("call").select("id").where("room", "=", room).where("matrix_call_id", "=", matrixCallId).limit(1),
);
interface Page {
  readonly limit: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly lastMs: number;
  readonly lastId: string;
}
const listEnded = statement((db, { limit, fromMs, toMs, lastMs, lastId }: Page) =>
  db
    .selectFrom("call")
    .select(["id", "record", "ended_at_ms"])
    .where("ended_at_ms", ">=", fromMs)
    .where("ended_at_ms", "<", toMs)
    .where("ended_at_ms", "<=", lastMs)
    .where((is) => is.or([is("ended_at_ms", "<", lastMs), is("id", "<", lastId)]))
    .orderBy("ended_at_ms", "desc")
    .orderBy("id", "desc")
    .limit(limit),
);

/** Later than any time that a clock says. */
const latestMs = Number.MAX_SAFE_INTEGER;

export function sqlCallLedger({ read, change, changeTogether, log }: Access): CallLedger {
  return {
    async save(stored) {
      const { id, phase } = stored.call;
      const row = { id, ...columnsOf(phase.address), call: writeCall(stored), record: null, ended_at_ms: null };
      await changeTogether(async (run) => {
        const { numAffectedRows } = await run(writeAgain, row);
        if (numAffectedRows === 0n) await run(write, row);
      });
    },

    async finish(_call, record) {
      const ended = { record: writeRecord(record), ended_at_ms: record.endedAtMs };
      await change(write, { id: record.id, ...columnsOf(record), call: null, ...ended });
    },

    async prune(beforeMs) {
      const { numAffectedRows } = await change(forget, { beforeMs });
      return Number(numAffectedRows);
    },

    async open() {
      const calls: StoredCall[] = [];
      for (const row of await read(listOpen, {})) {
        const { call, problem } = readCall(row.id, row.call ?? "");
        if (problem !== undefined)
          log?.error("a stored call cannot be read", { call: row.id, problem, trunk: call ? "is ended" : "is lost" });
        if (call !== undefined) calls.push(call);
      }
      return calls;
    },

    async known(room, matrixCallId) {
      return (await read(find, { room, matrixCallId })).length > 0;
    },

    async history(limit, { fromMs = 0, toMs = latestMs, after } = {}) {
      const records: CallRecord[] = [];
      let [lastMs, lastId] = [after?.endedAtMs ?? latestMs, after?.id ?? ""] as [number, string];
      // Those that cannot be read make no page short.
      for (;;) {
        const wanted = limit - records.length;
        const rows = await read(listEnded, { limit: wanted, fromMs, toMs, lastMs, lastId });
        for (const row of rows) {
          [lastMs, lastId] = [row.ended_at_ms ?? 0, row.id];
          const { record, problem } = readRecord(row.id, row.record ?? "");
          if (record !== undefined) records.push(record);
          else log?.error("skipped a stored call record that cannot be read", { call: row.id, problem });
        }
        if (rows.length < wanted || records.length >= limit) return records;
      }
    },
  };
}

/** Not known while an inbound call has no room yet, and then that of whoever answered. */
function columnsOf(address: Partial<Address> | undefined): Pick<Tables["call"], "room" | "matrix_call_id"> {
  return { room: address?.room ?? "", matrix_call_id: address?.matrixCallId ?? "" };
}
