// POST /createRoom: the presets and the order in which a room's first events come
// (client-server API "Creation").
import { z } from "zod";
import type { Account } from "../accounts.ts";
import { isJsonObject } from "../http/json.ts";
import { MatrixError } from "../http/matrix-error.ts";
import type { Room } from "./room.ts";
import type { Rooms } from "./rooms.ts";
import { profileOf } from "./rooms.ts";

export const roomVersion = "11";

const object = z.record(z.string(), z.unknown());

export const roomRequestSchema = z.object({
  preset: z.enum(["private_chat", "trusted_private_chat", "public_chat"]).optional(),
  visibility: z.enum(["public", "private"]).default("private"),
  room_alias_name: z.string().optional(),
  room_version: z.string().optional(),
  name: z.string().optional(),
  topic: z.string().optional(),
  invite: z.array(z.string()).default([]),
  is_direct: z.boolean().default(false),
  creation_content: object.default({}),
  initial_state: z
    .array(z.object({ type: z.string(), state_key: z.string().default(""), content: object }))
    .default([]),
  power_level_content_override: object.default({}),
});

export type RoomRequest = z.output<typeof roomRequestSchema>;

const presets = {
  private_chat: { joinRule: "invite", guestAccess: "can_join" },
  trusted_private_chat: { joinRule: "invite", guestAccess: "can_join" },
  public_chat: { joinRule: "public", guestAccess: "forbidden" },
} as const;

/** Throws MatrixError; a refused invite leaves the room as it is by then, as elsewhere. */
export function createRoom(rooms: Rooms, creator: Account, request: RoomRequest): Room {
  if (request.room_alias_name !== undefined) {
    throw new MatrixError(400, "M_UNKNOWN", "This server has no room aliases");
  }
  if (request.room_version !== undefined && request.room_version !== roomVersion) {
    throw new MatrixError(400, "M_UNSUPPORTED_ROOM_VERSION", `Only version ${roomVersion} is made`);
  }
  const preset = request.preset ?? (request.visibility === "public" ? "public_chat" : "private_chat");
  const { joinRule, guestAccess } = presets[preset];
  const sender = creator.userId;
  const room = rooms.add();
  const put = (type: string, content: object, stateKey = "") =>
    rooms.send(room, { type, sender, stateKey, content: { ...content } });

  rooms.sendUnchecked(room, {
    type: "m.room.create",
    sender,
    stateKey: "",
    content: { ...request.creation_content, room_version: roomVersion },
  });
  rooms.sendUnchecked(room, {
    type: "m.room.member",
    sender,
    stateKey: sender,
    content: { membership: "join", ...profileOf(creator) },
  });
  put("m.room.power_levels", powerLevels(preset, sender, request));
  const given = new Set(request.initial_state.map(({ type, state_key }) => (state_key === "" ? type : "")));
  if (!given.has("m.room.join_rules")) put("m.room.join_rules", { join_rule: joinRule });
  if (!given.has("m.room.history_visibility")) {
    put("m.room.history_visibility", { history_visibility: "shared" });
  }
  if (!given.has("m.room.guest_access")) put("m.room.guest_access", { guest_access: guestAccess });
  for (const { type, state_key, content } of request.initial_state) put(type, content, state_key);
  if (request.name !== undefined) put("m.room.name", { name: request.name });
  if (request.topic !== undefined) put("m.room.topic", { topic: request.topic });
  for (const userId of request.invite) {
    rooms.invite(room, sender, userId, request.is_direct ? { is_direct: true } : {});
  }
  return room;
}

// The levels are Synapse's. An override replaces whole keys: its `events` is all there is.
function powerLevels(preset: keyof typeof presets, creatorId: string, request: RoomRequest) {
  const trusted = preset === "trusted_private_chat" ? request.invite : [];
  return {
    users: Object.fromEntries([creatorId, ...trusted].map((userId) => [userId, 100])),
    users_default: 0,
    events: {
      "m.room.name": 50,
      "m.room.power_levels": 100,
      "m.room.history_visibility": 100,
      "m.room.canonical_alias": 50,
      "m.room.avatar": 50,
      "m.room.tombstone": 100,
      "m.room.server_acl": 100,
      "m.room.encryption": 100,
      ...(preset === "public_chat" && { "m.call.invite": 50 }),
    },
    events_default: 0,
    state_default: 50,
    ban: 50,
    kick: 50,
    redact: 50,
    invite: preset === "public_chat" ? 50 : 0,
    historical: 100,
    ...(isJsonObject(request.power_level_content_override) && request.power_level_content_override),
  };
}
