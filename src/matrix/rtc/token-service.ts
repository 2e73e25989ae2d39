// A token for a media server. Three doors: `/sfu/get` of the token service names us as memberships in state are named. Sticky ones
// are named by the homeserver itself (MSC4195), where it says that it does that, else by `/get_token` of the token service. To the
// service our homeserver says who we are (OpenID).
import { z } from "zod";
import type { DeviceId, RoomId, UserId } from "../../core/ids.ts";
import type { Admission } from "../../ports/conference.ts";
import { MediaError } from "../../ports/media.ts";
import type { HomeserverClient, Patience } from "../client/homeserver-client.ts";
import type { AskOutside, OutsideAnswer } from "../http/outside.ts";
import { failureOf } from "../client/request-failure.ts";
import { identityOf, roomSlot } from "../wire/rtc-names.ts";

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
  /** The media server of this service, if the homeserver gives tokens for it. */
  readonly atHomeserver?: string | undefined;
}

/** Media waits for it; the one who waits tries again. */
const patience: Patience = { again: "repeatable", giveUpAfterMs: 5_000 };
const askMs = 5_000;
const mostTokenLength = 16_384;
const getTokenDoor = "/get_token";
/** How homeservers say that they do not know an endpoint. */
const unknownDoors: ReadonlySet<string> = new Set(["M_UNRECOGNIZED", "M_NOT_FOUND"]);

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
    memberId === undefined ? await bySfuGet(applicant, parts) : await byMemberId(applicant, memberId, parts);
  const parsed = answerForm.safeParse(answer);
  if (!parsed.success) throw refusal(service, "its answer makes no sense");
  const { url, jwt } = parsed.data;
  const identity = identityOf(user, device, memberId);
  const named = claimsIn(jwt)?.sub;
  // Clients look for us under the name that follows from our membership, and would not hear whoever has another one.
  if (named !== identity) throw refusal(service, `it names us "${String(named)}" and not "${identity}"`);
  return { url, token: jwt };
}

async function bySfuGet({ user, device, room, service }: Applicant, parts: TokenServiceParts): Promise<unknown> {
  const openid_token = await openIdToken(user, parts);
  return answered(service, await asked(service, "/sfu/get", { room, openid_token, device_id: device }, parts));
}

async function byMemberId(applicant: Applicant, id: string, parts: TokenServiceParts): Promise<unknown> {
  const { atHomeserver } = applicant;
  const answer = atHomeserver && (await byHomeserver(applicant, id, atHomeserver, parts));
  return answer ?? byGetToken(applicant, id, parts);
}

/** undefined: it says where the media server is, and gives no tokens for it. */
async function byHomeserver(
  { user, device, room, service }: Applicant,
  id: string,
  url: string,
  { client }: TokenServiceParts,
): Promise<unknown> {
  const path = ["unstable", "io.element.msc4195", "rtc", "livekit", "get_token"];
  const body = { url, room_id: room, slot_id: roomSlot, member: { id, claimed_device_id: device } };
  try {
    const answer = await client.request(user, { method: "POST", path, body }, patience);
    return typeof answer === "object" && answer !== null ? { ...answer, url } : answer;
  } catch (cause) {
    const { code, message } = failureOf(cause).error;
    if (unknownDoors.has(code)) return undefined;
    throw refusal(service, `the homeserver, which gives them in its place, says: ${message}`, cause);
  }
}

async function byGetToken(
  { user, device, room, service }: Applicant,
  id: string,
  parts: TokenServiceParts,
): Promise<unknown> {
  const openid_token = await openIdToken(user, parts);
  const member = { id, claimed_user_id: user, claimed_device_id: device };
  const body = { room_id: room, slot_id: roomSlot, openid_token, member };
  return answered(service, await asked(service, getTokenDoor, body, parts));
}

/** Whether a token service names sticky memberships: it says that this is no request, or that there is no such door. */
export async function hasGetToken(
  service: string,
  { ask }: Pick<TokenServiceParts, "ask">,
): Promise<boolean | undefined> {
  try {
    const { status } = await ask({ method: "POST", url: service + getTokenDoor, body: {}, timeoutMs: askMs });
    return status < 500 ? status !== 404 && status !== 405 : undefined;
  } catch {
    return undefined;
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
