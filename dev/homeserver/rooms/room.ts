// One room: its timeline and, for every state key, all the values it ever had, so that
// "who was in the room when this was said" has an answer. Knows no rule of who may do
// what (authorisation.ts) and makes no events (rooms.ts).
import type { RoomEvent } from "./event.ts";
import { strip, type StrippedEvent } from "./event.ts";
import { stringAt } from "../http/json.ts";

export type Membership = "join" | "invite" | "leave" | "ban" | "knock";

const now = Number.POSITIVE_INFINITY;

// Client-server API "Stripped state": what an invited user is told of the room.
const strippedTypes = [
  "m.room.create",
  "m.room.join_rules",
  "m.room.canonical_alias",
  "m.room.avatar",
  "m.room.name",
  "m.room.encryption",
  "m.room.topic",
];

export class Room {
  readonly roomId: string;
  readonly timeline: RoomEvent[] = [];
  /** Users typing, and when that ends by itself (ms since the epoch). */
  readonly typing = new Map<string, number>();
  typingPosition = 0;
  readonly receipts = new Map<string, { eventId: string; ts: number; position: number }>();
  readonly #states = new Map<string, RoomEvent[]>();

  constructor(roomId: string) {
    this.roomId = roomId;
  }

  append(event: RoomEvent): void {
    this.timeline.push(event);
    if (event.stateKey === undefined) return;
    const key = keyOf(event.type, event.stateKey);
    const values = this.#states.get(key);
    if (values) values.push(event);
    else this.#states.set(key, [event]);
  }

  /** The state event of this type and key as it stood right after `position`. */
  state(type: string, stateKey = "", position = now): RoomEvent | undefined {
    return this.#states.get(keyOf(type, stateKey))?.findLast((event) => event.position <= position);
  }

  /** The whole state as it stood right after `position`. */
  allState(position = now): RoomEvent[] {
    return [...this.#states.values()]
      .map((values) => values.findLast((event) => event.position <= position))
      .filter((event) => event !== undefined);
  }

  membership(userId: string, position = now): Membership | undefined {
    return membershipOf(this.state("m.room.member", userId, position));
  }

  members(membership: Membership): string[] {
    return this.allState()
      .filter((event) => event.type === "m.room.member" && membershipOf(event) === membership)
      .map((event) => event.stateKey ?? "");
  }

  joinRule(): string {
    const event = this.state("m.room.join_rules");
    return (event && stringAt(event.content, "join_rule")) ?? "invite";
  }

  strippedState(inviterId: string): StrippedEvent[] {
    return [...strippedTypes.map((type) => this.state(type)), this.state("m.room.member", inviterId)]
      .filter((event) => event !== undefined)
      .map(strip);
  }

  /** Client-server API "Room history visibility". */
  isVisible(event: RoomEvent, userId: string): boolean {
    const memberships = new Set([this.membership(userId, event.position - 1), this.membership(userId, event.position)]);
    if (memberships.has("join")) return true;
    if (event.type === "m.room.member" && event.stateKey === userId) return true;
    switch (this.#historyVisibility(event.position)) {
      case "world_readable":
        return true;
      case "invited":
        return memberships.has("invite");
      case "joined":
        return false;
      default:
        return this.#joinedAfter(userId, event.position);
    }
  }

  #historyVisibility(position: number): string {
    const event = this.state("m.room.history_visibility", "", position);
    return (event && stringAt(event.content, "history_visibility")) ?? "shared";
  }

  #joinedAfter(userId: string, position: number): boolean {
    const values = this.#states.get(keyOf("m.room.member", userId)) ?? [];
    return values.some((event) => event.position > position && membershipOf(event) === "join");
  }
}

const keyOf = (type: string, stateKey: string) => JSON.stringify([type, stateKey]);

function membershipOf(event: RoomEvent | undefined): Membership | undefined {
  return event && (stringAt(event.content, "membership") as Membership | undefined);
}
