// Who may do what in a room: the part of the room version 11 authorisation rules that a
// calling client and a bridge can meet. Throws M_FORBIDDEN, returns nothing.
import type { JsonObject } from "../http/json.ts";
import { stringAt } from "../http/json.ts";
import { badJson, forbidden } from "../http/matrix-error.ts";
import { PowerLevels } from "./power-levels.ts";
import type { Room } from "./room.ts";

export type EventDraft = {
  readonly type: string;
  readonly sender: string;
  readonly content: JsonObject;
  readonly stateKey?: string | undefined;
};

export function authorise(room: Room, draft: EventDraft): void {
  if (draft.type === "m.room.member" && draft.stateKey !== undefined) {
    authoriseMember(room, draft.sender, draft.stateKey, stringAt(draft.content, "membership"));
    return;
  }
  requireJoined(room, draft.sender);
  const levels = new PowerLevels(room);
  const isState = draft.stateKey !== undefined;
  const needed = levels.toSend(draft.type, isState);
  if (levels.ofUser(draft.sender) < needed) {
    throw forbidden(`You don't have permission to post ${draft.type}: it needs level ${needed}`);
  }
  if (draft.stateKey?.startsWith("@") && draft.stateKey !== draft.sender) {
    throw forbidden("You are not allowed to set others state");
  }
  if (draft.type === "m.call.invite" && room.joinRule() === "public") {
    throw forbidden("Call invites are not allowed in public rooms.");
  }
}

/** As Synapse words it for reads and writes alike. */
export function requireJoined(room: Room, userId: string): void {
  if (room.membership(userId) !== "join") {
    throw forbidden(`User ${userId} not in room ${room.roomId}`);
  }
}

function authoriseMember(room: Room, sender: string, target: string, membership: string | undefined): void {
  const current = room.membership(target);
  switch (membership) {
    case "join":
      if (sender !== target) throw forbidden("Cannot force another user to join.");
      if (current === "ban") throw forbidden("You are banned from this room");
      if (current === "join" || current === "invite" || room.joinRule() === "public") return;
      throw forbidden("You are not invited to this room.");
    case "invite":
      requireJoined(room, sender);
      if (current === "join") throw forbidden(`${target} is already in the room.`);
      if (current === "ban") throw forbidden(`${target} is banned from the room`);
      requireLevel(room, sender, "invite");
      return;
    case "leave":
      if (sender === target) {
        if (current === "join" || current === "invite" || current === "knock") return;
        throw forbidden(`User ${target} not in room ${room.roomId}`);
      }
      requireJoined(room, sender);
      requireLevel(room, sender, current === "ban" ? "ban" : "kick");
      requireOutranks(room, sender, target);
      return;
    case "ban":
      requireJoined(room, sender);
      requireLevel(room, sender, "ban");
      requireOutranks(room, sender, target);
      return;
    default:
      throw badJson("membership must be join, invite, leave or ban");
  }
}

function requireLevel(room: Room, userId: string, action: "invite" | "kick" | "ban"): void {
  const levels = new PowerLevels(room);
  if (levels.ofUser(userId) < levels.toDo(action)) {
    throw forbidden(`You don't have permission to ${action}`);
  }
}

function requireOutranks(room: Room, userId: string, target: string): void {
  const levels = new PowerLevels(room);
  if (levels.ofUser(userId) <= levels.ofUser(target)) {
    throw forbidden(`You don't have permission to act on ${target}`);
  }
}
