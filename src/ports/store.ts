// What must survive a restart. SQLite and PostgreSQL keep it, a memory store serves the tests; all pass one contract suite.
// What is asked of a store takes effect in the order in which it is asked, and each change is made whole or not at all.
import type { CallRecord } from "../core/call/model/record.ts";
import type { StoredCall } from "../core/call/recover.ts";
import type { Block } from "../core/policy/block-list.ts";
import type { SpendingStore } from "./spending.ts";
import type { CallId, EventId, NumberKey, RoomId, UserId } from "../core/ids.ts";

/** An event as the homeserver pushed it, kept until the bridge has acted on it. */
export interface InboxEntry {
  readonly eventId: EventId;
  readonly room: RoomId;
  readonly receivedAtMs: number;
  /** The event's JSON, unparsed. */
  readonly json: string;
}

export interface Inbox {
  /** Stores those not seen before, in order, in one transaction; returns them. Throws if nothing could be stored. */
  take(entries: readonly InboxEntry[]): Promise<readonly InboxEntry[]>;
  /** A moment later, so that nothing should wait for it. */
  done(event: EventId): Promise<void>;
  /** Not done, oldest first: what a restart has to look at. */
  pending(): Promise<readonly InboxEntry[]>;
  /** Forgets done events received before `beforeMs` (a homeserver may send again for as long as that). */
  prune(beforeMs: number): Promise<number>;
}

/** Where an ended call stands in the history. */
export type RecordPlace = Pick<CallRecord, "id" | "endedAtMs">;

interface RecordRange {
  /** Ended then or later, and before `toMs` (ms since the epoch). */
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  /** Only those behind it: the ones that ended earlier. */
  readonly after?: RecordPlace | undefined;
}

export interface CallLedger {
  /** Inserts or replaces. */
  save(call: StoredCall): Promise<void>;
  /** Of one that cannot be read whole, as much as is needed to end the trunk's leg; it is logged. */
  open(): Promise<readonly StoredCall[]>;
  /** True if a call with this room and Matrix call id was ever saved (and not pruned). */
  known(room: RoomId, matrixCallId: string): Promise<boolean>;
  /** Ended calls, newest first; fewer than `limit` where there are no more. */
  history(limit: number, range?: RecordRange): Promise<readonly CallRecord[]>;
  /** Removes the call from `open` and keeps its record. */
  finish(call: CallId, record: CallRecord): Promise<void>;
  /** Forgets calls that ended before `beforeMs`; gives how many. Open ones stay. */
  prune(beforeMs: number): Promise<number>;
}

/** As the homeserver was told last; undefined: not yet. */
export interface GhostProfile {
  readonly displayName: string | undefined;
  /** `mxc:` */
  readonly picture: string | undefined;
}

export interface GhostDirectory {
  /** undefined: never registered. */
  find(user: UserId): Promise<GhostProfile | undefined>;
  save(user: UserId, profile: GhostProfile): Promise<void>;
  /** All that were ever registered. */
  list(): Promise<readonly UserId[]>;
}

/** A room that a person has to themselves with one telephone number, or with the bot, and which of our users is in it. */
export interface Conversation {
  readonly room: RoomId;
  readonly person: UserId;
  readonly number: NumberKey;
  /** The ghost of one spelling of the number. */
  readonly ghost: UserId;
}

/** A person may have several rooms with one number; in each room there is one conversation. */
export interface ConversationDirectory {
  /** All that the two have, the one in which they spoke last first. */
  find(person: UserId, number: NumberKey): Promise<readonly Conversation[]>;
  /** So many of the person's, with whichever number: the one that was spoken in last first. */
  latest(person: UserId, limit: number): Promise<readonly Conversation[]>;
  /** Saves a conversation as the one in which the two spoke last. */
  save(conversation: Conversation): Promise<void>;
  /** Saves a conversation behind all others of the two. Changes nothing if the room is known already. */
  add(conversation: Conversation): Promise<void>;
  /** The person and the number speak in this room now. False if the directory does not know it as a room of this person. */
  spoke(room: RoomId, person: UserId): Promise<boolean>;
  /** Gives every conversation the key that its ghost has today: the dial plan may have changed. */
  rekey(keyOf: (ghost: UserId) => NumberKey): Promise<void>;
}

export interface RoomDirectory {
  /** Our users (ghosts, the bot) that are joined to a room. */
  ours(room: RoomId): Promise<readonly UserId[]>;
  saveOurs(room: RoomId, user: UserId): Promise<void>;
  removeOurs(room: RoomId, user: UserId): Promise<void>;
  /** Forgets all that is known of the room, its conversation included. */
  forget(room: RoomId): Promise<void>;
  /** True the first time it is asked of a room and a subject: for what is said only once. */
  firstTime(room: RoomId, subject: string): Promise<boolean>;
}

/** A ghost in the bot's room, where a call of its number rings the person. */
export interface Visit {
  readonly room: RoomId;
  readonly ghost: UserId;
  readonly person: UserId;
  /** When it began (ms since the epoch). */
  readonly atMs: number;
}

export interface Visits {
  begin(visit: Visit): Promise<void>;
  end(room: RoomId, ghost: UserId): Promise<void>;
  /** Not ended, the oldest first: what a restart has to clean up. */
  open(): Promise<readonly Visit[]>;
  /** Who came into that room, the latest first. */
  latest(room: RoomId, limit: number): Promise<readonly Visit[]>;
}

/** Something that an admin had the bridge do, or tried to. */
export interface AdminAction {
  /** ms since the epoch. */
  readonly atMs: number;
  /** "token from 192.0.2.1", "uid 998". */
  readonly who: string;
  /** "hang up", "pause trunk". */
  readonly action: string;
  /** What it was done to, if that is one thing. */
  readonly target: string | undefined;
  /** Whatever else was said, such as a reason. */
  readonly detail: string | undefined;
  /** "done", or why not. */
  readonly outcome: string;
}

/** Numbered in the order in which they were noted. */
export type NotedAction = AdminAction & { readonly number: number };

export interface AdminActions {
  note(action: AdminAction): Promise<void>;
  /** Newest first; only those with numbers below `before`. */
  latest(limit: number, before?: number): Promise<readonly NotedAction[]>;
  /** Forgets those before `beforeMs`; gives how many. */
  prune(beforeMs: number): Promise<number>;
}

/** Whose calls nobody takes, or one person does not. */
export interface StoredBlocks {
  list(): Promise<readonly Block[]>;
  /** In place of the one of that person, or for all, about the same callers. */
  save(block: Block): Promise<void>;
  remove(what: string, person: UserId | undefined): Promise<void>;
}

/** Something that a webhook has yet to be told. */
export interface WebhookMessage {
  /** The same at each attempt, so that whoever takes it twice can tell. */
  readonly id: string;
  /** What it is about: messages about one thing are told in their order. */
  readonly subject: string;
  readonly body: string;
  /** ms since the epoch: when it happened, and when it is to be told, at the earliest. */
  readonly atMs: number;
  readonly dueAtMs: number;
  /** How often it was tried. */
  readonly attempts: number;
}

export interface WebhookQueue {
  add(message: WebhookMessage): Promise<void>;
  /** Oldest first, whether due or not. */
  waiting(limit: number): Promise<readonly WebhookMessage[]>;
  failed(id: string, attempts: number, dueAtMs: number): Promise<void>;
  remove(id: string): Promise<void>;
}

/** Small facts about the installation: ghost encoding, schema of ids, secrets. */
export interface Settings {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string): Promise<void>;
}

export interface Store {
  readonly inbox: Inbox;
  readonly calls: CallLedger;
  readonly ghosts: GhostDirectory;
  readonly rooms: RoomDirectory;
  readonly conversations: ConversationDirectory;
  readonly visits: Visits;
  readonly settings: Settings;
  readonly adminActions: AdminActions;
  readonly blocks: StoredBlocks;
  readonly webhook: WebhookQueue;
  readonly spending: SpendingStore;
  /** Writes something that takes space. Throws StoreError if it cannot. */
  check(): Promise<void>;
  /** Hears of failures that show by themselves, such as a connection that was lost. `check` tries to mend them. */
  onFailure(listener: (error: StoreError) => void): void;
  close(): Promise<void>;
}

/** Where the store is. */
export type StorePlace =
  | { readonly kind: "sqlite"; readonly path: string }
  | { readonly kind: "postgres"; readonly server: PostgresServer };

/** What a `postgres://` URL says. */
export interface PostgresServer {
  /** A host name, an address without brackets, or the folder of a Unix socket. */
  readonly host: string;
  readonly port: number;
  /** undefined: the name of the user that runs the bridge. */
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string;
  readonly tls: PostgresTls;
}

/** As libpq's `sslmode` and the files beside it (PostgreSQL manual, "SSL Support"). */
export interface PostgresTls {
  readonly mode: "disable" | "require" | "verify-ca" | "verify-full";
  /** Paths of PEM files. */
  readonly ca: string | undefined;
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}

export class StoreError extends Error {
  override readonly name = "StoreError";
  /**
   * `full`: no space left. `locked`: another process holds it. `slow`: it does not answer. `taken`: another bridge has taken
   * it over, and this one must stop. `refused`: it works, but does not take this one change.
   */
  readonly code: "unavailable" | "newer-schema" | "corrupt" | "locked" | "full" | "slow" | "taken" | "refused";
  constructor(code: StoreError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
