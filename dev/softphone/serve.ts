// Serves the built page, by one JSON route whom it signs in as and where, and by another a call to that person.
import { once } from "node:events";
import { readFile, readdir } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, relative, sep } from "node:path";
import { listen } from "../loopback/listen.ts";
import { buildSoftphone } from "./build.ts";
import type { SoftphoneConfig } from "./page/config.ts";
import { configPath, ringHeader, ringPath } from "./page/config.ts";

export type SoftphoneOptions = {
  /** 0 or absent: a free one. A taken one rejects with EADDRINUSE. */
  readonly port?: number;
  readonly host?: string;
  /** Has `ownNumber` called; what it rejects with is told to the person. */
  readonly ring?: () => Promise<unknown>;
} & SoftphoneConfig;

export type Softphone = {
  readonly url: string;
  stop(): Promise<void>;
};

type File = { readonly type: string; readonly body: Buffer };

const types: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Builds the page first, where that has not been done. */
export async function serveSoftphone(options: SoftphoneOptions): Promise<Softphone> {
  const { port = 0, host = "127.0.0.1", homeserverUrl, user, password, numbers, ownNumber, ring } = options;
  const config: SoftphoneConfig = { homeserverUrl, user, password, numbers, ...(ownNumber && { ownNumber }) };
  const files = await readFiles(await buildSoftphone());
  const configFile = { type: "application/json", body: Buffer.from(JSON.stringify(config)) };
  const security = {
    "content-security-policy": `default-src 'self'; connect-src 'self' ${new URL(homeserverUrl).origin}; img-src 'self' data:; style-src 'self' 'unsafe-inline'; media-src 'self' blob: mediastream:; frame-ancestors 'none'`,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
  };

  const answerRing = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const say = (status: number, words = ""): void => {
      response.writeHead(status, { ...security, "content-type": "text/plain; charset=utf-8" }).end(words);
    };
    if (ring === undefined) return say(404);
    if (request.method !== "POST") return say(405);
    // A page of another site would have to ask before it may send this header, and nobody answers that.
    if (request.headers[ringHeader] === undefined) return say(403);
    try {
      await ring();
      say(204);
    } catch (error) {
      say(503, error instanceof Error ? error.message : "The call could not be made");
    }
  };

  const server = createServer((request, response) => {
    const path = (request.url ?? "/").replace(/\?.*$/, "");
    if (path === ringPath) {
      void answerRing(request, response);
      return;
    }
    const file = path === configPath ? configFile : files.get(path === "/" ? "/index.html" : path);
    if (!file || (request.method !== "GET" && request.method !== "HEAD")) {
      response.writeHead(file ? 405 : 404, { ...security, "content-type": "text/plain" }).end();
      return;
    }
    response.writeHead(200, {
      ...security,
      "content-type": file.type,
      "content-length": file.body.length,
      "cache-control": "no-store",
    });
    response.end(request.method === "HEAD" ? undefined : file.body);
  });
  await listen(server, port, host);
  const address = server.address() as AddressInfo;
  return {
    // "localhost" is a secure context by any name, which the microphone needs.
    url: `http://${host === "0.0.0.0" || host === "::" ? "localhost" : host}:${address.port}`,
    stop: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

// All of it in memory, by the path it is asked for: no request reaches the file system.
async function readFiles(folder: string): Promise<Map<string, File>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = new Map<string, File>();
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    const type = types[extname(entry.name)] ?? "application/octet-stream";
    files.set(`/${relative(folder, path).replaceAll(sep, "/")}`, { type, body: await readFile(path) });
  }
  return files;
}
