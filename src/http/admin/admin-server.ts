// The admin API: HTTP and JSON over a Unix socket, and over a port where the configuration names one. Knows the bridge by its
// front door alone (ports/admin).
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminDoor } from "../../ports/admin/admin-door.ts";
import type { Clock } from "../../ports/clock.ts";
import { StoreError, type AdminAction } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { createListener, type Listener } from "../listener.ts";
import { tokenCheck } from "../token.ts";
import { listenOnSocket, SocketError, type OpenSocket } from "../unix-socket.ts";
import { WrongTokens } from "../wrong-tokens.ts";
import { AdminError, errorStatus } from "./wire/admin-error.ts";
import { findRoute, readAsked, type Found } from "./asked.ts";
import { readConsoleFiles, serveFile, type ConsoleFiles } from "./console-files.ts";
import { logIn, type LoginParts } from "./access/login.ts";
import { Sessions } from "./access/sessions.ts";
import { portEntrance, refusePages, socketEntrance, type Entrance, type Visitor } from "./access/entrance.ts";
import { EventStreams } from "./event-stream.ts";
import { base, openApiDocument } from "./openapi.ts";
import type { Route, Tools, Visit } from "./routes/route.ts";
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
  /** The folder of the console's files, which the port serves; undefined: no console. */
  readonly consoleFolder: string | undefined;
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
  const { door, clock, log, version, wholeNumbers, socketPath, port, consoleFolder } = options;
  const tools: Tools = { door, version, startedAtMs: clock.wallMs(), wholeNumbers };
  const streams = new EventStreams(door, clock);
  const sessions = new Sessions(clock, (person) => door.logins.isAdmin(person));
  const listeners: Listener[] = [];
  let socket: OpenSocket | undefined;
  let portListener: Listener | undefined;
  const open = (name: string, place: () => Place): Listener => {
    const answer = (request: IncomingMessage, response: ServerResponse): void =>
      void answerRequest(request, response, { ...place(), tools, streams, clock, log });
    const listener = createListener(answer, name, log);
    listeners.push(listener);
    return listener;
  };
  return {
    async start() {
      if (socketPath !== undefined) {
        let entrance: Entrance | undefined;
        // Nobody can ask before it is there.
        const listener = open("admin socket", () => ({ entrance: entrance ?? refuseAll, console: undefined }));
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
        const parts = { check: tokenCheck(token), wrong: new WrongTokens(clock, log), sessions, logins: door.logins };
        const entrance = portEntrance({ ...parts, hostNames: [host, ...hostNames] });
        const onLogin: LoginParts["onLogin"] = (who, way) =>
          noteAction({ who, action: "log in", detail: `by ${way}`, outcome: "done", target: undefined }, place);
        const files = consoleFolder === undefined ? undefined : filesIn(consoleFolder, log);
        const place = { entrance, console: files && { files, login: { ...parts, onLogin } }, tools, clock, log };
        portListener = open("admin port", () => place);
        await portListener.listen({ host, port: port.port });
      }
    },
    port: () => portListener?.port(),
    async stop() {
      streams.stop();
      sessions.stop();
      socket?.remove();
      await Promise.all(listeners.map((listener) => listener.stop()));
    },
  };
}

/** Undefined where they cannot be read, which is no reason to carry no calls. */
function filesIn(folder: string, log: Log): ConsoleFiles | undefined {
  try {
    const files = readConsoleFiles(folder);
    if (files.has("/")) return files;
    log.error("there is no console: its folder has no page; see admin.console", { folder });
  } catch (error) {
    log.error("there is no console: its files cannot be read; see admin.console", { folder, error });
  }
  return undefined;
}

const refuseAll: Entrance = {
  open() {
    throw new AdminError("unavailable", "the bridge is starting");
  },
  identify() {
    throw new AdminError("unavailable", "the bridge is starting");
  },
};

/** Where a request comes in. */
interface Place {
  readonly entrance: Entrance;
  /** Undefined: it is not served there. */
  readonly console: { readonly files: ConsoleFiles; readonly login: LoginParts } | undefined;
}

interface Noting {
  readonly tools: Tools;
  readonly clock: Clock;
  readonly log: Log;
}

interface Answering extends Place, Noting {
  readonly streams: EventStreams;
}

/** Never rejects. */
async function answerRequest(request: IncomingMessage, response: ServerResponse, parts: Answering): Promise<void> {
  const { entrance, console, tools, streams, log } = parts;
  response.setHeader("cache-control", "no-store");
  response.setHeader("x-content-type-options", "nosniff");
  response.setHeader("content-security-policy", "default-src 'none'; frame-ancestors 'none'");
  try {
    entrance.open(request);
    const { method = "" } = request;
    const [path = "", query = ""] = (request.url ?? "").split("?");
    // They hold nothing secret, and an admin may come to the page from anywhere, by a link.
    if (console !== undefined && serveFile(console.files, path, request, response)) return;
    refusePages(request.headers);
    const below = path.startsWith(`${base}/`) ? path.slice(base.length) : undefined;
    const isLogin = method === "POST" && below === "/session" && console !== undefined;
    const visitor = isLogin ? stranger : entrance.identify(request);
    response.setHeader(versionHeader, tools.version);
    if (below === undefined) throw new AdminError("not_found", `everything is below ${base}/`);
    if (below === "/events" && method === "GET") return streams.open(response, visitor.session, isMeasured(query));
    if (below === "/openapi.json" && method === "GET") return send(response, 200, openApiDocument(routes));
    const found = findRoute(method, below, [...routes, ...otherRoutes]);
    const visit: Visit = {
      ...visitor,
      logIn: console && ((order) => logIn(order, request, response, console.login)),
    };
    const { status, body } = await carryOut(
      found,
      () => readAsked(found, new URLSearchParams(query), request),
      visit,
      parts,
    );
    send(response, status, body);
  } catch (cause) {
    const { code, message, detail } = errorOf(cause, log);
    for (const [name, value] of Object.entries(detail.headers ?? {})) response.setHeader(name, value);
    send(response, errorStatus[code], { code, message, field: detail.field });
  }
}

/** Whoever logs in shows who it is in what they ask. */
const stranger: Visitor = { who: "stranger", session: undefined };

/** Throws AdminError. */
function isMeasured(query: string): boolean {
  const given = new URLSearchParams(query).get("measured") ?? "false";
  if (given === "true" || given === "false") return given === "true";
  throw new AdminError("bad_request", "measured: should be true or false", { field: "measured" });
}

/** Known so that another method than theirs is refused in words. */
const otherRoutes = ["/events", "/openapi.json"].map((at) => ({ at, method: "get" }) as Route);

type AskedFor = Parameters<Route["handle"]>[0];

async function carryOut(
  { route, parts: named }: Found,
  read: () => Promise<AskedFor>,
  visit: Visit,
  parts: Noting,
): Promise<{ readonly status: number; readonly body: unknown }> {
  let asked: AskedFor | undefined;
  let outcome = "internal";
  try {
    asked = await read();
    const body = await route.handle(asked, parts.tools, visit);
    outcome = "done";
    return { status: route.status, body };
  } catch (cause) {
    if (cause instanceof AdminError) outcome = cause.code;
    throw cause;
  } finally {
    if (route.action !== undefined) {
      const detail = asked && route.detail(asked, parts.tools);
      const target = Object.values(named)[0]?.slice(0, longestNoted);
      await noteAction({ who: visit.who, action: route.action, target, detail, outcome }, parts);
    }
  }
}

/** Longer than any name or id. */
const longestNoted = 255;

async function noteAction(noted: Omit<AdminAction, "atMs">, { tools, clock, log }: Noting): Promise<void> {
  const { who, action, target: of, detail, outcome } = noted;
  log.info("an admin acts", { who, action, of, detail, outcome });
  try {
    await tools.door.actions.note({ ...noted, atMs: clock.wallMs() });
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
