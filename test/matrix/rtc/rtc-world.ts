// The edge against the small homeserver and a token service that asks it who somebody is, with Alice in a room with a number.
import { createServer } from "node:http";
import { onTestFinished } from "vitest";
import { freePort } from "../../../dev/loopback/free-ports.ts";
import { type ClientEvent, type Homeserver, startHomeserver } from "../../../dev/homeserver/homeserver.ts";
import { listen } from "../../../dev/loopback/listen.ts";
import { type RoomId, roomId, type UserId } from "../../../src/core/ids.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { domain, type EdgeRig, registrationFor, type RigOptions, startEdge } from "../edge-rig.ts";

export const number = `@_sip_030901820:${domain}` as UserId;
export const memberType = "org.matrix.msc3401.call.member";
export const ringType = "org.matrix.msc4075.rtc.notification";
export const declineType = "org.matrix.msc4310.rtc.decline";
type Answer = { readonly status: number; readonly body: unknown };

/** As lk-jwt-service answers, and the media server where it is asked in HTTP; or as a test would have it. */
interface TokenService {
  readonly url: string;
  /** Where its tokens are good. */
  readonly mediaServer: string;
  readonly requests: { readonly path: string; readonly body: Record<string, unknown> }[];
  /** undefined: as real ones do. */
  answer: ((path: string, body: Record<string, unknown>) => Answer | undefined) | undefined;
}

function jwtFor(identity: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ sub: identity, video: { room: "slot" } })}.signature`;
}

async function startTokenService(homeserver: () => string): Promise<TokenService> {
  const requests: TokenService["requests"] = [];
  const ofRealOne = async (path: string, body: Record<string, unknown>): Promise<Answer> => {
    if (path === "/healthz" || path.startsWith("/rtc/validate?")) return { status: 200, body: {} };
    const { access_token } = body["openid_token"] as { access_token: string };
    const asked = await fetch(`${homeserver()}/_matrix/federation/v1/openid/userinfo?access_token=${access_token}`);
    const { sub } = (await asked.json()) as { sub?: string };
    if (sub === undefined)
      return { status: 401, body: { errcode: "M_UNAUTHORIZED", error: "The request could not be authorised." } };
    return { status: 200, body: { url: service.mediaServer, jwt: jwtFor(`${sub}:${String(body["device_id"])}`) } };
  };
  const server = createServer((request, response) => {
    let text = "";
    request.on("data", (chunk: Buffer) => (text += chunk.toString()));
    request.on("end", () => {
      void (async () => {
        const body = (text === "" ? {} : JSON.parse(text)) as Record<string, unknown>;
        const path = request.url ?? "";
        requests.push({ path, body });
        const { status, body: said } = service.answer?.(path, body) ?? (await ofRealOne(path, body));
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(said));
      })();
    });
  });
  const port = await listen(server);
  onTestFinished(() => void server.close());
  const address = `127.0.0.1:${port}`;
  const service: TokenService = {
    url: `http://${address}`,
    mediaServer: `ws://${address}`,
    requests,
    answer: undefined,
  };
  return service;
}

export interface RtcWorld {
  readonly server: Homeserver;
  readonly tokens: TokenService;
  readonly rig: EdgeRig;
  readonly clock: VirtualClock;
  readonly alice: UserId;
  readonly room: RoomId;
  ask(method: string, path: string, body?: unknown): Promise<Record<string, unknown>>;
  /** Alice's client comes into the call, or leaves it. Gives the event's id. */
  join(device?: string, services?: readonly string[]): Promise<string>;
  leave(device?: string): Promise<void>;
  /** Gives the event's id. */
  send(type: string, content: object): Promise<string>;
  /** What the number has in the call of the room: one for each device that it ever had. */
  memberships(): readonly ClientEvent[];
  /** What the number has said. */
  said(type: string): readonly ClientEvent[];
  /** The leaves that the homeserver would send for the number. */
  delayed(): Promise<readonly unknown[]>;
  /** Has the homeserver delay a leave of the number's in some other call. */
  delay(device: string): Promise<void>;
  /** Another edge, which knows nothing of what was. */
  restart(): Promise<EdgeRig>;
}

export interface RtcWorldOptions extends RigOptions {
  readonly maxEventDelayMs?: number;
  /** State that the room begins with. */
  readonly state?: readonly object[];
  /** What stands between the bridge and the homeserver, by its address. */
  readonly before?: (homeserver: string) => Promise<string>;
}

export async function startRtcWorld(options: RtcWorldOptions = {}): Promise<RtcWorld> {
  const port = await freePort();
  let url = "";
  const tokens = await startTokenService(() => url);
  const server = await startHomeserver({
    domain,
    registrations: [structuredClone(registrationFor(port)) as never],
    retryBaseMs: 10,
    mediaServices: [tokens.url],
    ...(options.maxEventDelayMs === undefined ? {} : { maxEventDelayMs: options.maxEventDelayMs }),
  });
  onTestFinished(() => server.stop());
  ({ url } = server);
  const clock = new VirtualClock(Date.now());
  const homeserverUrl = (await options.before?.(url)) ?? url;
  const edgeOptions = { rtc: {}, ours: [number], clock, ...options, port, homeserverUrl };
  const rig = await startEdge(edgeOptions);
  const user = server.addUser("alice");
  const alice = user.userId as UserId;

  const asWhom = async (token: string, method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/_matrix/client/${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const ask: RtcWorld["ask"] = (method, path, body) => asWhom(user.accessToken, method, path, body);
  const { homeserver } = rig.edge;
  await homeserver.register(number);
  const created = await ask("POST", "v3/createRoom", {
    preset: "trusted_private_chat",
    is_direct: true,
    invite: [number],
    initial_state: options.state ?? [],
  });
  const room = roomId(String(created["room_id"]));
  await homeserver.join(room, number);
  await rig.factCount(1);

  let transactions = 0;
  const put = async (path: string, content: object): Promise<string> =>
    String((await ask("PUT", `v3/rooms/${room}/${path}`, content))["event_id"]);
  const stateOf = (device: string): string => `state/${memberType}/_${alice}_${device}_m.call`;
  const sentByNumber = (type: string) =>
    server.events(room).filter((event) => event.type === type && event.sender === number);
  return {
    server,
    tokens,
    rig,
    clock,
    alice,
    room,
    ask,
    join: (device = "PHONE", services = [tokens.url]) =>
      put(stateOf(device), {
        application: "m.call",
        call_id: "",
        scope: "m.room",
        device_id: device,
        expires: 14_400_000,
        focus_active: { type: "livekit", focus_selection: "multi_sfu" },
        foci_preferred: services.map((livekit_service_url) => ({ type: "livekit", livekit_service_url })),
      }),
    leave: async (device = "PHONE") => void (await put(stateOf(device), {})),
    send: (type, content) => put(`send/${type}/t${(transactions += 1)}`, content),
    memberships: () => sentByNumber(memberType),
    said: sentByNumber,
    delayed: async () => {
      const path = `unstable/org.matrix.msc4140/delayed_events?user_id=${encodeURIComponent(number)}`;
      const answer = await asWhom(registrationFor(port).as_token, "GET", path);
      return answer["delayed_events"] as readonly unknown[];
    },
    delay: async (device) => {
      const query = `org.matrix.msc4140.delay=3600000&user_id=${encodeURIComponent(number)}`;
      const path = `v3/rooms/${room}/state/${memberType}/_${number}_${device}_m.call?${query}`;
      await asWhom(registrationFor(port).as_token, "PUT", path, {});
    },
    restart: async () => {
      await rig.edge.stop();
      return startEdge(edgeOptions);
    },
  };
}

/** What Alice's client says to ring everybody in the room. */
export function ringing(membership: string, lifetime = 30_000): Record<string, unknown> {
  return {
    "m.mentions": { user_ids: [], room: true },
    notification_type: "ring",
    "m.relates_to": { rel_type: "m.reference", event_id: membership },
    sender_ts: Date.now(),
    lifetime,
  };
}
