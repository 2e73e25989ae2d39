// All rooms, and the one way an event gets into any of them: authorised, given its place
// in the stream, stored, announced. Also the membership changes, which are only that.
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { Account, Accounts } from "../accounts.ts";
import type { EventDraft } from "./authorisation.ts";
import { authorise } from "./authorisation.ts";
import type { RoomEvent } from "./event.ts";
import { newEventId } from "./event.ts";
import { MatrixError, invalidParam, notFound } from "../http/matrix-error.ts";
import { Room } from "./room.ts";
import type { Stream } from "../sync/stream.ts";

type Listener = (event: RoomEvent, room: Room) => void;

export type SendOptions = {
  /** Sets `origin_server_ts` ("timestamp massaging", application services only). */
  readonly originServerTs?: number | undefined;
  readonly transaction?: RoomEvent["transaction"];
  readonly stickyMs?: number | undefined;
};

// Client-server API "Size limits": 65,536 bytes for a complete event. The margin is for
// the hashes and signatures that a federating server would add.
const maxContentBytes = 65_000;

export class Rooms {
  readonly #accounts: Accounts;
  readonly #stream: Stream;
  readonly #now: () => number;
  readonly #rooms = new Map<string, Room>();
  readonly #roomsOfUser = new Map<string, Set<Room>>();
  readonly #listeners = new Set<Listener>();

  constructor(accounts: Accounts, stream: Stream, now: () => number) {
    this.#accounts = accounts;
    this.#stream = stream;
    this.#now = now;
  }

  /** Calls back with every event of every room, in order. Returns how to stop it. */
  onEvent(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(): Room {
    const name = Array.from(randomBytes(18), (byte) => letters[byte % letters.length]).join("");
    const room = new Room(`!${name}:${this.#accounts.domain}`);
    this.#rooms.set(room.roomId, room);
    return room;
  }

  get(roomId: string): Room | undefined {
    return this.#rooms.get(roomId);
  }

  all(): Room[] {
    return [...this.#rooms.values()];
  }

  /** Every room in which the user has or ever had a membership. */
  ofUser(userId: string): Room[] {
    return [...(this.#roomsOfUser.get(userId) ?? [])];
  }

  /** Throws M_FORBIDDEN, M_TOO_LARGE. Equal state sent again is the event already there. */
  send(room: Room, draft: EventDraft, options: SendOptions = {}): RoomEvent {
    const { type, sender, stateKey, content } = draft;
    authorise(room, draft);
    if (Buffer.byteLength(JSON.stringify(content)) > maxContentBytes) {
      throw new MatrixError(413, "M_TOO_LARGE", "event too large");
    }
    const replaces = stateKey === undefined ? undefined : room.state(type, stateKey);
    if (replaces?.sender === sender && isDeepStrictEqual(replaces.content, content)) {
      return replaces;
    }
    const isInvite = type === "m.room.member" && content["membership"] === "invite";
    return this.#append(room, {
      position: this.#stream.advance(),
      eventId: newEventId(),
      roomId: room.roomId,
      type,
      sender,
      stateKey,
      content,
      originServerTs: options.originServerTs ?? this.#now(),
      replaces,
      inviteRoomState: isInvite ? room.strippedState(sender) : undefined,
      transaction: options.transaction,
      stickyMs: options.stickyMs,
    });
  }

  /** The first events of a room, which no rule could allow yet. */
  sendUnchecked(room: Room, draft: EventDraft): RoomEvent {
    return this.#append(room, {
      ...draft,
      position: this.#stream.advance(),
      eventId: newEventId(),
      roomId: room.roomId,
      stateKey: draft.stateKey,
      originServerTs: this.#now(),
      replaces: undefined,
      inviteRoomState: undefined,
      transaction: undefined,
      stickyMs: undefined,
    });
  }

  join(room: Room, account: Account): RoomEvent {
    const current = room.state("m.room.member", account.userId);
    if (current?.content["membership"] === "join") return current;
    return this.#sendMember(room, account.userId, account.userId, {
      membership: "join",
      ...profileOf(account),
    });
  }

  /** The invited user need not exist yet: its application service is asked at the push. */
  invite(room: Room, sender: string, target: string, extra: object = {}): RoomEvent {
    if (!isUserId(target)) throw invalidParam("user_id is not a Matrix user id");
    const account = this.#accounts.find(target);
    if (!account && !this.#accounts.isLocal(target)) {
      throw notFound("This server does not federate");
    }
    return this.#sendMember(room, sender, target, {
      membership: "invite",
      ...(account && profileOf(account)),
      ...extra,
    });
  }

  /** Leaving (sender is target), declining, kicking, unbanning. */
  remove(room: Room, sender: string, target: string, reason?: string): RoomEvent {
    const why = reason === undefined ? {} : { reason };
    return this.#sendMember(room, sender, target, { membership: "leave", ...why });
  }

  ban(room: Room, sender: string, target: string, reason?: string): RoomEvent {
    const why = reason === undefined ? {} : { reason };
    return this.#sendMember(room, sender, target, { membership: "ban", ...why });
  }

  /** A changed profile is told to every room the user is in. */
  publishProfile(account: Account): void {
    for (const room of this.ofUser(account.userId)) {
      const current = room.state("m.room.member", account.userId);
      if (current?.content["membership"] !== "join") continue;
      this.#sendMember(room, account.userId, account.userId, {
        membership: "join",
        ...profileOf(account),
      });
    }
  }

  #sendMember(room: Room, sender: string, stateKey: string, content: object): RoomEvent {
    return this.send(room, { type: "m.room.member", sender, stateKey, content: { ...content } });
  }

  #append(room: Room, event: RoomEvent): RoomEvent {
    room.append(event);
    if (event.type === "m.room.member" && event.stateKey !== undefined) {
      const rooms = this.#roomsOfUser.get(event.stateKey) ?? new Set();
      this.#roomsOfUser.set(event.stateKey, rooms.add(room));
    }
    for (const listener of this.#listeners) listener(event, room);
    return event;
  }
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** The historical grammar: any localpart without a colon or NUL, 255 bytes in all. */
export function isUserId(text: string): boolean {
  return /^@[^:\0\p{Surrogate}]*:[^\0\p{Surrogate}]+$/u.test(text) && Buffer.byteLength(text) <= 255;
}

/** What a member event says of its user. */
export function profileOf(account: Account) {
  const { displayname, avatarUrl } = account;
  return {
    ...(displayname !== undefined && { displayname }),
    ...(avatarUrl !== undefined && { avatar_url: avatarUrl }),
  };
}
