// The Matrix edge on a free port with a memory store, for tests: what it hands over and what it counts can be looked at.
import { noTracing } from "../../src/ports/tracing.ts";
import { onTestFinished } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import type { UserId } from "../../src/core/ids.ts";
import { createMatrixEdge, type MatrixEdge, type MatrixEdgeOptions } from "../../src/matrix/edge.ts";
import type { RegistrationDocument } from "../../src/matrix/registration.ts";
import type { Clock } from "../../src/ports/clock.ts";
import type {
  ApplicationServiceQueries,
  MatrixFact,
  MatrixSink,
  ThirdPartyProtocol,
} from "../../src/ports/homeserver.ts";
import type { Store } from "../../src/ports/store.ts";
import type { Log, LogFields } from "../../src/ports/telemetry.ts";
import { scan } from "../setup/scanner.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";

export const domain = "example.org";
export const hsToken = "hs-token-of-the-test";
export const bot = "@_sip_bot:example.org" as UserId;
/** The application service's own user. */
export const sender = "@_sip_sender:example.org" as UserId;
export const ghost = "@_sip_01818118181%40sip.example.org:example.org" as UserId;
export const alice = "@alice:example.org" as UserId;

export const pstn: ThirdPartyProtocol = {
  user_fields: ["m.id.phone"],
  location_fields: [],
  icon: "mxc://example.org/pstn",
  field_types: { "m.id.phone": { regexp: "\\+?[0-9]+", placeholder: "0123456789" } },
  instances: [{ network_id: "sip", desc: "SIP", fields: {} }],
};

export function registrationFor(port: number, senderLocalpart = "_sip_sender"): RegistrationDocument {
  return {
    id: "sip",
    url: `http://127.0.0.1:${port}`,
    as_token: "as-token-of-the-test",
    hs_token: hsToken,
    sender_localpart: senderLocalpart,
    rate_limited: false,
    protocols: ["m.protocol.pstn", "im.vector.protocol.pstn"],
    namespaces: { users: [{ regex: "^@_sip_.*:example\\.org$", exclusive: true }] },
  };
}

export interface LogLine {
  readonly level: "trace" | "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: LogFields | undefined;
}

export function collectingLog(lines: LogLine[]): Log {
  const at =
    (level: LogLine["level"]) =>
    (message: string, fields?: LogFields): void => {
      scan(level, message, fields);
      lines.push({ level, message, fields });
    };
  const log: Log = {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => {
      scan("info", "fields of a log", fields);
      return log;
    },
  };
  return log;
}

export interface EdgeRig {
  readonly edge: MatrixEdge;
  readonly url: string;
  readonly store: Store;
  readonly facts: readonly MatrixFact[];
  readonly lines: readonly LogLine[];
  /** Numbers given to telemetry: events taken and duplicates among them. */
  readonly taken: { events: number; duplicates: number };
  /** Resolves when so many facts have been handed over. */
  factCount(count: number): Promise<void>;
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>;
  /** `more`: what the transaction has besides events. */
  push(transaction: string, events: readonly unknown[], more?: object): Promise<Answer>;
}

interface RequestOptions {
  readonly token?: string | undefined;
  readonly body?: string;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

export interface RigOptions {
  readonly homeserverUrl?: string;
  readonly port?: number;
  readonly store?: Store;
  readonly sink?: MatrixSink;
  readonly clock?: Clock;
  readonly queries?: Partial<ApplicationServiceQueries>;
  readonly encryption?: MatrixEdgeOptions["encryption"];
  readonly rtc?: MatrixEdgeOptions["rtc"];
  /** `sender_localpart` of the registration. */
  readonly sender?: string;
  /** Who of ours is in every room. */
  readonly ours?: readonly UserId[];
  /** Whether facts are handed over at once; true unless said otherwise. */
  readonly delivering?: boolean;
}

/** Starts an edge that the test's end stops. */
export async function startEdge(options: RigOptions = {}): Promise<EdgeRig> {
  const store = options.store ?? openMemoryStore();
  const facts: MatrixFact[] = [];
  const lines: LogLine[] = [];
  const taken = { events: 0, duplicates: 0 };
  const watchers = new Set<() => void>();
  const edge = createMatrixEdge({
    registration: registrationFor(options.port ?? 0, options.sender),
    bot: "_sip_bot",
    homeserverUrl: options.homeserverUrl ?? "http://127.0.0.1:9",
    domain,
    host: "127.0.0.1",
    port: options.port ?? 0,
    clock: options.clock ?? systemClock,
    encryption: options.encryption,
    rtc: options.rtc,
    telemetry: {
      log: collectingLog(lines),
      tracing: noTracing,
      homeserverAnswered: () => undefined,
      eventsTaken: (count, duplicates) => {
        taken.events += count;
        taken.duplicates += duplicates;
      },
      inboxDepth: () => undefined,
    },
  });
  await edge.listen({
    inbox: store.inbox,
    heard: async (fact) => {
      facts.push(fact);
      for (const watch of watchers) watch();
      return options.sink?.(fact);
    },
    ours: async () => options.ours ?? [],
    queries: {
      protocol: (name) => (name.endsWith("protocol.pstn") ? pstn : undefined),
      usersByField: (protocol, fields) =>
        protocol.endsWith("protocol.pstn")
          ? [{ userid: ghost, protocol, fields: { asked: JSON.stringify(fields) } }]
          : undefined,
      usersById: (user) => (user === ghost ? [{ userid: ghost, protocol: "m.protocol.pstn", fields: {} }] : []),
      lookupDelay: () => undefined,
      userExists: async (user) => user === ghost,
      ...options.queries,
    },
  });
  onTestFinished(() => edge.stop());
  if (options.delivering !== false) await edge.deliver();
  const url = `http://127.0.0.1:${edge.port()}`;

  const request = async (method: string, path: string, requestOptions: RequestOptions = {}): Promise<Answer> => {
    const token = "token" in requestOptions ? requestOptions.token : hsToken;
    const response = await fetch(url + path, {
      method,
      redirect: "manual",
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(requestOptions.body === undefined ? {} : { body: requestOptions.body }),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
  };

  return {
    edge,
    url,
    store,
    facts,
    lines,
    taken,
    request,
    factCount: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (facts.length < count) return;
          watchers.delete(look);
          resolve();
        };
        watchers.add(look);
        look();
      }),
    push: (transaction, events, more = {}) =>
      request("PUT", `/_matrix/app/v1/transactions/${transaction}`, { body: JSON.stringify({ events, ...more }) }),
  };
}

let events = 0;

/** An event as Synapse pushes it. */
export function roomEvent(
  type: string,
  content: Record<string, unknown>,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  events++;
  return {
    event_id: `$event${events}`,
    room_id: "!room:example.org",
    sender: alice,
    type,
    content,
    origin_server_ts: Date.now(),
    unsigned: { age: 12 },
    ...more,
  };
}

export function textMessage(body: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  return roomEvent("m.room.message", { msgtype: "m.text", body }, more);
}
