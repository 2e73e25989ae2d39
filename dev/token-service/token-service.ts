// Lets Matrix users into a LiveKit server, and behaves as Element's lk-jwt-service does (of July 2026; MSC4195): who they are is
// asked of their homeserver, rooms are made for users of its own homeservers only, and so are delayed leaves kept.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { WebhookReceiver } from "livekit-server-sdk";
import { z } from "zod";
import { listen } from "../loopback/listen.ts";
import { type DelegatedLeave, keepLeave } from "./delegated-leave.ts";
import {
  type DelayedLeave,
  type Endpoint,
  readProxied,
  readRequest,
  TokenError,
  type TokenRequest,
} from "./requests.ts";
import { connectSfu, type SfuOptions } from "./sfu.ts";

export interface TokenServiceOptions {
  readonly sfu: SfuOptions;
  /** Where each homeserver is, by its name: `http://127.0.0.1:8008`. Of others no token is believed. */
  readonly homeservers: Readonly<Record<string, string>>;
  /** Whose users may open rooms. */
  readonly fullAccess: readonly string[];
  /** By which its own homeserver is known when it asks in its users' names (MSC4512); undefined: it does not. */
  readonly hsToken?: string | undefined;
  /** 0 or absent: a free one. */
  readonly port?: number;
}

export interface TokenService {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  stop(): Promise<void>;
}

const endpoints: readonly Endpoint[] = ["/sfu/get", "/get_token", "/delegate_delayed_leave"];
/** Of what the media server tells, as JSON: https://docs.livekit.io/home/server/webhooks/ */
const told = z.object({
  event: z.string(),
  room: z.object({ name: z.string() }).optional(),
  participant: z.object({ identity: z.string(), disconnectReason: z.string().optional() }).optional(),
});
const proxiedPath = "/_matrix/client/unstable/io.element.msc4195/rtc/livekit/get_token";
const maxBodyBytes = 64 * 1024;
const timeoutMs = 5000;
const headers = {
  "content-type": "application/json",
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "POST",
  "access-control-allow-headers": "Accept, Content-Type, Content-Length, Accept-Encoding, X-CSRF-Token",
};

export async function startTokenService(options: TokenServiceOptions): Promise<TokenService> {
  const { homeservers, fullAccess } = options;
  const sfu = connectSfu(options.sfu);
  const webhooks = new WebhookReceiver(options.sfu.apiKey, options.sfu.apiSecret);
  const leaves = new Map<string, DelegatedLeave>();
  const keyOf = (room: string, identity: string): string => `${room} ${identity}`;

  const keep = (server: string, room: string, identity: string, { id, timeoutMs: waits }: DelayedLeave): void => {
    const key = keyOf(room, identity);
    leaves.get(key)?.drop();
    const leave = keepLeave({
      timeoutMs: waits,
      act: (action) => actOnDelayedEvent(homeservers[server] ?? "", id, action),
      isThere: () => sfu.isThere(room, identity),
      over: () => void (leaves.get(key) === leave && leaves.delete(key)),
    });
    leaves.set(key, leave);
  };

  const admit = async (endpoint: Endpoint, request: TokenRequest): Promise<object> => {
    const { openId, room, leave } = request;
    const identity = request.identityOf(await userOf(homeservers, request));
    const isOurs = fullAccess.includes(openId.server);
    if (leave !== undefined && !isOurs) throw notOurs(endpoint);
    if (endpoint !== "/delegate_delayed_leave" && isOurs) await sfu.makeRoom(room);
    if (leave !== undefined) keep(openId.server, room, identity, leave);
    if (endpoint === "/delegate_delayed_leave") return {};
    return { url: options.sfu.url, jwt: await sfu.token(room, identity) };
  };

  /** The homeserver alone says who asks. */
  const admitProxied = async ({ authorization, ...others }: IncomingHttpHeaders, body: string): Promise<object> => {
    if (authorization === undefined) throw new TokenError(401, "M_MISSING_TOKEN", "Missing access token");
    if (authorization !== `Bearer ${options.hsToken}`) throw new TokenError(401, "M_UNKNOWN_TOKEN", "Unknown token");
    const userId = others["x-matrix-user-identifier"];
    if (typeof userId !== "string") throw new TokenError(401, "M_UNAUTHORIZED", "Missing X-Matrix-User-Identifier");
    const asked = readProxied(body);
    const { url, room } = asked;
    if (url !== options.sfu.url) throw new TokenError(400, "M_INVALID_PARAM", "The url is not that of the SFU");
    if (fullAccess.some((server) => userId.endsWith(`:${server}`))) await sfu.makeRoom(room);
    return { jwt: await sfu.token(room, asked.identityOf(userId)) };
  };

  const hearSfu = async (body: string, authorization: string | undefined): Promise<void> => {
    await webhooks.receive(body, authorization);
    const { event, participant, room } = told.parse(JSON.parse(body));
    const leave = leaves.get(keyOf(room?.name ?? "", participant?.identity ?? ""));
    if (event === "participant_joined") leave?.joined();
    if (event !== "participant_left" && event !== "participant_connection_aborted") return;
    leave?.left(participant?.disconnectReason === "CLIENT_INITIATED" ? "by intention" : "lost");
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const say = (status: number, body?: object): void =>
      void response.writeHead(status, headers).end(body === undefined ? undefined : JSON.stringify(body));
    if (pathname === "/healthz") return say(request.method === "GET" || request.method === "HEAD" ? 200 : 405);
    if (pathname === "/sfu_webhook") {
      await hearSfu(await bodyOf(request), request.headers.authorization);
      return say(200);
    }
    if (pathname === proxiedPath && options.hsToken !== undefined) {
      if (request.method !== "POST") return say(405);
      return say(200, await admitProxied(request.headers, await bodyOf(request)));
    }
    const endpoint = endpoints.find((path) => path === pathname);
    if (endpoint === undefined) return say(404);
    if (request.method === "OPTIONS") return say(200);
    if (request.method !== "POST") return say(405);
    return say(200, await admit(endpoint, readRequest(endpoint, await bodyOf(request))));
  };

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      const { status, errcode, message } =
        error instanceof TokenError ? error : new TokenError(500, "M_UNKNOWN", "Internal Server Error");
      response.writeHead(status, headers).end(JSON.stringify({ errcode, error: message }));
    });
  });
  const port = await listen(server, options.port);
  return {
    url: `http://127.0.0.1:${port}`,
    async stop() {
      for (const leave of leaves.values()) leave.drop();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

const notOurs = (endpoint: Endpoint): TokenError => {
  const [status, errcode] =
    endpoint === "/delegate_delayed_leave" ? ([403, "M_FORBIDDEN"] as const) : ([400, "M_BAD_JSON"] as const);
  return new TokenError(status, errcode, "Delegation of delayed events is only supported for full access users");
};

/** Whose OpenID token it is (server-server API, `openid/userinfo`). */
async function userOf(
  homeservers: Readonly<Record<string, string>>,
  { openId: { token, server }, claimedUserId }: TokenRequest,
): Promise<string> {
  const refuse = (cause?: unknown) =>
    new TokenError(401, "M_UNAUTHORIZED", "The request could not be authorised.", { cause });
  const homeserver = Object.hasOwn(homeservers, server) ? homeservers[server] : undefined;
  if (homeserver === undefined) throw refuse();
  const url = `${homeserver}/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(token)}`;
  let userId: string;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    userId = z.object({ sub: z.string() }).parse(await response.json()).sub;
  } catch (cause) {
    throw refuse(cause);
  }
  if (!userId.endsWith(`:${server}`) || (claimedUserId ?? userId) !== userId) throw refuse();
  return userId;
}

/** Needs no access token (MSC4140). Throws where trying again may help. */
async function actOnDelayedEvent(homeserver: string, id: string, action: "restart" | "send"): Promise<"done" | "gone"> {
  const path = `/_matrix/client/unstable/org.matrix.msc4140/delayed_events/${encodeURIComponent(id)}/${action}`;
  const response = await fetch(`${homeserver}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
    signal: AbortSignal.timeout(timeoutMs),
  });
  await response.arrayBuffer();
  if (response.ok) return "done";
  if (response.status === 404) return "gone";
  throw new Error(`the homeserver answered ${response.status}`);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new TokenError(413, "M_TOO_LARGE", "Request body too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
