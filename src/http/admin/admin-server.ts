// The admin API: HTTP and JSON over a Unix socket, and over a port where the configuration names one. Knows the bridge by its
// front door alone (ports/admin).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminDoor } from "../../ports/admin/admin-door.ts";
import type { Clock } from "../../ports/clock.ts";
import { StoreError } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { createListener, type Listener } from "../listener.ts";
import { tokenCheck } from "../token.ts";
import { listenOnSocket, SocketError, type OpenSocket } from "../unix-socket.ts";
import { WrongTokens } from "../wrong-tokens.ts";
import { AdminError, errorStatus } from "./wire/admin-error.ts";
import { findRoute, readAsked } from "./asked.ts";
import { portEntrance, socketEntrance, type Entrance } from "./entrance.ts";
import { EventStreams } from "./event-stream.ts";
import { base, openApiDocument } from "./openapi.ts";
import type { Route, Tools } from "./routes/route.ts";
import { routes } from "./routes/all.ts";

/** Says which release answers, so that a command of another one can say that it is. */
export const versionHeader = "matrix-appservice-sip-version";

export interface AdminServerOptions {
  readonly door: AdminDoor;
  /** Undefined: no socket. */
  readonly socketPath: string | undefined;
  /** Undefined: no port. */
  readonly port:
    | { readonly host: string; readonly port: number; readonly token: string; readonly hostNames: readonly string[] }
    | undefined;
  readonly wholeNumbers: boolean;
  readonly version: string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AdminServer {
  /** Rejects with SocketError where another bridge has the socket, or with the error of an address in use. */
  start(): Promise<void>;
  /** Undefined where there is none. */
  port(): number | undefined;
  stop(): Promise<void>;
}

export function createAdminServer(options: AdminServerOptions): AdminServer {
  const { door, clock, log, version, wholeNumbers, socketPath, port } = options;
  const tools: Tools = { door, version, startedAtMs: clock.wallMs(), wholeNumbers };
  const streams = new EventStreams(door, clock);
  const listeners: Listener[] = [];
  let socket: OpenSocket | undefined;
  let portListener: Listener | undefined;
  const open = (name: string, entrance: () => Entrance): Listener => {
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      void answerRequest(request, response, { entrance: entrance(), tools, streams, clock, log });
    const listener = createListener(answer, name, log);
    listeners.push(listener);
    return listener;
  };
  return {
    async start() {
      if (socketPath !== undefined) {
        let entrance: Entrance | undefined;
        // Nobody can ask before it is there.
        const listener = open("admin socket", () => entrance ?? refuseAll);
        try {
          socket = await listenOnSocket(listener, socketPath);
          entrance = socketEntrance(socket.uid);
        } catch (error) {
          // Another bridge is there. Anything else is no reason to carry no calls.
          if (!(error instanceof SocketError) || error.code === "in-use") throw error;
          log.error("there is no admin socket: commands cannot reach this bridge", { reason: error.message });
        }
      }
      if (port !== undefined) {
        const { host, token, hostNames } = port;
        const parts = { check: tokenCheck(token), wrong: new WrongTokens(clock, log), hostNames: [host, ...hostNames] };
        const entrance = portEntrance(parts);
        portListener = open("admin port", () => entrance);
        await portListener.listen({ host, port: port.port });
      }
    },
    port: () => portListener?.port(),
    async stop() {
      streams.stop();
      socket?.remove();
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}

const refuseAll: Entrance = () => {
  throw new AdminError("unavailable", "the bridge is starting");
};

interface Answering {
  readonly entrance: Entrance;
  readonly tools: Tools;
  readonly streams: EventStreams;
  readonly clock: Clock;
  readonly log: Log;
}

/** Never rejects. */
async function answerRequest(request: IncomingMessage, response: ServerResponse, parts: Answering): Promise<void> {
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  try {
    const who = parts.entrance(request);
    response.setHeader(versionHeader, parts.tools.version);
    const [path = "", query = ""] = (request.url ?? "").split("?");
    if (!path.startsWith(`${base}/`)) throw new AdminError("not_found", `everything is below ${base}/`);
    const below = path.slice(base.length);
    if (below === "/events" && request.method === "GET") return parts.streams.open(response);
    if (below === "/openapi.json" && request.method === "GET") return send(response, 200, openApiDocument(routes));
    const found = findRoute(request.method ?? "", below, [...routes, ...otherRoutes]);
    const { status, body } = await carryOut(found.route, () => readAsked(found, new URLSearchParams(query), request), {
      ...parts,
      who,
      target: Object.values(found.parts)[0],
    });
    send(response, status, body);
  } catch (cause) {
    const { code, message, detail } = errorOf(cause, parts.log);
    for (const [name, value] of Object.entries(detail.headers ?? {})) response.setHeader(name, value);
    send(response, errorStatus[code], { code, message, field: detail.field });
  }
}

/** Known so that another method than theirs is refused in words. */
const otherRoutes = ["/events", "/openapi.json"].map((at) => ({ at, method: "get" }) as Route);

type AskedFor = Parameters<Route["handle"]>[0];

async function carryOut(
  route: Route,
  read: () => Promise<AskedFor>,
  parts: Answering & { readonly who: string; readonly target: string | undefined },
): Promise<{ readonly status: number; readonly body: unknown }> {
  let asked: AskedFor | undefined;
  let outcome = "internal";
  try {
    asked = await read();
    const body = await route.handle(asked, parts.tools);
    outcome = "done";
    return { status: route.status, body };
  } catch (cause) {
    if (cause instanceof AdminError) outcome = cause.code;
    throw cause;
  } finally {
    if (route.action !== undefined) await noteAction(route.action, asked && route.detail(asked), outcome, parts);
  }
}

/** Longer than any name or id. */
const longestNoted = 255;

async function noteAction(
  action: string,
  detail: string | undefined,
  outcome: string,
  { who, target, tools, clock, log }: Answering & { readonly who: string; readonly target: string | undefined },
): Promise<void> {
  const of = target?.slice(0, longestNoted);
  log.info("an admin acts", { who, action, of, detail, outcome });
  try {
    await tools.door.actions.note({ atMs: clock.wallMs(), who, action, target: of, detail, outcome });
  } catch (error) {
    log.warn("what an admin did is in the log alone: the store does not take it", { error });
  }
}

function errorOf(cause: unknown, log: Log): AdminError {
  if (cause instanceof AdminError) return cause;
  if (cause instanceof StoreError) return new AdminError("unavailable", `the store cannot be asked: ${cause.message}`);
  log.error("a request for admins failed", { error: cause });
  return new AdminError("internal", "a defect of the bridge; its log has more");
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.headersSent || response.destroyed) return;
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(`${JSON.stringify(body)}\n`);
}
