// Kept connections to the homeserver. Knows HTTP, the token and who a request is made as; what an answer means is read
// elsewhere.
import { type Dispatcher, EnvHttpProxyAgent } from "undici";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** From `/_matrix/` on, escaped, with its query. */
  readonly path: string;
  readonly body?: { readonly type: string; readonly content: string | Uint8Array } | undefined;
  /** From the request to the last byte of its answer, connecting included. */
  readonly timeoutMs: number;
  /** Whose request it is, if it is not that of the application service. */
  readonly token?: string | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  /** The answer's JSON, or its text where it is none. */
  readonly body: unknown;
  /** The Retry-After header. */
  readonly retryAfter: string | undefined;
  /** Where a redirect leads, as a base address if it keeps the request's path. Nobody follows it: the token is not for others. */
  readonly redirectedTo: string | undefined;
}

/** Sees each request while it is made. */
export type RequestWatch = (request: HttpRequest, work: () => Promise<HttpAnswer>) => Promise<HttpAnswer>;

/**
 * No request waits behind another on one connection, because a join can take the homeserver many seconds. More than this many
 * at once wait for a free one.
 */
const mostConnections = 128;
/** Shorter than the 60 to 75 s of usual servers and proxies, unless the server says otherwise. */
const keepAliveMs = 50_000;

export class Connections {
  readonly #dispatcher: Dispatcher;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #authorization: string;

  readonly #watch: RequestWatch;

  /** @param url base address of the client-server API, without `/_matrix` */
  constructor(url: string, token: string, watch: RequestWatch = (_request, work) => work()) {
    this.#watch = watch;
    const { origin, pathname } = new URL(url);
    this.#origin = origin;
    this.#prefix = pathname.replace(/\/$/, "");
    this.#authorization = `Bearer ${token}`;
    // Goes through a proxy where http_proxy and its like name one. Many refuse a tunnel to a port that is not for TLS.
    const proxyTunnel = false;
    this.#dispatcher = new EnvHttpProxyAgent({
      connections: mostConnections,
      keepAliveTimeout: keepAliveMs,
      proxyTunnel,
    });
  }

  /** Throws the network's errors with their `code`. */
  request(request: HttpRequest): Promise<HttpAnswer> {
    return this.#watch(request, () => this.#send(request));
  }

  #send({ method, path, body, timeoutMs, token }: HttpRequest): Promise<HttpAnswer> {
    const authorization = token === undefined ? this.#authorization : `Bearer ${token}`;
    return new Promise((resolve, reject) => {
      let controller: Dispatcher.DispatchController | undefined;
      let late: Error | undefined;
      let status = 0;
      let retryAfter: string | undefined;
      let location: string | undefined;
      const chunks: Buffer[] = [];
      const timer = setTimeout(() => {
        late = Object.assign(new Error("no answer in time"), { code: "ETIMEDOUT" });
        controller?.abort(late);
        reject(late);
      }, timeoutMs);
      this.#dispatcher.dispatch(
        {
          origin: this.#origin,
          method,
          path: this.#prefix + path,
          headers: body === undefined ? { authorization } : { authorization, "content-type": body.type },
          body: body?.content ?? null,
          // The timer above is exact, and covers more.
          headersTimeout: 0,
          bodyTimeout: 0,
        },
        {
          onRequestStart(started) {
            controller = started;
            if (late !== undefined) started.abort(late);
          },
          onResponseStart(_controller, statusCode, headers) {
            status = statusCode;
            retryAfter = textOf(headers["retry-after"]);
            location = textOf(headers["location"]);
          },
          onResponseData(_controller, chunk) {
            chunks.push(chunk);
          },
          onResponseEnd: () => {
            clearTimeout(timer);
            const text = chunks.length === 1 ? String(chunks[0]) : Buffer.concat(chunks).toString();
            resolve({ status, body: read(text), retryAfter, redirectedTo: this.#baseOf(location, path) });
          },
          onResponseError(_controller, error) {
            clearTimeout(timer);
            reject(error);
          },
        },
      );
    });
  }

  /** Without what the request itself put behind the base address, ids of people in its query above all. */
  #baseOf(location: string | undefined, requested: string): string | undefined {
    if (location === undefined || !URL.canParse(location, this.#origin)) return undefined;
    const { origin, pathname } = new URL(location, this.#origin);
    const path = requested.replace(/\?.*/, "");
    return origin + (pathname.endsWith(path) ? pathname.slice(0, -path.length) : pathname);
  }

  /** What is under way is given up. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}

function textOf(header: string | string[] | undefined): string | undefined {
  return typeof header === "string" ? header : undefined;
}

function read(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
