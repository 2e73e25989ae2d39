// What must survive a restart. One implementation talks SQL; a memory one serves the tests; both pass one contract suite.
import type { Call } from "../core/call/call.ts";
import type { CallRecord } from "../core/call/record.ts";
import type { CallId, EventId, RoomId, UserId } from "../core/ids.ts";

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
  done(event: EventId): Promise<void>;
  /** Not done, oldest first: what a restart has to look at. */
  pending(): Promise<readonly InboxEntry[]>;
  /** Forgets done events received before `beforeMs` (a homeserver may send again for as long as that). */
  prune(beforeMs: number): Promise<number>;
}

export interface CallLedger {
  /** Inserts or replaces; ended calls leave `open`. */
  save(call: Call): Promise<void>;
  open(): Promise<readonly Call[]>;
  /** True if a call with this room and Matrix call id was ever saved (and not pruned). */
  known(room: RoomId, matrixCallId: string): Promise<boolean>;
  /** Ended calls, newest first. */
  history(limit: number): Promise<readonly CallRecord[]>;
  /** Removes the call from `open` and keeps its record. */
  finish(call: CallId, record: CallRecord): Promise<void>;
  /** Forgets calls that ended before `beforeMs`; gives how many. Open ones stay. */
  prune(beforeMs: number): Promise<number>;
}

export interface GhostDirectory {
  /** undefined: never registered. */
  find(user: UserId): Promise<{ readonly displayName: string | undefined } | undefined>;
  save(user: UserId, displayName: string | undefined): Promise<void>;
}

export interface RoomDirectory {
  /** The direct room of a ghost (or the bot) and a person, if the bridge knows one. */
  direct(ghost: UserId, person: UserId): Promise<RoomId | undefined>;
  saveDirect(ghost: UserId, person: UserId, room: RoomId): Promise<void>;
  /** Our users (ghosts, the bot) that are joined to a room. */
  ours(room: RoomId): Promise<readonly UserId[]>;
  saveOurs(room: RoomId, user: UserId): Promise<void>;
  removeOurs(room: RoomId, user: UserId): Promise<void>;
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
  readonly visits: Visits;
  readonly settings: Settings;
  /** Cheap proof that it can be written. Throws if not. */
  check(): Promise<void>;
  close(): Promise<void>;
}

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: "unavailable" | "newer-schema" | "corrupt" | "locked";
  constructor(code: StoreError["code"], message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }
}
