// The way from a command to the running bridge: over the admin API's socket, or its port where there is no socket.
import { request, type IncomingMessage, type RequestOptions } from "node:http";
import type * as z from "zod";
import { loadConfig } from "../../config/load.ts";
import { adminSocketPlaces, toAdminPort } from "../../config/mapping/admin-mapping.ts";
import { versionHeader } from "../../http/admin/admin-server.ts";
import { base } from "../../http/admin/openapi.ts";
import { errorBody, type ErrorCode } from "../../http/admin/wire/admin-error.ts";
import { exitCode } from "../exit-code.ts";
import type { Terminal } from "../terminal.ts";
import { packageVersion } from "../version.ts";

const timeoutMs = 20_000;

/** What a command ends with where the bridge does not do as asked. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exit: number;
  constructor(exit: number, message: string) {
    super(message);
    this.exit = exit;
  }
}

export interface Connection {
  /** Throws CommandFailure. */
  get<Answer>(path: string, answer: z.ZodType<Answer>): Promise<Answer>;
  send<Answer>(method: "POST" | "PUT", path: string, body: unknown, answer: z.ZodType<Answer>): Promise<Answer>;
}

interface Door {
  /** For people. */
  readonly name: string;
  readonly place: Pick<RequestOptions, "socketPath" | "host" | "port">;
  readonly token: string | undefined;
}

/** Throws ConfigError. */
export function connectTo(configPath: string, terminal: Terminal, patienceMs = timeoutMs): Connection {
  const config = loadConfig(configPath, terminal.env);
  const sockets = adminSocketPlaces(config, { configPath, env: terminal.env });
  const port = toAdminPort(config);
  const doors: Door[] = sockets.map((socketPath) => ({ name: socketPath, place: { socketPath }, token: undefined }));
  if (doors.length === 0 && port !== undefined) {
    const host = reachable(port.host);
    doors.push({ name: `${host}:${port.port}`, place: { host, port: port.port }, token: port.token });
  }
  if (doors.length === 0) {
    const message = `${configPath} has the admin API off: turn on admin.socket, or set admin.listen`;
    throw new CommandFailure(exitCode.config, message);
  }
  return openConnection(doors, terminal, patienceMs);
}

function openConnection(doors: readonly Door[], terminal: Terminal, patienceMs: number): Connection {
  let isWarned = false;
  async function ask<Answer>(asking: Asking, answer: z.ZodType<Answer>): Promise<Answer> {
    const { status, text, version } = await askAny(doors, asking, patienceMs);
    const differs = version !== undefined && version !== packageVersion();
    const words = `the running bridge is version ${version}, and this command is of version ${packageVersion()}`;
    if (differs && !isWarned) terminal.err(`warning: ${words}\n`);
    isWarned ||= differs;
    const body = parsed(text);
    if (status >= 300) throw failureOf(status, body);
    const found = answer.safeParse(body);
    if (found.success) return found.data;
    const why = differs ? `${words}: restart the bridge, or use its own command` : "it is not what was asked for";
    throw new CommandFailure(exitCode.start, `the answer is not understood: ${why}`);
  }
  return {
    get: (path, answer) => ask({ method: "GET", path, body: undefined }, answer),
    send: (method, path, body, answer) => ask({ method, path, body }, answer),
  };
}

/** By which exit code a refusal is told; every other one may be gone the next time. */
const exitByCode: Readonly<Partial<Record<ErrorCode, number>>> = {
  bad_request: exitCode.usage,
  unprocessable: exitCode.usage,
  not_found: exitCode.usage,
  unauthorized: exitCode.config,
  forbidden: exitCode.config,
  internal: exitCode.fault,
};

function failureOf(status: number, body: unknown): CommandFailure {
  const refusal = errorBody.safeParse(body);
  if (!refusal.success) return new CommandFailure(exitCode.start, `something else than the bridge answers (${status})`);
  const { code, message } = refusal.data;
  return new CommandFailure(exitByCode[code] ?? exitCode.start, message);
}

interface Asking {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly version: string | undefined;
}

/** At the first door behind which somebody is. */
async function askAny(doors: readonly Door[], asking: Asking, patienceMs: number): Promise<Answered> {
  const names = doors.map(({ name }) => name).join(" or ");
  for (const door of doors) {
    const { name } = door;
    try {
      return await askAt(door, asking, patienceMs);
    } catch (cause) {
      const code = cause instanceof Error && "code" in cause ? String(cause.code) : "failed";
      if (code === "EACCES" || code === "EPERM") {
        const message = `${name} is not for this user: run the command as the user that runs the bridge, or as root`;
        throw new CommandFailure(exitCode.start, message);
      }
      if (!["ENOENT", "ECONNREFUSED", "ENOTDIR"].includes(code))
        throw new CommandFailure(exitCode.start, `the bridge does not answer at ${name}: ${code}`);
    }
  }
  throw new CommandFailure(exitCode.start, `no bridge runs here: nobody listens at ${names}`);
}

function askAt({ place, token }: Door, { method, path, body }: Asking, timeout: number): Promise<Answered> {
  const text = body === undefined ? undefined : JSON.stringify(body);
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(text === undefined ? {} : { "content-type": "application/json" }),
  };
  return new Promise((resolve, reject) => {
    const asked = request({ ...place, method, path: base + path, headers, timeout }, (response) => {
      void textOf(response).then((answer) => {
        const version = response.headers[versionHeader];
        const known = typeof version === "string" ? version : undefined;
        resolve({ status: response.statusCode ?? 0, text: answer, version: known });
      }, reject);
    });
    asked.once("timeout", () => asked.destroy(Object.assign(new Error("no answer"), { code: "no answer in time" })));
    asked.once("error", reject);
    asked.end(text);
  });
}

async function textOf(response: IncomingMessage): Promise<string> {
  response.setEncoding("utf8");
  let text = "";
  for await (const chunk of response as AsyncIterable<string>) text += chunk;
  return text;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A listener on every address is on this one too. */
function reachable(host: string): string {
  if (host === "0.0.0.0") return "127.0.0.1";
  return host === "::" ? "::1" : host;
}
