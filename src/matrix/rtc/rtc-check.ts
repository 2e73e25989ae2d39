// Looks once whether people will be able to call by MatrixRTC: each link between the homeserver and its media server that can
// be missing, with what mends it.
import { deviceId, roomId, type UserId } from "../../core/ids.ts";
import type { Admission } from "../../ports/conference.ts";
import { HomeserverError, type HomeserverProblem } from "../../ports/homeserver.ts";
import { MediaError } from "../../ports/media.ts";
import type { Features } from "../client/features.ts";
import { failureOf } from "../client/request-failure.ts";
import type { MediaServices } from "./media-services.ts";
import { askForToken, type TokenServiceParts } from "./token-service.ts";

export interface RtcCheckParts extends TokenServiceParts {
  readonly services: Pick<MediaServices, "own">;
  readonly features: Pick<Features, "has">;
  readonly bot: UserId;
  readonly domain: string;
}

const lines = {
  service:
    "the token service of MatrixRTC does not answer: check matrix_rtc.transports of the homeserver, or rtc.livekit_service_url",
  token:
    "the token service of MatrixRTC gives the bridge no token: it must serve this homeserver, and reach its federation API to learn who asks (listener resource openid)",
  rooms:
    "the media server makes no rooms for this homeserver: name it in LIVEKIT_FULL_ACCESS_HOMESERVERS of the token service",
  server: "the media server of MatrixRTC does not answer at the address that the token service names",
  delays:
    "the homeserver delays no events (MSC4140): if the bridge dies, people stay in their calls of MatrixRTC for hours; on Synapse set max_event_delay_duration: 24h",
} as const;

const askMs = 5_000;

/** Nothing where the homeserver has no media server, and so no such calls. Never rejects. */
export async function checkRtc(parts: RtcCheckParts): Promise<readonly HomeserverProblem[]> {
  let service: string;
  try {
    service = await parts.services.own();
  } catch (error) {
    if (error instanceof HomeserverError) return [];
    throw error;
  }
  const [link, delays] = await Promise.all([mediaProblem(service, parts), delayProblem(parts)]);
  return [link, delays].flatMap((problem) => problem ?? []);
}

/** The first link that is missing on the way to the media server. */
async function mediaProblem(service: string, parts: RtcCheckParts): Promise<HomeserverProblem | undefined> {
  const { ask, bot: user, domain } = parts;
  const health = await statusOf(ask({ method: "GET", url: `${service}/healthz`, timeoutMs: askMs }));
  if (health !== 200) return { line: lines.service, reason: `${service}/healthz: ${health}` };
  let admission: Admission;
  try {
    const room = roomId(`!check:${domain}`);
    admission = await askForToken({ user, device: deviceId("SIPCHECK"), room, service }, parts);
  } catch (error) {
    if (!(error instanceof MediaError)) throw error;
    return { line: lines.token, reason: error.message };
  }
  const server = admission.url.replace(/^ws/, "http").replace(/\/+$/, "");
  // LiveKit says there what the WebSocket would be answered.
  const url = `${server}/rtc/validate?access_token=${encodeURIComponent(admission.token)}`;
  const answer = await statusOf(ask({ method: "GET", url, timeoutMs: askMs }));
  if (answer === 200) return undefined;
  return { line: answer === 404 ? lines.rooms : lines.server, reason: `${server}: ${answer}` };
}

async function delayProblem({ features }: RtcCheckParts): Promise<HomeserverProblem | undefined> {
  // That the homeserver is away is said elsewhere.
  return (await features.has("org.matrix.msc4140")) === false ? { line: lines.delays, reason: "/versions" } : undefined;
}

async function statusOf(asked: Promise<{ readonly status: number }>): Promise<number | string> {
  try {
    return (await asked).status;
  } catch (cause) {
    return failureOf(cause).error.message;
  }
}
