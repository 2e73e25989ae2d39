// The client-server API over fetch, as far as a calling client needs it. One object is one logged-in device.
import { randomUUID } from "node:crypto";

/** The homeserver said no, or said nothing. */
export class ClientApiError extends Error {
  override readonly name = "ClientApiError";
  /** The Matrix errcode, `UNREACHABLE`, or `UNEXPECTED` for an answer that is no JSON. */
  readonly code: string;
  readonly status: number | undefined;
  constructor(code: string, status: number | undefined, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.status = status;
  }
}

export type Json = { readonly [key: string]: unknown };

export interface ClientApi {
  readonly userId: string;
  readonly deviceId: string;
  /** `path` follows `/_matrix/client/v3`; its parts are encoded already. Throws ClientApiError. */
  ask(method: "GET" | "POST" | "PUT", path: string, body?: Json, signal?: AbortSignal): Promise<unknown>;
  /** Returns the event id. Throws ClientApiError. */
  send(roomId: string, type: string, content: Json): Promise<string>;
}

export const isJson = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
export const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);
export const path = (strings: TemplateStringsArray, ...parts: readonly string[]): string =>
  String.raw({ raw: strings }, ...parts.map(encodeURIComponent));

async function request(url: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    throw new ClientApiError("UNREACHABLE", undefined, `${init.method} ${url}`, { cause });
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch (cause) {
    throw new ClientApiError("UNEXPECTED", response.status, `${init.method} ${url}`, { cause });
  }
  if (response.ok) return body;
  const { errcode, error } = isJson(body) ? body : {};
  throw new ClientApiError(text(errcode) ?? "UNEXPECTED", response.status, text(error) ?? `${init.method} ${url}`);
}

export interface Account {
  readonly homeserverUrl: string;
  /** Localpart or full id. */
  readonly user: string;
  readonly password: string;
  readonly deviceName: string;
}

/** A new device of the user. Throws ClientApiError. */
export async function logIn(account: Account): Promise<ClientApi> {
  const base = `${account.homeserverUrl.replace(/\/+$/, "")}/_matrix/client/v3`;
  const headers = { "content-type": "application/json" };
  const session = await request(`${base}/login`, {
    method: "POST",
    headers,
    body: JSON.stringify({
      type: "m.login.password",
      identifier: { type: "m.id.user", user: account.user },
      password: account.password,
      initial_device_display_name: account.deviceName,
    }),
  });
  const { user_id, device_id, access_token } = isJson(session) ? session : {};
  const [userId, deviceId, token] = [text(user_id), text(device_id), text(access_token)];
  if (userId === undefined || deviceId === undefined || token === undefined) {
    throw new ClientApiError("UNEXPECTED", 200, "login without user_id, device_id or access_token");
  }
  const authorised = { ...headers, authorization: `Bearer ${token}` };
  const ask: ClientApi["ask"] = (method, where, body, signal) =>
    request(`${base}${where}`, {
      method,
      headers: authorised,
      ...(body && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  return {
    userId,
    deviceId,
    ask,
    async send(roomId, type, content) {
      const sent = await ask("PUT", path`/rooms/${roomId}/send/${type}/${randomUUID()}`, content);
      return text(isJson(sent) ? sent["event_id"] : undefined) ?? "";
    },
  };
}
