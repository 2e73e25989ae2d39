// What the tests ask of a real homeserver, whichever it is: people with accounts, and requests of the client-server API.
import { randomBytes } from "node:crypto";

/** A person with an account. */
export interface Account {
  readonly userId: string;
  readonly user: string;
  readonly password: string;
  readonly accessToken: string;
  readonly deviceId: string;
  /** An authentication service has given the token: nobody logs in at the homeserver. */
  readonly delegated?: true;
}

export interface RealHomeserver {
  /** `http://127.0.0.1:port`, no slash at the end. */
  readonly url: string;
  readonly serverName: string;
  /** A new person; the localpart is as given. */
  register(localpart: string): Promise<Account>;
  /**
   * A client-server API request.
   * @param path from `/_matrix/` on
   * @throws with the status and the body of an answer that is not 2xx
   */
  request(method: string, path: string, options?: { token?: string; body?: unknown }): Promise<Record<string, unknown>>;
  stop(): Promise<void>;
}

export interface HomeserverOptions {
  /** Paths of application-service registrations. */
  readonly registrations?: readonly string[];
  /** The part of user ids after the colon. */
  readonly serverName?: string;
  /** Where to listen, if it has to be known before; a free port otherwise. */
  readonly port?: number;
}

/** Of a homeserver on which people may register themselves. */
export function clientApi(url: string): Pick<RealHomeserver, "register" | "request"> {
  const request: RealHomeserver["request"] = async (method, path, { token, body } = {}) => {
    const response = await fetch(`${url}${path}`, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(30_000),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as Record<string, unknown>;
  };
  return {
    request,
    async register(localpart) {
      const password = randomBytes(12).toString("base64url");
      const account = await request("POST", "/_matrix/client/v3/register", {
        body: { username: localpart, password, auth: { type: "m.login.dummy" } },
      });
      return {
        user: localpart,
        password,
        userId: String(account["user_id"]),
        accessToken: String(account["access_token"]),
        deviceId: String(account["device_id"]),
      };
    },
  };
}
