// The ledger of calls: open ones as JSON of what a restart has to end, ended ones as JSON of their record.
import type { CallRecord } from "../../core/call/model/record.ts";
import type { StoredCall } from "../../core/call/recover.ts";
import type { CallLedger } from "../../ports/store.ts";
import { readCall, writeCall } from "./stored-call.ts";
import { readRecord, writeRecord } from "./stored-record.ts";
import type { Access } from "./access.ts";

type Address = Pick<CallRecord, "room" | "matrixCallId">;

export function sqlCallLedger({ read, change, log }: Access): CallLedger {
  function write(
    id: string,
    address: Address | undefined,
    json: string | null,
    record: CallRecord | undefined,
  ): Promise<void> {
    const columns = {
      // Not known while an inbound call has no room yet, and then that of whoever answered.
      room: address?.room ?? "",
      matrix_call_id: address?.matrixCallId ?? "",
      call: json,
      record: record === undefined ? null : writeRecord(record),
      ended_at_ms: record?.endedAtMs ?? null,
    };
    return change(async (db) => {
      await db
        .insertInto("call")
        .values({ id, ...columns })
        .onConflict((conflict) => conflict.column("id").doUpdateSet(columns))
        .execute();
    });
  }

  return {
    async save(stored) {
      await write(stored.call.id, stored.call.phase.address, writeCall(stored), undefined);
    },

    async finish(_call, record) {
      await write(record.id, record, null, record);
    },

    async prune(beforeMs) {
      const { numDeletedRows } = await change((db) =>
        db.deleteFrom("call").where("ended_at_ms", "<", beforeMs).where("call", "is", null).executeTakeFirstOrThrow(),
      );
      return Number(numDeletedRows);
    },

    async open() {
      const rows = await read((db) =>
        db.selectFrom("call").select(["id", "call"]).where("call", "is not", null).execute(),
      );
      const calls: StoredCall[] = [];
      for (const row of rows) {
        const { call, problem } = readCall(row.id, row.call ?? "");
        if (problem !== undefined)
          log?.error("a stored call cannot be read", { call: row.id, problem, trunk: call ? "is ended" : "is lost" });
        if (call !== undefined) calls.push(call);
      }
      return calls;
    },

    async known(room, matrixCallId) {
      const row = await read((db) =>
        db
          .selectFrom("call")
          .select("id")
          .where("room", "=", room)
          .where("matrix_call_id", "=", matrixCallId)
          .executeTakeFirst(),
      );
      return row !== undefined;
    },

    async history(limit) {
      const rows = await read((db) =>
        db
          .selectFrom("call")
          .select(["id", "record"])
          .where("ended_at_ms", "is not", null)
          .orderBy("ended_at_ms", "desc")
          .limit(limit)
          .execute(),
      );
      const records: CallRecord[] = [];
      for (const row of rows) {
        const { record, problem } = readRecord(row.id, row.record ?? "");
        if (record !== undefined) records.push(record);
        else log?.error("skipped a stored call record that cannot be read", { call: row.id, problem });
      }
      return records;
    },
  };
}
