// Sending events and state, reading them back.
import { z } from "zod";
import { type EventDraft, requireJoined } from "../rooms/authorisation.ts";
import type { Requester } from "../http/authentication.ts";
import type { RoomEvent } from "../rooms/event.ts";
import { toClientEvent } from "../rooms/event.ts";
import type { JsonObject } from "../http/json.ts";
import { parseJson } from "../http/json.ts";
import { badJson, invalidParam, notFound } from "../http/matrix-error.ts";
import type { Room } from "../rooms/room.ts";
import type { Call, Router } from "../http/router.ts";
import type { World } from "../world.ts";
import { numberParam, parseBody, positionOf, roomOf, tokenAt } from "../world.ts";

const strings = z.array(z.string()).optional();

const eventFilterSchema = z.object({
  types: strings,
  not_types: strings,
  senders: strings,
  not_senders: strings,
});

const base = "/_matrix/client/v3/rooms/{roomId}";
/** MSC4354 */
const stickyParam = "org.matrix.msc4354.sticky_duration_ms";
const mostStickyMs = 3_600_000;

export function addEventRoutes(router: Router, world: World): void {
  // One transaction id of one device (or service) at one path is one event, however
  // often it is sent.
  const sent = new Map<string, RoomEvent>();

  router.on("PUT", `${base}/send/{type}/{txnId}`, (call, requester) => {
    const key = JSON.stringify([requester.key, call.path]);
    const room = roomOf(world, call.param("roomId"));
    const draft = { type: call.param("type"), sender: requester.account.userId, content: call.body };
    const delayed = sent.has(key) ? undefined : delay(world, call, room, draft);
    if (delayed) return delayed;
    const event = sent.get(key) ?? send(world, call, room, draft, requester);
    sent.set(key, event);
    return { event_id: event.eventId };
  });

  for (const path of [`${base}/state/{type}`, `${base}/state/{type}/{stateKey}`]) {
    router.on("PUT", path, (call, requester) => {
      const room = roomOf(world, call.param("roomId"));
      const draft = {
        type: call.param("type"),
        sender: requester.account.userId,
        stateKey: call.param("stateKey"),
        content: call.body,
      };
      const delayed = delay(world, call, room, draft);
      if (delayed) return delayed;
      const event = world.rooms.send(room, draft, { originServerTs: massagedTimestamp(call, requester) });
      return { event_id: event.eventId };
    });

    router.on("GET", path, (call, { account }) => {
      const room = readableRoom(world, call, account.userId);
      const event = room.state(call.param("type"), call.param("stateKey"));
      if (!event) throw notFound("Event not found.");
      return call.query.get("format") === "event" ? toClientEvent(event, world.now()) : event.content;
    });
  }

  router.on("GET", `${base}/state`, (call, { account }) => {
    const room = readableRoom(world, call, account.userId);
    return room.allState().map((event) => toClientEvent(event, world.now()));
  });

  router.on("GET", `${base}/members`, (call, { account }) => {
    const room = readableRoom(world, call, account.userId);
    const wanted = call.query.get("membership");
    const unwanted = call.query.get("not_membership");
    const chunk = room
      .allState()
      .filter(({ type }) => type === "m.room.member")
      .filter(({ content }) => wanted === null || content["membership"] === wanted)
      .filter(({ content }) => unwanted === null || content["membership"] !== unwanted)
      .map((event) => toClientEvent(event, world.now()));
    return { chunk };
  });

  router.on("GET", `${base}/event/{eventId}`, (call, { account, key }) => {
    const room = readableRoom(world, call, account.userId);
    const event = room.timeline.find(({ eventId }) => eventId === call.param("eventId"));
    if (!event || !room.isVisible(event, account.userId)) throw notFound("Event not found.");
    return toClientEvent(event, world.now(), key);
  });

  router.on("GET", `${base}/messages`, (call, requester) => messages(world, call, requester));
}

/** MSC4140; undefined where the event is to be sent now. */
function delay(world: World, call: Call, room: Room, draft: EventDraft): { delay_id: string } | undefined {
  if (!call.query.has("org.matrix.msc4140.delay")) return undefined;
  requireJoined(room, draft.sender);
  const delayMs = numberParam(call.query, "org.matrix.msc4140.delay", 0);
  return { delay_id: world.delayedEvents.add(room, draft, delayMs, stickyMsOf(world, call)) };
}

/** Undefined: it does not stick. */
function stickyMsOf({ takesSticky }: World, { query }: Call): number | undefined {
  return takesSticky && query.has(stickyParam) ? Math.min(numberParam(query, stickyParam, 0), mostStickyMs) : undefined;
}

function send(world: World, call: Call, room: Room, draft: EventDraft, requester: Requester): RoomEvent {
  return world.rooms.send(room, draft, {
    originServerTs: massagedTimestamp(call, requester),
    transaction: { requesterKey: requester.key, txnId: call.param("txnId") },
    stickyMs: stickyMsOf(world, call),
  });
}

/** Application-service API "Timestamp massaging". */
function massagedTimestamp(call: Call, { appservice }: Requester): number | undefined {
  return appservice && call.query.has("ts") ? numberParam(call.query, "ts", 0) : undefined;
}

/** The room, if the user is or was in it; who was only invited reads nothing. */
function readableRoom(world: World, call: Call, userId: string): Room {
  const room = roomOf(world, call.param("roomId"));
  if (room.membership(userId) === "leave" && wasJoined(room, userId)) return room;
  requireJoined(room, userId);
  return room;
}

const wasJoined = (room: Room, userId: string) =>
  room.timeline.some(
    ({ type, stateKey, content }) =>
      type === "m.room.member" && stateKey === userId && content["membership"] === "join",
  );

// A token names the place after the event of that position. Backwards from it means that
// event and older ones, forwards means newer ones.
function messages(world: World, call: Call, { account, key }: Requester) {
  const room = readableRoom(world, call, account.userId);
  const backwards = directionOf(call.query) === "b";
  const from = positionParam(call.query, "from") ?? (backwards ? world.stream.position : 0);
  const to = positionParam(call.query, "to");
  const limit = Math.min(Math.max(numberParam(call.query, "limit", 10), 1), 1000);
  const passes = filterOf(call.query);
  const candidates = room.timeline.filter(({ position }) =>
    backwards
      ? position <= from && (to === undefined || position > to)
      : position > from && (to === undefined || position <= to),
  );
  if (backwards) candidates.reverse();
  const visible = candidates.filter((event) => room.isVisible(event, account.userId)).filter(passes);
  const page = visible.slice(0, limit);
  const last = page.at(-1);
  const hasMore = visible.length > page.length;
  return {
    start: tokenAt(from),
    ...(hasMore && last && { end: tokenAt(backwards ? last.position - 1 : last.position) }),
    chunk: page.map((event) => toClientEvent(event, world.now(), key)),
  };
}

function directionOf(query: URLSearchParams): "b" | "f" {
  const direction = query.get("dir") ?? "f";
  if (direction !== "b" && direction !== "f") throw invalidParam("dir must be b or f");
  return direction;
}

function positionParam(query: URLSearchParams, name: string): number | undefined {
  const token = query.get(name);
  return token === null || token === "" ? undefined : positionOf(token);
}

function filterOf(query: URLSearchParams): (event: RoomEvent) => boolean {
  const text = query.get("filter");
  if (text === null) return () => true;
  const json = parseJson(text);
  if (json === undefined) throw badJson("filter is not JSON");
  const filter = parseBody(eventFilterSchema, json as JsonObject);
  return ({ type, sender }) =>
    (filter.types?.includes(type) ?? true) &&
    !filter.not_types?.includes(type) &&
    (filter.senders?.includes(sender) ?? true) &&
    !filter.not_senders?.includes(sender);
}
