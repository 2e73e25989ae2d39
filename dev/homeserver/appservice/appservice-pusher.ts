// From the rooms to the application services: which service may see which event, and the
// question "do you know this user?" that has to be answered before the event goes out.
import type { Accounts } from "../accounts.ts";
import type { AppserviceConnection } from "./appservice-connection.ts";
import type { RoomEvent } from "../rooms/event.ts";
import { quotePath } from "./quoting.ts";
import type { Appservice } from "./registration.ts";
import type { Room } from "../rooms/room.ts";
import type { EphemeralEvent, TransactionQueueOptions } from "./transaction-queue.ts";
import { TransactionQueue } from "./transaction-queue.ts";

type Lane = {
  readonly appservice: Appservice;
  readonly connection: AppserviceConnection;
  readonly queue: TransactionQueue;
};

type Notice = { readonly event: RoomEvent; readonly lanes: readonly Lane[] };

export class AppservicePusher {
  readonly #accounts: Accounts;
  readonly #lanes: readonly Lane[];
  #notices: Notice[] = [];
  #working: Promise<void> | undefined;
  #stopped = false;

  constructor(accounts: Accounts, connections: readonly AppserviceConnection[], options: TransactionQueueOptions) {
    this.#accounts = accounts;
    this.#lanes = connections.map((connection) => ({
      appservice: connection.appservice,
      connection,
      queue: new TransactionQueue(connection, options),
    }));
  }

  /** Takes note of an event at the moment it enters its room: later joins show no past. */
  notice(event: RoomEvent, room: Room): void {
    const lanes = this.#lanes.filter(({ appservice }) => isInterested(appservice, event, room));
    if (lanes.length === 0 || this.#stopped) return;
    this.#notices.push({ event, lanes });
    this.#working ??= this.#work();
  }

  noticeEphemeral(event: EphemeralEvent, room: Room): void {
    for (const { appservice, queue } of this.#lanes) {
      if (hasJoinedUser(appservice, room)) queue.pushEphemeral(event);
    }
  }

  queue(appserviceId: string): TransactionQueue | undefined {
    return this.#lanes.find(({ appservice }) => appservice.id === appserviceId)?.queue;
  }

  /** Resolves when every event so far was taken by every service that may see it. */
  async idle(): Promise<void> {
    await this.#working;
    await Promise.all(this.#lanes.map(({ queue }) => queue.idle()));
  }

  stop(): void {
    this.#stopped = true;
    for (const { queue } of this.#lanes) queue.stop();
  }

  // Rooms are independent of each other within a batch, each room is in order, and a
  // batch waits for the slowest room of the one before it.
  async #work(): Promise<void> {
    await Promise.resolve();
    try {
      while (this.#notices.length > 0 && !this.#stopped) {
        const batch = byRoom(this.#notices.splice(0));
        await Promise.all([...batch.values()].map((notices) => this.#passInOrder(notices)));
      }
    } finally {
      this.#working = undefined;
    }
  }

  async #passInOrder(notices: readonly Notice[]): Promise<void> {
    for (const notice of notices) await this.#pass(notice);
  }

  async #pass({ event, lanes }: Notice): Promise<void> {
    await this.#askFor(event.sender);
    if (event.type === "m.room.member" && event.stateKey !== undefined) {
      await this.#askFor(event.stateKey);
    }
    for (const { queue } of lanes) queue.push([event]);
  }

  /** An unknown local user may be one that its service registers when asked. */
  async #askFor(userId: string): Promise<void> {
    if (!this.#accounts.isLocal(userId) || this.#accounts.find(userId)) return;
    for (const { appservice, connection } of this.#lanes) {
      if (appservice.senderId === userId) return;
      if (appservice.url === null || !appservice.ownsUser(userId)) continue;
      const answer = await connection.send("GET", `/users/${quotePath(userId)}`);
      if (answer.outcome === "accepted") return;
    }
  }
}

// Application-service API "Pushing events": its own users as sender or as the subject of
// a membership, its rooms, or a room in which one of its users is joined.
function isInterested(appservice: Appservice, event: RoomEvent, room: Room): boolean {
  if (appservice.url === null) return false;
  if (appservice.ownsUser(event.sender)) return true;
  if (event.type === "m.room.member" && appservice.ownsUser(event.stateKey ?? "")) return true;
  return appservice.ownsRoom(room.roomId) || hasJoinedUser(appservice, room);
}

function hasJoinedUser(appservice: Appservice, room: Room): boolean {
  return room.members("join").some((userId) => appservice.ownsUser(userId));
}

function byRoom(notices: readonly Notice[]): Map<string, Notice[]> {
  const rooms = new Map<string, Notice[]>();
  for (const notice of notices) {
    const { roomId } = notice.event;
    rooms.set(roomId, [...(rooms.get(roomId) ?? []), notice]);
  }
  return rooms;
}
