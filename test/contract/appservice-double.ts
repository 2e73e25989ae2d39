// An application service for tests of homeservers: a real HTTP server that writes down
// every request and answers as the test says. It is not the bridge and knows no calls.
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { patienceMs } from "../../dev/loopback/patience.ts";
import { listen } from "../../dev/loopback/listen.ts";
import type { Registration } from "../../dev/homeserver/appservice/registration.ts";

type SeenRequest = {
  readonly method: string;
  /** Path and query exactly as they came. */
  readonly target: string;
  readonly authorization: string | undefined;
  /** The parsed body; undefined where there was none. */
  readonly body: unknown;
  /** How the double answered. */
  readonly status: number;
};

type Reply = { readonly status: number; readonly body: unknown };

export type PushedEvent = {
  readonly type: string;
  readonly event_id: string;
  readonly room_id: string;
  readonly sender: string;
  readonly state_key?: string;
  readonly content: Record<string, unknown>;
  readonly unsigned?: { readonly age?: number; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
};

type Push = { readonly id: string; readonly events: readonly PushedEvent[]; readonly status: number };

export type AppserviceDouble = {
  /** To be given to the homeserver under test, as YAML or as it is. */
  readonly registration: Registration & { readonly url: string };
  readonly requests: readonly SeenRequest[];
  /** Every attempt to push a transaction, refused ones too. */
  pushes(): Push[];
  /** The events of the transactions it took, oldest first. */
  events(roomId?: string): PushedEvent[];
  /** Answers the requests that fit with `reply` until the returned function is called. */
  answer(fits: (request: Pick<SeenRequest, "method" | "target">) => boolean, reply: Reply): () => void;
  /** Resolves as soon as `look` finds something in what has been seen. */
  until<Found>(look: () => Found | undefined, timeoutMs?: number): Promise<Found>;
  stop(): Promise<void>;
};

export const failingProtocol = "org.example.failing";
export const workingProtocols = ["m.protocol.pstn", "im.vector.protocol.pstn"] as const;

/** The user namespace is `@_sip_.*`, the sender `_sip_bot`. */
export async function startAppserviceDouble(domain: string): Promise<AppserviceDouble> {
  const requests: SeenRequest[] = [];
  const rules: { fits: (request: Pick<SeenRequest, "method" | "target">) => boolean; reply: Reply }[] = [];
  const watchers = new Set<() => void>();

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      const seen = { method: request.method ?? "", target: request.url ?? "" };
      const { status, body } = rules.findLast(({ fits }) => fits(seen))?.reply ?? usualReply(seen.target);
      requests.push({
        ...seen,
        authorization: request.headers.authorization,
        body: text === "" ? undefined : (JSON.parse(text) as unknown),
        status,
      });
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
      for (const look of watchers) look();
    });
  });
  const port = await listen(server);

  const pushes = () =>
    requests.flatMap(({ target, body, status }) => {
      const id = /^\/_matrix\/app\/v1\/transactions\/([^/?]+)$/.exec(target)?.[1];
      return id === undefined ? [] : [{ id, events: (body as { events: PushedEvent[] }).events, status }];
    });

  return {
    registration: {
      id: "double",
      url: `http://127.0.0.1:${port}`,
      as_token: randomBytes(16).toString("hex"),
      hs_token: randomBytes(16).toString("hex"),
      sender_localpart: "_sip_bot",
      namespaces: {
        users: [{ exclusive: true, regex: `^@_sip_.*:${domain.replaceAll(".", "\\.")}$` }],
        aliases: [],
        rooms: [],
      },
      protocols: [...workingProtocols, failingProtocol],
      rate_limited: false,
      receive_ephemeral: false,
    },
    requests,
    pushes,
    events: (roomId) =>
      pushes()
        .filter(({ status }) => status === 200)
        .flatMap(({ events }) => events)
        .filter((event) => roomId === undefined || event.room_id === roomId),
    answer: (fits, reply) => {
      const rule = { fits, reply };
      rules.push(rule);
      return () => void rules.splice(rules.indexOf(rule), 1);
    },
    until: (look, timeoutMs = patienceMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          watchers.delete(check);
          reject(new Error(`Not seen within ${timeoutMs} ms: ${look.toString()}`));
        }, timeoutMs);
        const check = () => {
          const found = look();
          if (found === undefined) return;
          clearTimeout(timer);
          watchers.delete(check);
          resolve(found);
        };
        watchers.add(check);
        check();
      }),
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function usualReply(target: string): Reply {
  const path = target.replace(/^\/_matrix\/app\/v1/, "");
  if (path.startsWith(`/thirdparty/protocol/${failingProtocol}`)) {
    return { status: 500, body: { errcode: "M_UNKNOWN" } };
  }
  if (path.startsWith("/thirdparty/protocol/")) return { status: 200, body: protocol };
  if (path.startsWith("/thirdparty/")) return { status: 200, body: [] };
  if (path.startsWith("/users/")) return { status: 404, body: { errcode: "M_NOT_FOUND" } };
  return { status: 200, body: {} };
}

const protocol = {
  user_fields: ["m.id.phone"],
  location_fields: [],
  icon: "",
  field_types: { "m.id.phone": { regexp: ".*", placeholder: "0123456789" } },
  instances: [{ desc: "Telephone", network_id: "sip", fields: {} }],
};
