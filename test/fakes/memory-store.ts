// The store without a disk, for tests and trials. Calls are kept as JSON here too, so that nothing is shared by reference.
import type { Block } from "../../src/core/policy/block-list.ts";
import type { CallRecord } from "../../src/core/call/model/record.ts";
import type { EventId, RoomId, UserId } from "../../src/core/ids.ts";
import type { Usage } from "../../src/core/policy/spending/account.ts";
import { scopeKey } from "../../src/core/policy/spending/allowance.ts";
import { barKey } from "../../src/core/policy/spending/bar.ts";
import type {
  AdminActions,
  CallLedger,
  Conversation,
  ConversationDirectory,
  GhostProfile,
  Inbox,
  InboxEntry,
  NotedAction,
  RecordPlace,
  RoomDirectory,
  Store,
  StoredBlocks,
  Visit,
  Visits,
  WebhookMessage,
  WebhookQueue,
} from "../../src/ports/store.ts";
import type { SpendingStore } from "../../src/ports/spending.ts";
import { readCall, writeCall } from "../../src/store/stored/stored-call.ts";
import { readRecord, writeRecord } from "../../src/store/stored/stored-record.ts";
import { readBar, readCharge, writeBar, writeCharge } from "../../src/store/stored/stored-spending.ts";

function memoryInbox(): Inbox {
  const seen = new Map<EventId, { readonly entry: InboxEntry; done: boolean }>();
  return {
    async take(entries) {
      const fresh: InboxEntry[] = [];
      for (const entry of entries) {
        if (seen.has(entry.eventId)) continue;
        seen.set(entry.eventId, { entry, done: false });
        fresh.push(entry);
      }
      return fresh;
    },
    async done(event) {
      const known = seen.get(event);
      if (known !== undefined) known.done = true;
    },
    async pending() {
      return [...seen.values()].filter((known) => !known.done).map((known) => known.entry);
    },
    async prune(beforeMs) {
      let pruned = 0;
      for (const [event, known] of seen) {
        if (!known.done || known.entry.receivedAtMs >= beforeMs) continue;
        seen.delete(event);
        pruned++;
      }
      return pruned;
    },
  };
}

interface LedgerRow {
  readonly id: string;
  readonly room: RoomId | undefined;
  readonly matrixCallId: string | undefined;
  readonly call: string | undefined;
  readonly record: CallRecord | undefined;
}

type Address = Pick<CallRecord, "room" | "matrixCallId">;

function memoryLedger(): CallLedger {
  const rows = new Map<string, LedgerRow>();
  const write = (
    id: string,
    address: Address | undefined,
    call: string | undefined,
    record: CallRecord | undefined,
  ): void => {
    rows.set(id, {
      id,
      room: address?.room,
      matrixCallId: address?.matrixCallId,
      call,
      record: record === undefined ? undefined : readRecord(record.id, writeRecord(record)).record,
    });
  };
  return {
    async save(stored) {
      write(stored.call.id, stored.call.phase.address, writeCall(stored), undefined);
    },
    async finish(_call, record) {
      write(record.id, record, undefined, record);
    },
    async prune(beforeMs) {
      const old = [...rows.values()].filter((row) => row.record !== undefined && row.record.endedAtMs < beforeMs);
      for (const { id } of old) rows.delete(id);
      return old.length;
    },
    async open() {
      const calls = [...rows.values()].map((row) =>
        row.call === undefined ? undefined : readCall(row.id, row.call).call,
      );
      return calls.filter((call) => call !== undefined);
    },
    async known(room, matrixCallId) {
      return [...rows.values()].some((row) => row.room === room && row.matrixCallId === matrixCallId);
    },
    async history(limit, { fromMs = 0, toMs = Infinity, after } = {}) {
      const records = [...rows.values()].map((row) => row.record).filter((record) => record !== undefined);
      const isEarlier = (one: RecordPlace, other: RecordPlace): boolean =>
        one.endedAtMs < other.endedAtMs || (one.endedAtMs === other.endedAtMs && one.id < other.id);
      return records
        .filter((one) => one.endedAtMs >= fromMs && one.endedAtMs < toMs && (!after || isEarlier(one, after)))
        .toSorted((one, other) => (isEarlier(one, other) ? 1 : -1))
        .slice(0, limit);
    },
  };
}

interface ConversationRow extends Conversation {
  readonly spoken: number;
}

function memoryConversations(rows: Map<RoomId, ConversationRow>): ConversationDirectory {
  const now = (): number => Math.max(0, ...[...rows.values()].map(({ spoken }) => spoken)) + 1;
  const ofPerson = (person: UserId): readonly Conversation[] =>
    [...rows.values()]
      .filter((row) => row.person === person)
      .toSorted((one, other) => other.spoken - one.spoken || (one.room < other.room ? -1 : 1))
      .map(({ room, number, ghost }) => ({ room, person, number, ghost }));
  return {
    async find(person, number) {
      return ofPerson(person).filter((row) => row.number === number);
    },
    async latest(person, limit) {
      return ofPerson(person).slice(0, limit);
    },
    async save(conversation) {
      rows.set(conversation.room, { ...conversation, spoken: now() });
    },
    async add(conversation) {
      if (!rows.has(conversation.room)) rows.set(conversation.room, { ...conversation, spoken: 0 });
    },
    async spoke(room, person) {
      const row = rows.get(room);
      if (row?.person !== person) return false;
      rows.set(room, { ...row, spoken: now() });
      return true;
    },
    async rekey(keyOf) {
      for (const row of rows.values()) rows.set(row.room, { ...row, number: keyOf(row.ghost) });
    },
  };
}

function memoryRooms(conversations: Map<RoomId, unknown>): RoomDirectory {
  const said = new Map<RoomId, Set<string>>();
  const ours = new Map<RoomId, Set<UserId>>();
  return {
    async ours(room) {
      return [...(ours.get(room) ?? [])].toSorted();
    },
    async saveOurs(room, user) {
      ours.set(room, (ours.get(room) ?? new Set<UserId>()).add(user));
    },
    async removeOurs(room, user) {
      ours.get(room)?.delete(user);
    },
    async forget(room) {
      conversations.delete(room);
      ours.delete(room);
      said.delete(room);
    },
    async firstTime(room, subject) {
      const subjects = said.get(room) ?? new Set();
      said.set(room, subjects);
      if (subjects.has(subject)) return false;
      subjects.add(subject);
      return true;
    },
  };
}

function memoryVisits(): Visits {
  const pairKey = (room: string, ghost: string): string => JSON.stringify([room, ghost]);
  const visits = new Map<string, { readonly visit: Visit; ended: boolean }>();
  const byAge = () => [...visits.values()].toSorted((one, other) => one.visit.atMs - other.visit.atMs);
  return {
    async begin(visit) {
      visits.set(pairKey(visit.room, visit.ghost), { visit, ended: false });
    },
    async end(room, ghost) {
      const found = visits.get(pairKey(room, ghost));
      if (found !== undefined) found.ended = true;
    },
    open: async () => byAge().flatMap(({ visit, ended }) => (ended ? [] : [visit])),
    async latest(room, limit) {
      const inRoom = byAge().flatMap(({ visit }) => (visit.room === room ? [visit] : []));
      return inRoom.toReversed().slice(0, limit);
    },
  };
}

function memoryBlocks(): StoredBlocks {
  const blocks = new Map<string, Block>();
  const keyOf = (what: string, person: string = ""): string => JSON.stringify([person, what]);
  return {
    list: async () => [...blocks.values()].toSorted((one, other) => one.atMs - other.atMs),
    save: async (block) => void blocks.set(keyOf(block.what, block.person), block),
    remove: async (what, person) => void blocks.delete(keyOf(what, person)),
  };
}

function memoryActions(): AdminActions {
  let noted: readonly NotedAction[] = [];
  let last = 0;
  return {
    async note(action) {
      last += 1;
      noted = [{ ...action, number: last }, ...noted];
    },
    latest: async (limit, before = Infinity) => noted.filter(({ number }) => number < before).slice(0, limit),
    async prune(beforeMs) {
      const all = noted.length;
      noted = noted.filter(({ atMs }) => atMs >= beforeMs);
      return all - noted.length;
    },
  };
}

function memoryWebhookQueue(): WebhookQueue {
  const messages = new Map<string, WebhookMessage>();
  return {
    add: async (message) => void messages.set(message.id, message),
    waiting: async (limit) => [...messages.values()].slice(0, limit),
    async failed(id, attempts, dueAtMs) {
      const message = messages.get(id);
      if (message !== undefined) messages.set(id, { ...message, attempts, dueAtMs });
    },
    remove: async (id) => void messages.delete(id),
  };
}

function memorySpending(): SpendingStore {
  const usages = new Map<string, Usage>();
  const running = new Map<string, string>();
  const bars = new Map<string, string>();
  return {
    load: async () => ({
      usages: [...usages.values()],
      running: [...running.values()].flatMap((json) => readCharge(json).value ?? []),
    }),
    async save(changes) {
      for (const usage of changes.usages) usages.set(`${scopeKey(usage.scope)} ${usage.window}`, usage);
      for (const charge of changes.running) running.set(charge.charge.id, writeCharge(charge));
      for (const id of changes.settled) running.delete(id);
    },
    async prune(beforeMonth) {
      for (const [key, { window }] of usages) if (window < beforeMonth) usages.delete(key);
    },
    bars: async () =>
      [...bars].toSorted(([one], [other]) => (one < other ? -1 : 1)).flatMap(([, json]) => readBar(json).value ?? []),
    async setBar(bar) {
      bars.set(barKey(bar), writeBar(bar));
    },
    async removeBar(bar) {
      bars.delete(barKey(bar));
    },
  };
}

export function openMemoryStore(): Store {
  const ghosts = new Map<UserId, GhostProfile>();
  const settings = new Map<string, string>();
  const conversations = new Map<RoomId, ConversationRow>();
  return {
    inbox: memoryInbox(),
    calls: memoryLedger(),
    ghosts: {
      find: async (user) => ghosts.get(user),
      save: async (user, profile) => void ghosts.set(user, profile),
      list: async () => [...ghosts.keys()].toSorted(),
    },
    rooms: memoryRooms(conversations),
    conversations: memoryConversations(conversations),
    visits: memoryVisits(),
    adminActions: memoryActions(),
    blocks: memoryBlocks(),
    webhook: memoryWebhookQueue(),
    spending: memorySpending(),
    settings: {
      get: async (key) => settings.get(key),
      set: async (key, value) => void settings.set(key, value),
    },
    check: async () => undefined,
    onFailure: () => undefined,
    close: async () => undefined,
  };
}
