// A token for a media server: our homeserver says who we are (OpenID), the token service believes it and answers with an
// address and a JWT. Three doors, tried in this order as far as they fit our membership: `/sfu/get` (lk-jwt-service, names us
// as state memberships are named), `/get_token` (MSC4195, names us as sticky ones are), the homeserver itself (MSC4512).
import { z } from "zod";
import type { DeviceId, RoomId, UserId } from "../../core/ids.ts";
import type { Admission } from "../../ports/conference.ts";
import { MediaError } from "../../ports/media.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import type { AskOutside, OutsideAnswer } from "../client/outside.ts";
import { failureOf } from "../client/request-failure.ts";
import { roomSlot, stateIdentity, stickyIdentity } from "../wire/rtc-names.ts";

export interface TokenServiceParts {
  readonly client: HomeserverClient;
  readonly ask: AskOutside;
}

export interface Applicant {
  readonly user: UserId;
  readonly device: DeviceId;
  readonly room: RoomId;
  readonly service: string;
  /** Of a sticky membership; undefined: ours is in state. */
  readonly memberId?: string | undefined;
}

/** Media waits for it; the one who waits tries again. */
const patience: Patience = { again: "repeatable", giveUpAfterMs: 5_000 };
const askMs = 5_000;
const mostTokenLength = 16_384;

const answerForm = z.object({
  url: z.string().regex(/^(wss?|https?):\/\/[\x21-\x7e]{1,2000}$/),
  jwt: z.string().min(1).max(mostTokenLength),
});
const claimsForm = z.object({ sub: z.string(), video: z.object({ room: z.string() }).partial().optional() });
const failureForm = z.object({ error: z.string() });

/** Asks each time anew. Throws MediaError `engine`, with words for whoever runs the servers. */
export async function askForToken(applicant: Applicant, parts: TokenServiceParts): Promise<Admission> {
  const { user, device, memberId, service } = applicant;
  const answer =
    memberId === undefined ? await bySfuGet(applicant, parts) : await byGetToken(applicant, memberId, parts);
  const parsed = answerForm.safeParse(answer);
  if (!parsed.success) throw refusal(service, "its answer makes no sense");
  const { url, jwt } = parsed.data;
  const identity = memberId === undefined ? stateIdentity(user, device) : stickyIdentity(user, device, memberId);
  const named = claimsIn(jwt)?.sub;
  // Clients look for us under the name that follows from our membership, and would not hear whoever has another one.
  if (named !== identity) throw refusal(service, `it names us "${String(named)}" and not "${identity}"`);
  return { url, token: jwt };
}

async function bySfuGet({ user, device, room, service }: Applicant, parts: TokenServiceParts): Promise<unknown> {
  const openid_token = await openIdToken(user, parts);
  return answered(service, await asked(service, "/sfu/get", { room, openid_token, device_id: device }, parts));
}

async function byGetToken(
  { user, device, room, service }: Applicant,
  id: string,
  parts: TokenServiceParts,
): Promise<unknown> {
  const member = { id, claimed_user_id: user, claimed_device_id: device };
  const common = { room_id: room, slot_id: roomSlot, member };
  const openid_token = await openIdToken(user, parts);
  const answer = await asked(service, "/get_token", { ...common, openid_token }, parts);
  if (!isUnknownDoor(answer)) return answered(service, answer);
  try {
    const path = ["unstable", "io.element.msc4195", "rtc", "livekit", "get_token"];
    return await parts.client.request(user, { method: "POST", path, body: common }, patience);
  } catch (cause) {
    throw refusal(service, failureOf(cause).error.message, cause);
  }
}

async function openIdToken(user: UserId, { client }: TokenServiceParts): Promise<unknown> {
  const path = ["v3", "user", user, "openid", "request_token"];
  try {
    return await client.request(user, { method: "POST", path, body: {} }, patience);
  } catch (cause) {
    const { code, message } = failureOf(cause).error;
    throw new MediaError("engine", `the homeserver gives no OpenID token (${code}: ${message})`, { cause });
  }
}

async function asked(service: string, door: string, body: unknown, { ask }: TokenServiceParts): Promise<OutsideAnswer> {
  try {
    return await ask({ method: "POST", url: service + door, body, timeoutMs: askMs });
  } catch (cause) {
    throw new MediaError("engine", `the token service ${service} cannot be reached`, { cause });
  }
}

function answered(service: string, { status, body }: OutsideAnswer): unknown {
  if (status === 200) return body;
  const words = failureForm.safeParse(body).data?.error.slice(0, 200) ?? `status ${status}`;
  if (status === 500 && /create room/i.test(words))
    throw new MediaError("engine", `the media server of ${service} is down (${words})`);
  if (status === 401 || status === 403)
    throw refusal(service, `it does not serve our homeserver, or cannot ask it who we are (${words})`);
  throw refusal(service, words);
}

function isUnknownDoor({ status }: OutsideAnswer): boolean {
  return status === 404 || status === 405;
}

function refusal(service: string, why: string, cause?: unknown): MediaError {
  return new MediaError("engine", `the token service ${service} gives no token: ${why}`, { cause });
}

function claimsIn(jwt: string): z.output<typeof claimsForm> | undefined {
  try {
    const [, payload = ""] = jwt.split(".");
    return claimsForm.safeParse(JSON.parse(Buffer.from(payload, "base64url").toString())).data;
  } catch {
    return undefined;
  }
}
