// What clients ask for at start and in passing: versions, capabilities, push rules, TURN,
// device keys (there are none here), a place for files (they are not kept), typing, receipts, presence.
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { requireJoined } from "../rooms/authorisation.ts";
import { forbidden } from "../http/matrix-error.ts";
import { pushRulesOf } from "../sync/push-rules.ts";
import { roomVersion } from "../rooms/room-creation.ts";
import type { Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { parseBody, roomOf } from "../world.ts";

const base = "/_matrix/client/v3";
const versions = Array.from({ length: 11 }, (_, index) => `v1.${index + 1}`);
const maxTypingMs = 60_000;

export function addExtraRoutes(router: Router, world: World): void {
  router.onOpen("GET", "/_matrix/client/versions", () => ({
    versions,
    unstable_features: {
      "org.matrix.msc4140": world.delayedEvents.areAllowed,
      "org.matrix.msc4354": world.takesSticky,
    },
  }));

  router.on("GET", `${base}/capabilities`, () => ({
    capabilities: {
      "m.room_versions": { default: roomVersion, available: { [roomVersion]: "stable" } },
      "m.change_password": { enabled: false },
      "m.set_displayname": { enabled: true },
      "m.set_avatar_url": { enabled: true },
      "m.3pid_changes": { enabled: false },
    },
  }));

  router.on("GET", `${base}/voip/turnServer`, () => ({}));

  for (const path of [`${base}/pushrules`, `${base}/pushrules/`]) {
    router.on("GET", path, (_call, { account }) => ({ global: pushRulesOf(account.userId) }));
  }

  const { domain } = world.accounts;
  router.on("POST", "/_matrix/media/v3/upload", () => ({ content_uri: `mxc://${domain}/${randomUUID()}` }));

  addKeyRoutes(router, world);
  addEphemeralRoutes(router, world);
}

// No device has keys, so that clients make plain rooms.
function addKeyRoutes(router: Router, { accounts }: World): void {
  const query = z.object({ device_keys: z.record(z.string(), z.array(z.string())).default({}) });

  router.on("POST", `${base}/keys/query`, (call) => {
    const asked = Object.keys(parseBody(query, call.body).device_keys);
    return {
      device_keys: Object.fromEntries(asked.filter((id) => accounts.isLocal(id)).map((id) => [id, {}])),
      failures: {},
      master_keys: {},
      self_signing_keys: {},
      user_signing_keys: {},
    };
  });
  router.on("POST", `${base}/keys/upload`, () => ({ one_time_key_counts: {} }));
  router.on("POST", `${base}/keys/claim`, () => ({ one_time_keys: {}, failures: {} }));
}

function addEphemeralRoutes(router: Router, world: World): void {
  const { stream, now, pusher } = world;
  const room = `${base}/rooms/{roomId}`;

  router.on("PUT", `${room}/typing/{userId}`, (call, { account }) => {
    const { typing, timeout } = parseBody(
      z.object({ typing: z.boolean(), timeout: z.number().min(0).default(maxTypingMs) }),
      call.body,
    );
    if (call.param("userId") !== account.userId) throw forbidden("Cannot type for another user");
    const where = roomOf(world, call.param("roomId"));
    requireJoined(where, account.userId);
    if (typing) where.typing.set(account.userId, now() + Math.min(timeout, maxTypingMs));
    else where.typing.delete(account.userId);
    where.typingPosition = stream.advance();
    const content = { user_ids: [...where.typing.keys()] };
    pusher.noticeEphemeral({ type: "m.typing", room_id: where.roomId, content }, where);
    return {};
  });

  const receive = (roomId: string, userId: string, eventId: string) => {
    const where = roomOf(world, roomId);
    requireJoined(where, userId);
    const ts = now();
    where.receipts.set(userId, { eventId, ts, position: stream.advance() });
    const content = { [eventId]: { "m.read": { [userId]: { ts } } } };
    pusher.noticeEphemeral({ type: "m.receipt", room_id: roomId, content }, where);
  };

  router.on("POST", `${room}/receipt/{type}/{eventId}`, (call, { account }) => {
    if (call.param("type") === "m.read") {
      receive(call.param("roomId"), account.userId, call.param("eventId"));
    }
    return {};
  });

  router.on("POST", `${room}/read_markers`, (call, { account }) => {
    const marker = parseBody(z.object({ "m.read": z.string().optional() }), call.body)["m.read"];
    if (marker !== undefined) receive(call.param("roomId"), account.userId, marker);
    return {};
  });

  router.on("PUT", `${base}/presence/{userId}/status`, () => ({}));
  router.on("GET", `${base}/presence/{userId}/status`, () => ({ presence: "online" }));
}
