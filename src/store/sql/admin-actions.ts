// What admins had the bridge do.
import type { AdminAction, AdminActions } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import { statement } from "./statement.ts";
import type { Tables } from "./schema.ts";

const note = statement((db, { at_ms, who, action, target, detail, outcome }: Omit<Tables["admin_action"], "seq">) =>
  db.insertInto("admin_action").values({ at_ms, who, action, target, detail, outcome }),
);
const listLatest = statement((db, { limit, before }: { limit: number; before: number }) =>
  db.selectFrom("admin_action").selectAll().where("seq", "<", before).orderBy("seq", "desc").limit(limit),
);
const forget = statement((db, { beforeMs }: { beforeMs: number }) =>
  db.deleteFrom("admin_action").where("at_ms", "<", beforeMs),
);

export function sqlAdminActions({ read, change }: Access): AdminActions {
  return {
    async note({ atMs, who, action, target, detail, outcome }: AdminAction) {
      await change(note, { at_ms: atMs, who, action, target: target ?? null, detail: detail ?? null, outcome });
    },
    async latest(limit, before = Number.MAX_SAFE_INTEGER) {
      const rows = await read(listLatest, { limit, before });
      return rows.map(({ seq, at_ms: atMs, who, action, target, detail, outcome }) => ({
        number: seq,
        atMs,
        who,
        action,
        target: target ?? undefined,
        detail: detail ?? undefined,
        outcome,
      }));
    },
    async prune(beforeMs) {
      const { numAffectedRows } = await change(forget, { beforeMs });
      return Number(numAffectedRows);
    },
  };
}
