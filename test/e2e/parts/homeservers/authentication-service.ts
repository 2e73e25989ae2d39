// What Synapse asks of a Matrix Authentication Service, and tells it by: who has which token (RFC 7662), and where people manage
// their accounts. It makes accounts and devices at the homeserver as the real one does, and issues tokens without asking anybody.
import { randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { listen } from "../../../../dev/loopback/listen.ts";
import type { Account, RealHomeserver } from "./real-homeserver.ts";
import type { Rig } from "../base/rig.ts";

export interface AuthenticationService {
  /** `http://127.0.0.1:port`, no slash at the end. */
  readonly url: string;
  /** Shared with the homeserver. */
  readonly secret: string;
  /** A new person with a device that is logged in. */
  register(homeserver: Pick<RealHomeserver, "request">, serverName: string, localpart: string): Promise<Account>;
}

interface Grant {
  readonly localpart: string;
  readonly deviceId: string;
}

const TOKEN_SECONDS = 3600;

async function formOf(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Starts the service; it ends with the rig. */
export async function startAuthenticationService(rig: Rig): Promise<AuthenticationService> {
  const secret = randomBytes(24).toString("base64url");
  const grants = new Map<string, Grant>();
  const introspect = (token: string): object => {
    const grant = grants.get(token);
    if (grant === undefined) return { active: false };
    const scope = `openid urn:matrix:client:api:* urn:matrix:client:device:${grant.deviceId}`;
    return { active: true, scope, username: grant.localpart, sub: grant.localpart, expires_in: TOKEN_SECONDS };
  };
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const form = await formOf(request);
    if (request.url === "/.well-known/openid-configuration") {
      answer(response, 200, { issuer: `${url}/`, account_management_uri: `${url}/account` });
    } else if (request.url !== "/oauth2/introspect" || request.method !== "POST") {
      answer(response, 404, { error: "not_found" });
    } else if (request.headers.authorization !== `Bearer ${secret}`) {
      answer(response, 401, { error: "invalid_client" });
    } else {
      answer(response, 200, introspect(form.get("token") ?? ""));
    }
  };
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  const url = `http://127.0.0.1:${await listen(server)}`;
  rig.defer("authentication service", async () => {
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  });
  return {
    url,
    secret,
    async register(homeserver, serverName, localpart) {
      const tell = (what: string, body: object) =>
        homeserver.request("POST", `/_synapse/mas/${what}`, { token: secret, body });
      const deviceId = randomBytes(6).toString("hex").toUpperCase();
      await tell("provision_user", { localpart });
      await tell("upsert_device", { localpart, device_id: deviceId });
      const accessToken = randomBytes(24).toString("base64url");
      grants.set(accessToken, { localpart, deviceId });
      const userId = `@${localpart}:${serverName}`;
      return { userId, user: localpart, password: "", accessToken, deviceId, delegated: true };
    },
  };
}
