// Making rooms, and coming into and going out of them.
import { z } from "zod";
import { requireJoined } from "../rooms/authorisation.ts";
import { forbidden, notFound } from "../http/matrix-error.ts";
import { createRoom, roomRequestSchema } from "../rooms/room-creation.ts";
import type { Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { parseBody, roomOf } from "../world.ts";

const targetSchema = z.object({ user_id: z.string(), reason: z.string().optional() });
const reasonSchema = z.object({ reason: z.string().optional() });

export function addMembershipRoutes(router: Router, world: World): void {
  const { accounts, rooms } = world;
  const base = "/_matrix/client/v3/rooms/{roomId}";

  router.on("POST", "/_matrix/client/v3/createRoom", (call, { account }) => {
    const request = parseBody(roomRequestSchema, call.body);
    return { room_id: createRoom(rooms, account, request).roomId };
  });

  for (const path of [`${base}/join`, "/_matrix/client/v3/join/{roomId}"]) {
    router.on("POST", path, (call, { account }) => {
      const room = roomOf(world, call.param("roomId"));
      rooms.join(room, account);
      return { room_id: room.roomId };
    });
  }

  router.on("POST", `${base}/leave`, (call, { account }) => {
    const { reason } = parseBody(reasonSchema, call.body);
    const room = roomOf(world, call.param("roomId"));
    // Leaving twice is no error.
    if (room.membership(account.userId) === "leave") return {};
    rooms.remove(room, account.userId, account.userId, reason);
    return {};
  });

  router.on("POST", `${base}/forget`, (call, { account }) => {
    const room = roomOf(world, call.param("roomId"));
    if (room.membership(account.userId) === "join") {
      throw forbidden(`User ${account.userId} is in room ${room.roomId}`);
    }
    return {};
  });

  router.on("POST", `${base}/invite`, (call, { account }) => {
    const { user_id, reason } = parseBody(targetSchema, call.body);
    const room = roomOf(world, call.param("roomId"));
    rooms.invite(room, account.userId, user_id, reason === undefined ? {} : { reason });
    return {};
  });

  for (const action of ["kick", "unban"] as const) {
    router.on("POST", `${base}/${action}`, (call, { account }) => {
      const { user_id, reason } = parseBody(targetSchema, call.body);
      const room = roomOf(world, call.param("roomId"));
      const needed = action === "kick" ? ["join", "invite", "knock"] : ["ban"];
      if (!needed.includes(room.membership(user_id) ?? "")) {
        throw forbidden(`The target user is not ${action === "kick" ? "in the room" : "banned"}`);
      }
      rooms.remove(room, account.userId, user_id, reason);
      return {};
    });
  }

  router.on("POST", `${base}/ban`, (call, { account }) => {
    const { user_id, reason } = parseBody(targetSchema, call.body);
    rooms.ban(roomOf(world, call.param("roomId")), account.userId, user_id, reason);
    return {};
  });

  router.on("GET", "/_matrix/client/v3/joined_rooms", (_call, { account }) => ({
    joined_rooms: rooms
      .ofUser(account.userId)
      .filter((room) => room.membership(account.userId) === "join")
      .map(({ roomId }) => roomId),
  }));

  router.on("GET", `${base}/joined_members`, (call, { account, appservice }) => {
    const room = roomOf(world, call.param("roomId"));
    // Like Synapse: an application service is told without being there where one of its users is.
    const hasOwn = appservice !== undefined && room.members("join").some((userId) => appservice.ownsUser(userId));
    if (!hasOwn) requireJoined(room, account.userId);
    const joined = room.members("join").map((userId) => {
      const member = accounts.find(userId);
      return [userId, { display_name: member?.displayname ?? null, avatar_url: member?.avatarUrl ?? null }];
    });
    return { joined: Object.fromEntries(joined) as object };
  });

  router.onOpen("GET", "/_matrix/client/v3/directory/room/{alias}", (call) => {
    throw notFound(`Room alias ${call.param("alias")} not found`);
  });
}
