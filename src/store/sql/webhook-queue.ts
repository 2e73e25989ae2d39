// What a webhook has yet to be told.
import type { WebhookMessage, WebhookQueue } from "../../ports/store.ts";
import type { Access } from "./access.ts";
import type { Tables } from "./schema.ts";
import { statement } from "./statement.ts";

const add = statement((db, { id, subject, body, atMs, dueAtMs, attempts }: WebhookMessage) =>
  db.insertInto("webhook").values({ id, subject, body, at_ms: atMs, due_at_ms: dueAtMs, attempts }),
);
const listWaiting = statement((db, { limit }: { limit: number }) =>
  db.selectFrom("webhook").selectAll().orderBy("seq").limit(limit),
);
const put = statement((db, { id, attempts, dueAtMs }: Pick<WebhookMessage, "id" | "attempts" | "dueAtMs">) =>
  db.updateTable("webhook").set({ attempts, due_at_ms: dueAtMs }).where("id", "=", id),
);
const remove = statement((db, { id }: Pick<WebhookMessage, "id">) => db.deleteFrom("webhook").where("id", "=", id));

export function sqlWebhookQueue({ read, change }: Access): WebhookQueue {
  return {
    async add(message) {
      await change(add, message);
    },
    async waiting(limit) {
      return (await read(listWaiting, { limit })).map(messageOf);
    },
    async failed(id, attempts, dueAtMs) {
      await change(put, { id, attempts, dueAtMs });
    },
    async remove(id) {
      await change(remove, { id });
    },
  };
}

type Row = Omit<Tables["webhook"], "seq">;

function messageOf({ id, subject, body, at_ms: atMs, due_at_ms: dueAtMs, attempts }: Row): WebhookMessage {
  return { id, subject, body, atMs, dueAtMs, attempts };
}
