// The edge against the small homeserver and a token service that asks it who somebody is, with Alice in a room with a number.
import { createHash } from "node:crypto";
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
export const stickyType = "org.matrix.msc4143.rtc.member";
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
    const { id, claimed_device_id } = (body["member"] ?? {}) as { id?: string; claimed_device_id?: string };
    const hashed = (sub: string): string =>
      createHash("sha256")
        .update(JSON.stringify([sub, claimed_device_id, id]))
        .digest("base64")
        .slice(0, 43);
    if (path.endsWith("/io.element.msc4195/rtc/livekit/get_token"))
      return { status: 200, body: { jwt: jwtFor(hashed(number)) } };
    const { access_token } = (body["openid_token"] ?? {}) as { access_token?: string };
    if (access_token === undefined)
      return { status: 400, body: { errcode: "M_BAD_JSON", error: "missing openid_token" } };
    const asked = await fetch(`${homeserver()}/_matrix/federation/v1/openid/userinfo?access_token=${access_token}`);
    const { sub } = (await asked.json()) as { sub?: string };
    if (sub === undefined)
      return { status: 401, body: { errcode: "M_UNAUTHORIZED", error: "The request could not be authorised." } };
    const identity = path === "/get_token" ? hashed(sub) : `${sub}:${String(body["device_id"])}`;
    return { status: 200, body: { url: service.mediaServer, jwt: jwtFor(identity) } };
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
  /** The same by a sticky event. */
  stick(id: string, services?: readonly string[]): Promise<string>;
  unstick(id: string): Promise<string>;
  /** Gives the event's id. */
  send(type: string, content: object, sticky?: boolean): Promise<string>;
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
  readonly takesSticky?: boolean;
  /** The homeserver gives tokens itself. */
  readonly givesTokens?: boolean;
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
    ...(options.givesTokens === true && { tokenProxy: { mediaServer: tokens.mediaServer, hsToken: "hs" } }),
    ...(options.takesSticky === undefined ? {} : { takesSticky: options.takesSticky }),
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
  const send: RtcWorld["send"] = (type, content, sticky = false) => {
    const query = sticky ? "?org.matrix.msc4354.sticky_duration_ms=3600000" : "";
    return put(`send/${type}/t${(transactions += 1)}${query}`, content);
  };
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
    stick: (id, services = [tokens.url]) => send(stickyType, stickyContent(alice, "PHONE", id, services), true),
    unstick: (id) => send(stickyType, { msc4354_sticky_key: id }, true),
    leave: async (device = "PHONE") => void (await put(stateOf(device), {})),
    send,
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

/** As Element Call 0.26.1 says in `matrix_2_0` that it is in a call. */
export function stickyContent(user: string, device: string, id: string, services: readonly string[]): object {
  return {
    application: { type: "m.call", "m.call.intent": "audio" },
    slot_id: "m.call#ROOM",
    transports: {
      published: services.map((livekit_service_url) => ({ type: "livekit", livekit_service_url })),
      can_subscribe: ["livekit"],
    },
    member: { id, device_id: device, user_id: user },
    versions: [],
    msc4354_sticky_key: id,
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
