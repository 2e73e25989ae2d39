// Requests from the homeserver to one application service: /_matrix/app/v1 only, the
// hs_token as a Bearer, never in the query. Every outcome is a value; nothing is retried
// here. Plain node:http, because fetch would normalise the path that is to arrive as is.
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { parseJson } from "../http/json.ts";
import type { Appservice } from "./registration.ts";

/** `body` is undefined where it is not JSON. Accepted is any 2xx, refused any other status. */
export type AppserviceAnswer =
  | { readonly outcome: "accepted" | "refused"; readonly status: number; readonly body: unknown }
  | { readonly outcome: "timed out" }
  | { readonly outcome: "unreachable"; readonly cause: Error };

const maxAnswerBytes = 4 * 1024 * 1024;

export class AppserviceConnection {
  readonly appservice: Appservice;
  readonly #timeoutMs: number;
  readonly #stopped = new AbortController();

  constructor(appservice: Appservice, timeoutMs: number) {
    this.appservice = appservice;
    this.#timeoutMs = timeoutMs;
  }

  /** `path` is everything after `/_matrix/app/v1`, already encoded. */
  async send(method: "GET" | "POST" | "PUT", path: string, body?: object): Promise<AppserviceAnswer> {
    const { url, hsToken } = this.appservice;
    if (url === null) return { outcome: "unreachable", cause: new Error("it has no url") };
    const timeout = AbortSignal.timeout(this.#timeoutMs);
    try {
      const { status, text } = await exchange(
        `${url}/_matrix/app/v1${path}`,
        method,
        hsToken,
        body === undefined ? undefined : JSON.stringify(body),
        AbortSignal.any([timeout, this.#stopped.signal]),
      );
      const outcome = status >= 200 && status < 300 ? "accepted" : "refused";
      return { outcome, status, body: parseJson(text) };
    } catch (cause) {
      if (timeout.aborted) return { outcome: "timed out" };
      return { outcome: "unreachable", cause: cause instanceof Error ? cause : new Error("failed", { cause }) };
    }
  }

  stop(): void {
    this.#stopped.abort();
  }
}

function exchange(
  url: string,
  method: string,
  hsToken: string,
  body: string | undefined,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const { protocol, hostname, port } = new URL(url);
  // The path as it was written: URL would resolve dots and re-encode.
  const path = url.slice(url.indexOf("/", protocol.length + 2));
  const send = protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send({
      hostname: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      path,
      method,
      signal,
      // A fresh connection each time: a kept one may be closing as it is used.
      agent: false,
      headers: {
        authorization: `Bearer ${hsToken}`,
        "user-agent": "dev-homeserver",
        accept: "application/json",
        ...(body !== undefined && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        }),
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxAnswerBytes) request.destroy(new Error("answer too large"));
        else chunks.push(chunk);
      });
      response.on("error", reject);
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") });
      });
    });
    request.end(body);
  });
}
