// The admin API over a fake door, on a socket and a port.
import { request } from "node:http";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { createAdminServer, type AdminServerOptions } from "../../../src/http/admin/admin-server.ts";
import { FakeDoor } from "../../fakes/admin-door.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";
import { collectingLog, type LogLine } from "../../matrix/edge-rig.ts";

export const token = "0123456789abcdef0123456789";

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "admin-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** Of JSON. */
  readonly body: unknown;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** As it is, in place of `body`. */
  readonly rawBody?: string;
}

type Place = { readonly socketPath: string } | { readonly port: number };

export function ask(place: Place, path: string, asking: Asking = {}): Promise<Answer> {
  const { method = "GET", body, rawBody = body === undefined ? undefined : JSON.stringify(body) } = asking;
  const headers = { ...(rawBody === undefined ? {} : { "content-type": "application/json" }), ...asking.headers };
  return new Promise((resolve, reject) => {
    const asked = request({ host: "127.0.0.1", ...place, path, method, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        const isJson = response.headers["content-type"] === "application/json";
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          body: isJson ? JSON.parse(text) : undefined,
        });
      });
    });
    asked.once("error", reject).end(rawBody);
  });
}

export async function startAdmin(options: Partial<AdminServerOptions> = {}) {
  const door = new FakeDoor();
  const clock = new VirtualClock();
  const lines: LogLine[] = [];
  const socketPath = join(newFolder(), "a.sock");
  const server = createAdminServer({
    door,
    socketPath,
    port: { host: "127.0.0.1", port: 0, token, hostNames: ["bridge.example.org"] },
    consoleFolder: undefined,
    wholeNumbers: false,
    version: "1.2.3",
    clock,
    log: collectingLog(lines),
    ...options,
  });
  await server.start();
  onTestFinished(() => server.stop());
  const port = server.port() ?? 0;
  return {
    door,
    clock,
    lines,
    server,
    socketPath,
    port,
    /** Over the socket. */
    ask: (path: string, asking?: Asking) => ask({ socketPath }, `/admin/v1${path}`, asking),
    /** Over the port, with the token unless the headers say otherwise. */
    askPort: (path: string, { headers, ...asking }: Asking = {}) =>
      ask({ port }, `/admin/v1${path}`, { ...asking, headers: { authorization: `Bearer ${token}`, ...headers } }),
  };
}
