// What clients ask of the service, as lk-jwt-service reads it: an unknown field is as wrong as no JSON at all.
import { createHash } from "node:crypto";
import { z } from "zod";

/** Answered as the client-server API answers errors. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  readonly status: number;
  readonly errcode: string;

  constructor(status: number, errcode: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.errcode = errcode;
  }
}

/** A delayed event that a homeserver sends when nobody has restarted it for `timeoutMs` (MSC4140). */
export interface DelayedLeave {
  readonly id: string;
  readonly timeoutMs: number;
}

export interface TokenRequest {
  readonly openId: { readonly token: string; readonly server: string };
  /** The user that the token must belong to, where the request says. */
  readonly claimedUserId: string | undefined;
  /** The conference's name at the media server. */
  readonly room: string;
  /** The name of one of the user's devices at the media server. */
  identityOf(userId: string): string;
  readonly leave: DelayedLeave | undefined;
}

/** Asked by a homeserver in the name of one of its users (MSC4195), who has nothing to prove. */
export interface ProxiedRequest {
  readonly url: string;
  readonly room: string;
  identityOf(userId: string): string;
}

export type Endpoint = "/sfu/get" | "/get_token" | "/delegate_delayed_leave";

const text = z.string().default("");
const openIdToken = z
  .strictObject({ access_token: text, token_type: text, matrix_server_name: text, expires_in: z.number().default(0) })
  .prefault({});
const delay = { delay_id: text, delay_timeout: z.number().int().default(0), delay_cs_api_url: text };
const bySlot = z.strictObject({
  room_id: text,
  slot_id: text,
  openid_token: openIdToken,
  member: z.strictObject({ id: text, claimed_user_id: text, claimed_device_id: text }).prefault({}),
  ...delay,
});
const byHomeserver = z.object({
  url: text,
  room_id: text,
  slot_id: text,
  member: z.object({ id: text, claimed_device_id: text }).prefault({}),
});
const byRoom = z.strictObject({ room: text, openid_token: openIdToken, device_id: text, ...delay });

/** The slot of a room's one call. */
const roomCall = "m.call#ROOM";

/** Unpadded base64 of the SHA-256 of a JSON array (MSC4195). */
const digest = (...parts: readonly string[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("base64").replace(/=+$/, "");

/** @throws {TokenError} */
export function readRequest(endpoint: Endpoint, body: string): TokenRequest {
  const request = endpoint === "/sfu/get" ? readByRoom(parse(byRoom, body)) : readBySlot(parse(bySlot, body));
  if (request.openId.token === "" || request.openId.server === "") throw missing("openid_token");
  if (endpoint === "/delegate_delayed_leave" && request.leave === undefined) throw missing("delay_id or delay_timeout");
  return request;
}

/** @throws {TokenError} */
export function readProxied(body: string): ProxiedRequest {
  const { url, room_id: roomId, slot_id: slotId, member } = parse(byHomeserver, body);
  if (url === "" || roomId === "" || slotId === "") throw missing("url, room_id or slot_id");
  if (Object.values(member).includes("")) throw missing("member.id or claimed_device_id");
  return {
    url,
    room: digest(roomId, slotId),
    identityOf: (userId) => digest(userId, member.claimed_device_id, member.id),
  };
}

function readByRoom(asked: z.infer<typeof byRoom>): TokenRequest {
  if (asked.room === "") throw missing("room");
  return {
    openId: openIdOf(asked),
    claimedUserId: undefined,
    room: digest(asked.room, roomCall),
    identityOf: (userId) => `${userId}:${asked.device_id}`,
    leave: leaveOf(asked),
  };
}

function readBySlot(asked: z.infer<typeof bySlot>): TokenRequest {
  const { room_id: roomId, slot_id: slotId, member } = asked;
  if (roomId === "" || slotId === "") throw missing("room_id or slot_id");
  if (Object.values(member).includes("")) throw missing("member.id, claimed_user_id or claimed_device_id");
  return {
    openId: openIdOf(asked),
    claimedUserId: member.claimed_user_id,
    room: digest(roomId, slotId),
    identityOf: (userId) => digest(userId, member.claimed_device_id, member.id),
    leave: leaveOf(asked),
  };
}

function parse<Shape extends z.ZodType>(shape: Shape, body: string): z.infer<Shape> {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch (cause) {
    throw unreadable(cause);
  }
  const read = shape.safeParse(json);
  if (!read.success) throw unreadable(read.error);
  return read.data;
}

const openIdOf = ({
  openid_token: { access_token: token, matrix_server_name: server },
}: Pick<z.infer<typeof byRoom>, "openid_token">) => ({ token, server });

function leaveOf({
  delay_id: id,
  delay_timeout: timeoutMs,
}: Pick<z.infer<typeof byRoom>, "delay_id" | "delay_timeout">) {
  if (id === "" && timeoutMs <= 0) return undefined;
  if (id === "" || timeoutMs <= 0) throw missing("delay_id or delay_timeout");
  return { id, timeoutMs };
}

const unreadable = (cause: unknown) => new TokenError(400, "M_NOT_JSON", "Error reading request", { cause });
const missing = (what: string) => new TokenError(400, "M_BAD_JSON", `The request body is missing ${what}`);
