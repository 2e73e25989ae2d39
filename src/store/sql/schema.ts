// The tables, as the query builder sees them: ids are what was once parsed. Times are ms since the epoch; calls and records are JSON of core's types.
import type { Generated } from "kysely";
import type { EventId, RoomId, UserId } from "../../core/ids.ts";

interface InboxTable {
  /** Order of arrival. */
  seq: Generated<number>;
  event_id: EventId;
  room: RoomId;
  received_at_ms: number;
  /** The event as pushed; null once it is done with, so that only its id is kept. */
  json: string | null;
}

interface CallTable {
  id: string;
  /** Empty while an inbound call has none yet. */
  room: string;
  matrix_call_id: string;
  /** Null once the call has ended. */
  call: string | null;
  /** Null until the call has ended. */
  record: string | null;
  ended_at_ms: number | null;
}

interface GhostTable {
  user: UserId;
  display_name: string | null;
  picture: string | null;
}

interface ConversationTable {
  room: RoomId;
  person: UserId;
  /** The key of the telephone number; empty until the bridge has started once since the row was migrated. */
  number: string;
  ghost: UserId;
  /** The higher, the later they spoke there. */
  spoken: number;
}

/** Ghosts and the bot, in the rooms they are joined to. */
interface OwnMemberTable {
  room: RoomId;
  user: UserId;
}

interface SaidTable {
  room: RoomId;
  subject: string;
}

interface VisitTable {
  room: RoomId;
  ghost: UserId;
  person: UserId;
  begun_at_ms: number;
  /** 0 while the ghost is there. */
  ended: number;
}

interface AdminActionTable {
  /** Order in which they were noted. */
  seq: Generated<number>;
  at_ms: number;
  who: string;
  action: string;
  target: string | null;
  detail: string | null;
  outcome: string;
}

interface BlockTable {
  /** Empty: for everybody. */
  person: string;
  what: string;
  response: string | null;
  put_by: string;
  at_ms: number;
}

interface WebhookTable {
  /** Order in which they happened. */
  seq: Generated<number>;
  id: string;
  subject: string;
  body: string;
  at_ms: number;
  due_at_ms: number;
  attempts: number;
}

/** Of each scope (its key) in each day (`2026-12-01`) and month (`2026-12`). */
interface UsageTable {
  scope: string;
  window: string;
  seconds: number;
  /** Millionths of the currency's unit. */
  money: number;
  told: string;
}

/** JSON of calls in progress that somebody pays for. */
interface ChargeTable {
  id: string;
  charge: string;
}

/** JSON of what admins have stopped or allowed, and of what is held for them. */
interface BarTable {
  id: string;
  bar: string;
}

interface SettingTable {
  key: string;
  value: string;
}

interface SchemaVersionTable {
  version: number;
}

export interface Tables {
  inbox: InboxTable;
  call: CallTable;
  ghost: GhostTable;
  conversation: ConversationTable;
  own_member: OwnMemberTable;
  said: SaidTable;
  visit: VisitTable;
  setting: SettingTable;
  admin_action: AdminActionTable;
  block: BlockTable;
  webhook: WebhookTable;
  usage: UsageTable;
  charge: ChargeTable;
  bar: BarTable;
  schema_version: SchemaVersionTable;
}
