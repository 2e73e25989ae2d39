// The client's ear: /sync from login on, cut into events, and what is known of rooms and direct chats.
import { setTimeout as delay } from "node:timers/promises";
import { ClientApiError, isJson, text, type ClientApi, type Json } from "./client-api.ts";

/** One event of a room's timeline or state, after the first answer of /sync. */
export interface RoomEvent {
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | undefined;
  readonly content: Json;
  /** How old it was when the homeserver told it. */
  readonly ageMs: number;
}

export interface SyncWatch {
  readonly heard: (event: RoomEvent) => void;
  /** Invited to a room. */
  readonly invited: (roomId: string) => void;
  /** The whole of one answer has been told. */
  readonly settled: () => void;
}

export interface SyncLoop {
  /** The joined direct room with a user, by `m.direct`. */
  directRoom(userId: string): string | undefined;
  /** Knows a direct room that was just made, before /sync tells of it. Returns the new `m.direct`. */
  madeDirect(userId: string, roomId: string): Json;
  stop(): Promise<void>;
}

const POLL_MS = 20_000;
const RETRY_MS = 500;

const entries = (value: unknown): [string, unknown][] => (isJson(value) ? Object.entries(value) : []);
const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const at = (value: unknown, ...keys: readonly string[]): unknown =>
  keys.reduce<unknown>((inner, key) => (isJson(inner) ? inner[key] : undefined), value);

/** Resolves after the first answer, whose events are the past and not told. Throws ClientApiError then, never later. */
export async function startSync(api: ClientApi, watch: SyncWatch): Promise<SyncLoop> {
  const stopping = new AbortController();
  const joined = new Set<string>();
  let direct: Json = {};

  const take = (answer: unknown, tell: boolean): string => {
    for (const event of list(at(answer, "account_data", "events"))) {
      const content = at(event, "content");
      if (at(event, "type") === "m.direct" && isJson(content)) direct = content;
    }
    for (const [roomId, room] of entries(at(answer, "rooms", "join"))) {
      joined.add(roomId);
      const events = [...list(at(room, "state", "events")), ...list(at(room, "timeline", "events"))];
      for (const event of tell ? events : []) {
        const [type, sender, content] = [text(at(event, "type")), text(at(event, "sender")), at(event, "content")];
        if (type === undefined || sender === undefined || !isJson(content)) continue;
        const age = at(event, "unsigned", "age");
        const ageMs = typeof age === "number" ? age : 0;
        watch.heard({ roomId, type, sender, stateKey: text(at(event, "state_key")), content, ageMs });
      }
    }
    for (const [roomId] of entries(at(answer, "rooms", "invite"))) watch.invited(roomId);
    for (const [roomId] of entries(at(answer, "rooms", "leave"))) joined.delete(roomId);
    watch.settled();
    return text(at(answer, "next_batch")) ?? "";
  };

  let since = take(await api.ask("GET", "/sync?timeout=0"), false);
  const listen = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      try {
        const where = `/sync?timeout=${POLL_MS}&since=${encodeURIComponent(since)}`;
        since = take(await api.ask("GET", where, undefined, stopping.signal), true);
      } catch (error) {
        if (!(error instanceof ClientApiError)) throw error;
        // The homeserver went away: it is asked again until it is back or we are stopped.
        await delay(RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
      }
    }
  };
  const listening = listen();

  return {
    directRoom: (userId) =>
      list(direct[userId])
        .map(text)
        .find((roomId) => roomId !== undefined && joined.has(roomId)),
    madeDirect(userId, roomId) {
      joined.add(roomId);
      direct = { ...direct, [userId]: [...list(direct[userId]), roomId] };
      return direct;
    },
    async stop() {
      stopping.abort();
      await listening;
    },
  };
}
