// What the token service needs around it, as small doubles: a homeserver that knows OpenID tokens and delayed events, and a media
// server that makes rooms, knows who is there and tells so.
import { createHash } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { AccessToken } from "livekit-server-sdk";
import { listen } from "../../dev/loopback/listen.ts";
import { startTokenService, type TokenServiceOptions } from "../../dev/token-service/token-service.ts";

const apiKey = "key";
const apiSecret = "a secret that is long enough for HS256";

export interface World {
  readonly url: string;
  /** Posts to the service. */
  ask(
    path: string,
    body: unknown,
    headers?: Readonly<Record<string, string>>,
  ): Promise<{ status: number; body: Record<string, unknown> }>;
  /** What the homeserver was asked of delayed events: `restart ID`, `send ID`. */
  readonly actions: readonly string[];
  /** Names of the rooms that the media server has made. */
  readonly rooms: readonly string[];
  /** Who is at the media server, as it answers when it is asked. */
  readonly present: Set<string>;
  /** The media server tells of a participant. */
  tell(event: string, room: string, identity: string, disconnectReason?: string): Promise<void>;
  stopSfu(): Promise<void>;
  stop(): Promise<void>;
}

async function serve(handler: RequestListener): Promise<{ port: number; close: () => Promise<void> }> {
  const server: Server = createServer(handler);
  const port = await listen(server);
  return {
    port,
    async close() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** OpenID tokens are `token of USER`. Event `gone` is one that the homeserver has sent already. */
export async function startWorld(options: Partial<TokenServiceOptions> = {}): Promise<World> {
  const actions: string[] = [];
  const rooms: string[] = [];
  const present = new Set<string>();
  const homeserver = await serve((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    const say = (status: number, body: object): void =>
      void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    const [, user] = /^token of (.+)$/.exec(searchParams.get("access_token") ?? "") ?? [];
    const [, id, action] = /\/org\.matrix\.msc4140\/delayed_events\/(\w+)\/(\w+)$/.exec(pathname) ?? [];
    if (action !== undefined) {
      actions.push(`${action} ${id}`);
      say(id === "gone" ? 404 : 200, {});
    } else if (pathname === "/_matrix/federation/v1/openid/userinfo" && user !== undefined) say(200, { sub: user });
    else say(401, { errcode: "M_UNKNOWN_TOKEN", error: "Access Token unknown or expired" });
  });
  const sfu = await serve((request, response) => {
    void (async () => {
      let text = "";
      for await (const chunk of request) text += String(chunk);
      const { name, identity } = JSON.parse(text) as { name?: string; identity?: string };
      response.setHeader("content-type", "application/json");
      if (request.url?.endsWith("/CreateRoom") === true && name !== undefined) {
        rooms.push(name);
        response.end(JSON.stringify({ sid: "RM_1", name }));
      } else if (identity !== undefined && present.has(identity)) response.end(JSON.stringify({ identity }));
      else response.writeHead(404).end(JSON.stringify({ code: "not_found", msg: "participant does not exist" }));
    })();
  });
  const service = await startTokenService({
    sfu: { url: `ws://127.0.0.1:${sfu.port}`, apiKey, apiSecret },
    homeservers: {
      "example.org": `http://127.0.0.1:${homeserver.port}`,
      "elsewhere.example": `http://127.0.0.1:${homeserver.port}`,
    },
    fullAccess: ["example.org"],
    ...options,
  });
  return {
    url: service.url,
    actions,
    rooms,
    present,
    async ask(path, body, headers = {}) {
      const text = typeof body === "string" ? body : JSON.stringify(body);
      const response = await fetch(`${service.url}${path}`, { method: "POST", headers, body: text });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async tell(event, room, identity, disconnectReason) {
      const body = JSON.stringify({ event, room: { name: room }, participant: { identity, disconnectReason } });
      const token = new AccessToken(apiKey, apiSecret);
      token.sha256 = createHash("sha256").update(body).digest("base64");
      await fetch(`${service.url}/sfu_webhook`, {
        method: "POST",
        headers: { authorization: await token.toJwt(), "content-type": "application/webhook+json" },
        body,
      });
    },
    stopSfu: () => sfu.close(),
    async stop() {
      await service.stop();
      await Promise.all([sfu.close(), homeserver.close()]);
    },
  };
}

export const openIdOf = (user: string, server = "example.org") => ({
  access_token: `token of ${user}`,
  token_type: "Bearer",
  matrix_server_name: server,
  expires_in: 3600,
});
