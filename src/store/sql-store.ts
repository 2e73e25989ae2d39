// The store in SQL, over whichever database it is given.
import { randomBytes } from "node:crypto";
import { Kysely } from "kysely";
import type { Store } from "../ports/store.ts";
import type { Log } from "../ports/telemetry.ts";
import { migrate } from "./migrations/all.ts";
import { openAccess } from "./sql/access.ts";
import { sqlAdminActions } from "./sql/admin-actions.ts";
import { sqlBlocks } from "./sql/blocks.ts";
import { sqlCallLedger } from "./sql/calls.ts";
import { sqlConversations } from "./sql/conversations.ts";
import type { Database } from "./sql/database.ts";
import { sqlGhostDirectory, sqlRoomDirectory, sqlSettings } from "./sql/directories.ts";
import { sqlInbox } from "./sql/inbox.ts";
import type { Tables } from "./sql/schema.ts";
import { sqlSpending } from "./sql/spending.ts";
import { sqlVisits } from "./sql/visits.ts";
import { sqlWebhookQueue } from "./sql/webhook-queue.ts";

/** Of the settings, what only proves that something can be written. */
const checkKey = "write check";
const checkBytes = 32_768;

/** Brings the schema of the database up to date. Throws StoreError. */
export async function openSqlStore(database: Database, log: Log | undefined): Promise<Store> {
  const writer = new Kysely<Tables>({ dialect: database.dialect });
  try {
    await database.unhurried(writer, () => migrate(writer, database));
  } catch (cause) {
    await writer.destroy();
    throw database.errorOf(cause);
  }
  const reader = database.readDialect === undefined ? writer : new Kysely<Tables>({ dialect: database.readDialect });
  const access = openAccess(database, { reader, writer }, log);
  const settings = sqlSettings(access);
  return {
    inbox: sqlInbox(access),
    calls: sqlCallLedger(access),
    ghosts: sqlGhostDirectory(access),
    rooms: sqlRoomDirectory(access),
    conversations: sqlConversations(access),
    visits: sqlVisits(access),
    settings,
    adminActions: sqlAdminActions(access),
    blocks: sqlBlocks(access),
    webhook: sqlWebhookQueue(access),
    spending: sqlSpending(access),
    // A full disk still takes what fits into space that the file already has, so this is larger than most of what is stored.
    check: () => settings.set(checkKey, randomBytes(checkBytes / 2).toString("hex")),
    onFailure: (listener) => database.onFailure(listener),
    async close() {
      await access.settled();
      if (reader !== writer) await reader.destroy();
      await writer.destroy();
    },
  };
}
