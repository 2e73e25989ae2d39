// HTTP around the router: reads bodies within a limit, drops those that are files, turns answers and errors into JSON,
// lets browsers of any origin in (client-server API "Web browser clients").
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { JsonObject } from "./json.ts";
import { isJsonObject, parseJson } from "./json.ts";
import { MatrixError, badJson } from "./matrix-error.ts";
import type { Answer, RequestFacts } from "./router.ts";

export type Dispatch = (facts: RequestFacts) => Promise<Answer>;

const maxBodyBytes = 1024 * 1024;

const corsHeaders = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE, OPTIONS",
  "access-control-allow-headers": "X-Requested-With, Content-Type, Authorization, Date",
  "access-control-max-age": "86400",
};

/** `stopped` ends the requests that still wait for news. */
export function createHttpServer(dispatch: Dispatch, stopped: AbortSignal): Server {
  return createServer((request, response) => {
    void answer(dispatch, stopped, request, response);
  });
}

async function answer(
  dispatch: Dispatch,
  stopped: AbortSignal,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on("error", () => response.destroy());
  if (request.method === "OPTIONS") {
    response.writeHead(204, corsHeaders).end();
    return;
  }
  const gone = new AbortController();
  response.on("close", () => gone.abort());
  try {
    const [path, query] = splitOnce(request.url ?? "/", "?");
    const answered = await dispatch({
      method: request.method ?? "GET",
      path,
      query: new URLSearchParams(query),
      authorization: request.headers.authorization,
      body: await readBody(request),
      gone: AbortSignal.any([gone.signal, stopped]),
    });
    write(response, 200, answered);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (error instanceof MatrixError) write(response, error.status, error.toJSON());
    else {
      console.error("dev homeserver: a request failed", error);
      write(response, 500, { errcode: "M_UNKNOWN", error: "Internal server error" });
    }
  }
}

function write(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return;
  const json = Buffer.from(JSON.stringify(body));
  response
    .writeHead(status, {
      ...corsHeaders,
      "content-type": "application/json",
      "content-length": json.length,
      "cache-control": "no-store",
    })
    .end(json);
}

async function readBody(request: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBodyBytes) throw new MatrixError(413, "M_TOO_LARGE", "Request body too large");
    chunks.push(chunk);
  }
  if (bytes === 0 || isFile(request.headers["content-type"])) return {};
  const body = parseJson(Buffer.concat(chunks).toString("utf8"));
  if (body === undefined) throw new MatrixError(400, "M_NOT_JSON", "Content not JSON.");
  if (!isJsonObject(body)) throw badJson("Content must be a JSON object.");
  return body;
}

/** Clients leave the type of JSON out, or call it text. */
function isFile(contentType = ""): boolean {
  return /^(?:image|audio|video)\/|^application\/octet-stream\b/.test(contentType);
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at === -1 ? [text, ""] : [text.slice(0, at), text.slice(at + separator.length)];
}
