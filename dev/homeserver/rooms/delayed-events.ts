// Events that are sent later unless somebody puts that off (MSC4140), as Synapse 1.163 does it.
import { randomBytes } from "node:crypto";
import { MatrixError, notFound } from "../http/matrix-error.ts";
import type { EventDraft } from "./authorisation.ts";
import type { Room } from "./room.ts";
import type { Rooms } from "./rooms.ts";

type Delayed = {
  readonly room: Room;
  readonly draft: EventDraft;
  readonly stickyMs: number | undefined;
  readonly delayMs: number;
  readonly runningSince: number;
  readonly timer: NodeJS.Timeout;
};

const maxPerUser = 100;

export class DelayedEvents {
  readonly #rooms: Rooms;
  readonly #now: () => number;
  readonly #maxDelayMs: number;
  readonly #events = new Map<string, Delayed>();

  /** @param maxDelayMs 0: none are delayed */
  constructor(rooms: Rooms, now: () => number, maxDelayMs: number) {
    this.#rooms = rooms;
    this.#now = now;
    this.#maxDelayMs = maxDelayMs;
  }

  get areAllowed(): boolean {
    return this.#maxDelayMs > 0;
  }

  /** Gives the delay id. Throws as Synapse does where events are not delayed, or not so long, or too many are. */
  add(room: Room, draft: EventDraft, delayMs: number, stickyMs?: number): string {
    if (this.#maxDelayMs === 0) throw unsupported("Delayed events are not supported on this server", "M_UNKNOWN", {});
    if (delayMs > this.#maxDelayMs) {
      const fields = { "org.matrix.msc4140.max_delay": this.#maxDelayMs };
      throw unsupported("The requested delay exceeds the allowed maximum.", "M_MAX_DELAY_EXCEEDED", fields);
    }
    if (this.of(draft.sender).length >= maxPerUser) {
      throw new MatrixError(429, "M_LIMIT_EXCEEDED", "Too Many Requests", { retry_after_ms: 3_599_000 });
    }
    const id = `syd_${randomBytes(10).toString("hex")}`;
    this.#start(id, { room, draft, stickyMs, delayMs });
    return id;
  }

  /** What a user has delayed. */
  of(sender: string) {
    return [...this.#events]
      .filter(([, { draft }]) => draft.sender === sender)
      .map(([delay_id, { room, draft, delayMs, runningSince }]) => ({
        delay_id,
        room_id: room.roomId,
        type: draft.type,
        state_key: draft.stateKey,
        delay: delayMs,
        running_since: runningSince,
        content: draft.content,
      }));
  }

  /** Throws M_NOT_FOUND. */
  restart(id: string): void {
    this.#start(id, this.#take(id));
  }

  /** Throws M_NOT_FOUND. */
  send(id: string): void {
    const { room, draft, stickyMs } = this.#take(id);
    this.#rooms.send(room, draft, { stickyMs });
  }

  /** Throws M_NOT_FOUND. */
  cancel(id: string): void {
    this.#take(id);
  }

  stop(): void {
    for (const id of this.#events.keys()) this.#take(id);
  }

  #start(id: string, { room, draft, stickyMs, delayMs }: Omit<Delayed, "runningSince" | "timer">): void {
    const timer = setTimeout(() => this.send(id), delayMs);
    this.#events.set(id, { room, draft, stickyMs, delayMs, runningSince: this.#now(), timer });
  }

  #take(id: string): Delayed {
    const delayed = this.#events.get(id);
    if (!delayed) throw notFound("Delayed event not found");
    clearTimeout(delayed.timer);
    this.#events.delete(id);
    return delayed;
  }
}

const unsupported = (message: string, errcode: string, fields: object) =>
  new MatrixError(400, "M_UNKNOWN", message, { "org.matrix.msc4140.errcode": errcode, ...fields });
