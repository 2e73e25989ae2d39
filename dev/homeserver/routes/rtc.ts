// What calls of MatrixRTC need beside events: where the media server is (MSC4143), delayed events (MSC4140), tokens by which
// others learn who somebody is (OpenID), references to an event, taking an event back.
import { randomBytes } from "node:crypto";
import { forbidden, MatrixError, notFound } from "../http/matrix-error.ts";
import type { JsonObject } from "../http/json.ts";
import { tokenOf } from "../http/authentication.ts";
import { requireJoined } from "../rooms/authorisation.ts";
import { toClientEvent } from "../rooms/event.ts";
import type { Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { roomOf } from "../world.ts";

const client = "/_matrix/client";
const delayed = `${client}/unstable/org.matrix.msc4140/delayed_events`;
const tokens = `${client}/unstable/io.element.msc4195/rtc/livekit/get_token`;
const openIdSeconds = 3_600;
const proxyTimeoutMs = 5_000;

export function addRtcRoutes(router: Router, world: World): void {
  const { delayedEvents, mediaServices, tokenProxy } = world;

  router.on("GET", `${client}/unstable/org.matrix.msc4143/rtc/transports`, () => ({
    rtc_transports: mediaServices.map((livekit_service_url, index) => ({
      type: "livekit",
      livekit_service_url,
      ...(index === 0 && tokenProxy && { url: tokenProxy.mediaServer }),
    })),
  }));

  const [service] = mediaServices;
  if (tokenProxy !== undefined && service !== undefined) {
    router.on("POST", tokens, ({ body }, { account }) =>
      ask(service + tokens, account.userId, tokenProxy.hsToken, body),
    );
  }

  router.on("GET", delayed, (_call, { account }) => ({ delayed_events: delayedEvents.of(account.userId) }));
  for (const action of ["restart", "send", "cancel"] as const) {
    // Whoever has the id may do it: a media server does, when a participant is gone.
    router.onOpen("POST", `${delayed}/{delayId}/${action}`, (call) => {
      delayedEvents[action](call.param("delayId"));
      return {};
    });
  }

  addOpenIdRoutes(router, world);

  router.on("PUT", `${client}/v3/rooms/{roomId}/redact/{eventId}/{txnId}`, (call, { account }) => {
    const room = roomOf(world, call.param("roomId"));
    const redacts = call.param("eventId");
    const event = room.timeline.find(({ eventId }) => eventId === redacts);
    if (!event) throw notFound("Cannot find event to redact");
    if (event.sender !== account.userId) throw forbidden("You don't have permission to redact others' events");
    const content = { ...call.body, redacts };
    return { event_id: world.rooms.send(room, { type: "m.room.redaction", sender: account.userId, content }).eventId };
  });

  router.on("GET", `${client}/v1/rooms/{roomId}/relations/{eventId}/{relType}`, (call, { account }) => {
    const room = roomOf(world, call.param("roomId"));
    requireJoined(room, account.userId);
    const chunk = room.timeline
      .filter(({ content }) => {
        const relation = content["m.relates_to"] as { rel_type?: unknown; event_id?: unknown } | undefined;
        return relation?.rel_type === call.param("relType") && relation.event_id === call.param("eventId");
      })
      .toReversed()
      .map((event) => toClientEvent(event, world.now()));
    return { chunk };
  });
}

/** As Synapse asks an application service that has taken over a part of its API (MSC4512). */
async function ask(url: string, userId: string, hsToken: string, body: JsonObject): Promise<JsonObject> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: `Bearer ${hsToken}`,
      "content-type": "application/json",
      "x-matrix-user-identifier": userId,
    },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(proxyTimeoutMs),
  });
  const answer = (await response.json()) as JsonObject;
  if (response.ok) return answer;
  throw new MatrixError(response.status, String(answer["errcode"]), String(answer["error"]));
}

function addOpenIdRoutes(router: Router, { accounts, now }: World): void {
  const tokens = new Map<string, { readonly sub: string; readonly untilMs: number }>();

  router.on("POST", `${client}/v3/user/{userId}/openid/request_token`, (call, { account }) => {
    if (call.param("userId") !== account.userId) throw forbidden("Cannot request tokens for other users.");
    const access_token = randomBytes(18).toString("base64url");
    tokens.set(access_token, { sub: account.userId, untilMs: now() + openIdSeconds * 1_000 });
    return { access_token, token_type: "Bearer", matrix_server_name: accounts.domain, expires_in: openIdSeconds };
  });

  router.onOpen("GET", "/_matrix/federation/v1/openid/userinfo", (call) => {
    const token = tokens.get(tokenOf(undefined, call.query) ?? "");
    if (!token || token.untilMs < now())
      throw new MatrixError(401, "M_UNKNOWN_TOKEN", "Access Token unknown or expired");
    return { sub: token.sub };
  });
}
