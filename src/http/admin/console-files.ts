// The files of the console, read once when the bridge starts: what is not among them cannot be asked for.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname, join, relative, sep } from "node:path";
import { gzipSync } from "node:zlib";

interface ConsoleFile {
  readonly body: Buffer;
  /** Undefined where it would save nothing. */
  readonly packed: Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** By path, which begins with `/`. */
export type ConsoleFiles = ReadonlyMap<string, ConsoleFile>;

const types: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".ico": "image/x-icon",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".woff2": "font/woff2",
};
const packable = /^(?:text\/|application\/(?:json|manifest)|image\/svg)/;
/** So vite names what never changes: with a hash of what is in it. */
const hashed = /^\/assets\/.+-[\w-]{8}\.\w+$/;

const none = ["camera", "display-capture", "geolocation", "microphone", "midi", "payment", "usb"];

/** Of every page: it loads and asks from its own address alone, runs nothing that stands in it, and is shown in no other. */
const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    ...["script", "style", "connect", "img", "font", "manifest", "media"].map((kind) => `${kind}-src 'self'`),
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": none.map((feature) => `${feature}=()`).join(", "),
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** Throws where the folder cannot be read. Files of a kind that browsers do not need are left out. */
export function readConsoleFiles(folder: string): ConsoleFiles {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = new Map<string, ConsoleFile>();
  for (const { parentPath, name } of entries) {
    const type = types[extname(name)];
    if (type === undefined) continue;
    const file = join(parentPath, name);
    const path = `/${relative(folder, file).split(sep).join("/")}`;
    files.set(path === "/index.html" ? "/" : path, fileOf(path, type, readFileSync(file)));
  }
  return files;
}

function fileOf(path: string, type: string, body: Buffer): ConsoleFile {
  const packed = packable.test(type) ? gzipSync(body, { level: 9 }) : undefined;
  return {
    body,
    packed: packed !== undefined && packed.length < body.length ? packed : undefined,
    headers: {
      ...pageHeaders,
      "content-type": type,
      "cache-control": hashed.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
      etag: `"${createHash("sha256").update(body).digest("base64url")}"`,
    },
  };
}

/** False: there is no such file, and nothing was answered. */
export function serveFile(
  files: ConsoleFiles,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const file = files.get(path);
  if (file === undefined) return false;
  for (const [name, value] of Object.entries(file.headers)) response.setHeader(name, value);
  if (file.packed !== undefined) response.setHeader("vary", "accept-encoding");
  if (request.method !== "GET" && request.method !== "HEAD") {
    response.writeHead(405, { allow: "GET, HEAD" }).end();
    return true;
  }
  if (request.headers["if-none-match"] === file.headers["etag"]) {
    response.writeHead(304).end();
    return true;
  }
  const isPacked = file.packed !== undefined && /\bgzip\b/.test(request.headers["accept-encoding"] ?? "");
  const body = isPacked ? file.packed : file.body;
  if (isPacked) response.setHeader("content-encoding", "gzip");
  response.writeHead(200, { "content-length": body.length }).end(request.method === "HEAD" ? undefined : body);
  return true;
}
