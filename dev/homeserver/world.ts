// What the routes work on, in one place, and the reading of bodies and queries they share.
import type { z } from "zod";
import type { Accounts } from "./accounts.ts";
import type { AppserviceConnection } from "./appservice/appservice-connection.ts";
import type { AppservicePusher } from "./appservice/appservice-pusher.ts";
import type { JsonObject } from "./http/json.ts";
import { badJson, invalidParam, notFound } from "./http/matrix-error.ts";
import type { DelayedEvents } from "./rooms/delayed-events.ts";
import type { Room } from "./rooms/room.ts";
import type { Rooms } from "./rooms/rooms.ts";
import type { Stream } from "./sync/stream.ts";
import type { ThirdPartyNetworks } from "./appservice/thirdparty.ts";

/** How the homeserver asks a token service in its users' names (MSC4512). */
export type TokenProxy = {
  /** The address of the media server, which clients are told. */
  readonly mediaServer: string;
  /** What the service knows the homeserver by. */
  readonly hsToken: string;
};

export type World = {
  readonly accounts: Accounts;
  readonly connections: readonly AppserviceConnection[];
  readonly now: () => number;
  readonly delayedEvents: DelayedEvents;
  /** Where clients get tokens for media servers (MSC4143). */
  readonly mediaServices: readonly string[];
  readonly tokenProxy: TokenProxy | undefined;
  readonly pusher: AppservicePusher;
  readonly rooms: Rooms;
  readonly stream: Stream;
  /** Refuses what today's user-id grammar does not know, `%` first of all. */
  readonly strictUserIds: boolean;
  /** Events may stick (MSC4354). */
  readonly takesSticky: boolean;
  readonly thirdParty: ThirdPartyNetworks;
};

/** Throws M_BAD_JSON with the path of what is wrong. */
export function parseBody<Schema extends z.ZodType>(schema: Schema, body: JsonObject): z.output<Schema> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw badJson(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "invalid"}`);
}

/** A whole number from the query, `fallback` where it is missing. Throws M_INVALID_PARAM. */
export function numberParam(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,15}$/.test(text)) throw invalidParam(`Query parameter ${name} must be a number`);
  return Number(text);
}

/** A stream position out of a token that this server gave. Throws M_INVALID_PARAM. */
export function positionOf(token: string): number {
  const position = /^s(\d{1,15})$/.exec(token)?.[1];
  if (position === undefined) throw invalidParam("Invalid stream token");
  return Number(position);
}

export const tokenAt = (position: number) => `s${position}`;

export function roomOf(world: World, roomId: string): Room {
  const room = world.rooms.get(roomId);
  if (!room) throw notFound(`Unknown room ${roomId}`);
  return room;
}
