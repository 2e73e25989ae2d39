// A homeserver of one kind: devices, their keys, to-device messages, and rooms that are a list of members. On a real socket;
// requests of an application service are told apart by `user_id` and `device_id`, as it asserts them.
import { createServer, type IncomingMessage } from "node:http";
import { listen } from "../../../dev/loopback/listen.ts";

type Json = Record<string, unknown>;

interface Device {
  keys: Json | undefined;
  readonly oneTime: [string, unknown][];
  readonly inbox: Json[];
}

export interface SentEvent {
  readonly room: string;
  readonly sender: string;
  readonly type: string;
  readonly transaction: string;
  readonly content: Json;
}

const deviceToken = "token-of-device-";
const wantsPassword = [401, { flows: [{ stages: ["m.login.password"] }], session: "1" }] as const;

export class KeyServer {
  readonly devices = new Map<string, Map<string, Device>>();
  readonly identities = new Map<string, Json>();
  readonly rooms = new Map<string, { readonly members: Set<string>; encrypted: boolean }>();
  readonly backups = new Map<string, Json & { readonly keys: Map<string, unknown> }>();
  readonly sent: SentEvent[] = [];
  /** What `/messages` gives, oldest first. */
  readonly timeline: Json[] = [];
  readonly requests: string[] = [];
  /** Whose devices are others than before, which the next `sync` tells. */
  readonly changed = new Set<string>();
  /**
   * How an application service comes to devices: it makes them (MSC4190), it logs its users in, as on Dendrite, or not at all.
   * Where it logs them in, devices have tokens, are not deleted without a password, and identities want one too.
   */
  devicesBy: "making" | "login" | "nothing" = "making";
  /** Who cannot log in. */
  readonly lockedOut = new Set<string>();
  readonly #tokens = new Map<string, { readonly user: string; readonly device: string }>();
  /** The application service's own user, to which it gives no `/sync`, as Synapse. */
  sender = "@_sip_sender:example.org";
  url = "";

  deviceOf(user: string, device: string): Device {
    const found = this.devices.get(user)?.get(device);
    if (found === undefined) throw new Error(`${user} has no device ${device}`);
    return found;
  }

  addDevice(user: string, device: string): void {
    const all = this.devices.get(user) ?? new Map<string, Device>();
    this.devices.set(user, all.set(device, all.get(device) ?? { keys: undefined, oneTime: [], inbox: [] }));
  }

  /** What a request with this token is answered with, and its status. */
  answerTo(token: string, method: string, url: URL, body: Json): readonly [number, unknown] {
    const owner = this.#tokens.get(token);
    if (owner === undefined && token.startsWith(deviceToken)) {
      return [401, { errcode: "M_UNKNOWN_TOKEN", error: "Unknown token" }];
    }
    const query = new URLSearchParams(url.search);
    if (owner !== undefined) query.set("user_id", owner.user);
    if (owner !== undefined) query.set("device_id", owner.device);
    return this.answer(method, url.pathname, query, body);
  }

  answer(method: string, path: string, query: URLSearchParams, body: Json): readonly [number, unknown] {
    // As Synapse 1.160 does.
    if (query.has("device_id") && !query.has("user_id")) return [500, { errcode: "M_UNKNOWN", error: "Broken" }];
    const user = query.get("user_id") ?? this.sender;
    const device = query.get("device_id") ?? "";
    if (device !== "" && this.devices.get(user)?.has(device) !== true) {
      return [400, { errcode: "ORG.MATRIX.MSC4326.M_UNKNOWN_DEVICE", error: "No such device" }];
    }
    const parts = path.split("/").map(decodeURIComponent).slice(4);
    const at = `${method} ${parts.slice(0, 2).join("/")}`;
    this.requests.push(`${method} ${parts.join("/")}`);
    if (parts[0] === "devices") return this.#devices(method, user, parts[1]);
    if (parts[0] === "sendToDevice") return this.#toDevice(user, parts[1] ?? "", body);
    if (parts[0] === "room_keys") return this.#backup(method, user, parts.slice(1), body);
    if (parts[0] === "rooms") return this.#room(method, user, parts.slice(1), body);
    switch (at) {
      case "GET login":
        return [200, { flows: this.devicesBy === "login" ? [{ type: "m.login.application_service" }] : [] }];
      case "POST login":
        return this.#logIn(body);
      case "POST logout/all":
        this.devices.delete(user);
        for (const [token, owner] of this.#tokens) if (owner.user === user) this.#tokens.delete(token);
        return [200, {}];
      case "POST keys/upload":
        return this.#upload(user, device, body);
      case "POST keys/device_signing":
        if (this.devicesBy === "login") return wantsPassword;
        this.identities.set(user, body);
        return [200, {}];
      case "POST keys/query":
        return this.#query(Object.keys(body["device_keys"] as Json));
      case "POST keys/claim":
        return this.#claim(body["one_time_keys"] as Record<string, Record<string, string>>);
      case "GET sync": {
        if (user === this.sender) return [500, { errcode: "M_UNKNOWN", error: "Internal server error" }];
        const found = this.deviceOf(user, device);
        const counts = { signed_curve25519: found.oneTime.length };
        return [
          200,
          {
            next_batch: "1",
            // As Synapse, which gives so many at once.
            to_device: { events: found.inbox.splice(0, 100) },
            device_lists: { changed: [...this.changed] },
            device_one_time_keys_count: counts,
          },
        ];
      }
      case "POST createRoom": {
        const { invite = [], initial_state: state } = body as { invite?: string[]; initial_state?: { type: string }[] };
        const room = `!made${this.rooms.size}:example.org`;
        const encrypted = state?.some(({ type }) => type === "m.room.encryption") === true;
        this.rooms.set(room, { members: new Set([user, ...invite]), encrypted });
        return [200, { room_id: room }];
      }
      default:
        return [200, {}];
    }
  }

  #devices(method: string, user: string, id: string | undefined): readonly [number, unknown] {
    if (id === undefined) {
      return [200, { devices: [...(this.devices.get(user)?.keys() ?? [])].map((device_id) => ({ device_id })) }];
    }
    if (method === "DELETE" && this.devicesBy === "login") return wantsPassword;
    if (method === "DELETE") this.devices.get(user)?.delete(id);
    else if (this.devicesBy !== "making") return [404, { errcode: "M_FORBIDDEN", error: "device does not exist" }];
    else this.addDevice(user, id);
    return [200, {}];
  }

  #logIn(body: Json): readonly [number, unknown] {
    const { identifier, device_id: device } = body as { identifier: { user: string }; device_id: string };
    if (this.devicesBy !== "login") return [400, { errcode: "M_UNKNOWN", error: "unhandled login type" }];
    const user = `@${identifier.user}:example.org`;
    if (this.lockedOut.has(user)) return [403, { errcode: "M_USER_DEACTIVATED", error: "Deactivated" }];
    const token = `${deviceToken}${device}`;
    this.addDevice(user, device);
    this.#tokens.set(token, { user, device });
    return [200, { user_id: user, device_id: device, access_token: token }];
  }

  #backup(
    method: string,
    user: string,
    [what, room, session]: readonly string[],
    body: Json,
  ): readonly [number, unknown] {
    const notFound = [404, { errcode: "M_NOT_FOUND", error: "No backup" }] as const;
    const backup = this.backups.get(user);
    if (what === "version" && method === "POST") this.backups.set(user, { ...body, version: "1", keys: new Map() });
    if (what === "version") return method === "POST" ? [200, { version: "1" }] : backup ? [200, backup] : notFound;
    if (method === "PUT") {
      const rooms = body["rooms"] as Record<string, { sessions: Json }>;
      for (const { sessions } of Object.values(rooms)) {
        for (const [id, key] of Object.entries(sessions)) backup?.keys.set(id, key);
      }
      return [200, { etag: "1", count: backup?.keys.size ?? 0 }];
    }
    const key = room === undefined ? undefined : backup?.keys.get(session ?? "");
    return key === undefined ? notFound : [200, key];
  }

  #toDevice(sender: string, type: string, body: Json): readonly [number, unknown] {
    for (const [user, devices] of Object.entries(body["messages"] as Record<string, Record<string, Json>>)) {
      for (const [device, content] of Object.entries(devices)) {
        this.devices.get(user)?.get(device)?.inbox.push({ type, sender, content });
      }
    }
    return [200, {}];
  }

  #room(method: string, sender: string, parts: readonly string[], body: Json): readonly [number, unknown] {
    const [id = "", what, type = "", transaction = ""] = parts;
    const room = this.rooms.get(id) ?? { members: new Set<string>(), encrypted: false };
    this.rooms.set(id, room);
    if (what === "join") {
      room.members.add(sender);
      return [200, { room_id: id }];
    }
    if (what === "members") {
      const chunk = [...room.members].map((user) => ({ state_key: user, content: { membership: "join" } }));
      return [200, { chunk }];
    }
    if (what === "messages") return [200, { chunk: this.timeline.toReversed() }];
    if (what === "state") return room.encrypted ? [200, {}] : [404, { errcode: "M_NOT_FOUND", error: "Not found" }];
    if (method !== "PUT") return [200, {}];
    const known = this.sent.findIndex((event) => event.transaction === transaction);
    if (known < 0) this.sent.push({ room: id, sender, type, transaction, content: body });
    return [200, { event_id: `$sent${known < 0 ? this.sent.length - 1 : known}` }];
  }

  #upload(user: string, id: string, body: Json): readonly [number, unknown] {
    const device = this.deviceOf(user, id);
    device.keys = (body["device_keys"] as Json | undefined) ?? device.keys;
    device.oneTime.push(...Object.entries((body["one_time_keys"] as Json | undefined) ?? {}));
    return [200, { one_time_key_counts: { signed_curve25519: device.oneTime.length } }];
  }

  #query(users: readonly string[]): readonly [number, unknown] {
    const published = (user: string): Json =>
      Object.fromEntries(
        [...(this.devices.get(user) ?? [])].flatMap(([id, { keys }]) => (keys === undefined ? [] : [[id, keys]])),
      );
    const identity = (part: string): Json =>
      Object.fromEntries(
        users.flatMap((user) => {
          const key = this.identities.get(user)?.[part];
          return key === undefined ? [] : [[user, key]];
        }),
      );
    return [
      200,
      {
        device_keys: Object.fromEntries(users.map((user) => [user, published(user)])),
        master_keys: identity("master_key"),
        self_signing_keys: identity("self_signing_key"),
        user_signing_keys: identity("user_signing_key"),
      },
    ];
  }

  #claim(wanted: Record<string, Record<string, string>>): readonly [number, unknown] {
    const claimed: Record<string, Json> = {};
    for (const [user, devices] of Object.entries(wanted)) {
      for (const id of Object.keys(devices)) {
        const [key] = this.devices.get(user)?.get(id)?.oneTime.splice(0, 1) ?? [];
        if (key !== undefined) claimed[user] = { ...claimed[user], [id]: { [key[0]]: key[1] } };
      }
    }
    return [200, { one_time_keys: claimed, failures: {} }];
  }
}

async function bodyOf(request: IncomingMessage): Promise<Json> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  return text === "" ? {} : (JSON.parse(text) as Json);
}

const ofKeys: ReadonlySet<string | undefined> = new Set(["devices", "keys", "sendToDevice", "room_keys", "sync"]);

/**
 * Listens on a free port of this machine; what it gives stops it. `rest`: the homeserver that answers what does not concern
 * keys and devices.
 */
export async function serveKeys(keys: KeyServer, rest?: string): Promise<() => void> {
  const server = createServer((request, response) => {
    void bodyOf(request).then(async (body) => {
      const url = new URL(request.url ?? "", "http://localhost");
      const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
      const method = request.method ?? "GET";
      if (rest !== undefined && !ofKeys.has(url.pathname.split("/")[4])) {
        const { authorization = "" } = request.headers;
        const sent = method === "GET" ? {} : { body: JSON.stringify(body) };
        const answer = await fetch(rest + (request.url ?? ""), { method, headers: { authorization }, ...sent });
        response.writeHead(answer.status, { "content-type": "application/json" }).end(await answer.text());
        return;
      }
      const [status, answer] = keys.answerTo(token, method, url, body);
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
    });
  });
  keys.url = `http://127.0.0.1:${await listen(server)}`;
  return () => {
    server.closeAllConnections();
    server.close();
  };
}
