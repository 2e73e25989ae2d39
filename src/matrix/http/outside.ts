// Requests to servers other than the homeserver: services that hand out tokens for media servers, `.well-known`. Short answers,
// little time, no redirects save from `.well-known`: whom the bridge asks is decided by who asks here, not by who answers.
import { EnvHttpProxyAgent, request } from "undici";
import type { Clock } from "../../ports/clock.ts";

interface OutsideRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  /** Becomes JSON. */
  readonly body?: unknown;
  readonly timeoutMs: number;
}

export interface OutsideAnswer {
  readonly status: number;
  /** The answer's JSON, undefined where it is none. */
  readonly body: unknown;
  /** Where a redirect leads, whole. */
  readonly location?: string | undefined;
  /** The Date header. */
  readonly date?: string | undefined;
}

/** Throws the network's errors with their `code`; one without where the answer is too long or took too long. */
export type AskOutside = (request: OutsideRequest) => Promise<OutsideAnswer>;

/** A token has some hundred bytes, `.well-known` some thousand. */
const mostBytes = 64 * 1024;
/** Domains lead from one to another to the file once or twice. */
const mostRedirects = 5;
const movedStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

export class Outside {
  readonly #dispatcher = new EnvHttpProxyAgent({ proxyTunnel: false });

  readonly ask: AskOutside = async ({ method, url, body, timeoutMs }) => {
    const answer = await request(url, {
      dispatcher: this.#dispatcher,
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of answer.body as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > mostBytes) throw new Error("the answer is too long");
      chunks.push(chunk);
    }
    const { location, date } = answer.headers;
    return {
      status: answer.statusCode,
      body: jsonIn(Buffer.concat(chunks).toString()),
      location: typeof location === "string" && URL.canParse(location, url) ? new URL(location, url).href : undefined,
      date: typeof date === "string" ? date : undefined,
    };
  };

  /** What is under way is given up. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}

/** Reads a file that may have moved, from https to https alone. The last answer is a redirect where it leads too far. */
export async function readMoved(
  ask: AskOutside,
  first: string,
  timeoutMs: number,
  clock: Pick<Clock, "nowMs">,
): Promise<OutsideAnswer> {
  const untilMs = clock.nowMs() + timeoutMs;
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await ask({ method: "GET", url, timeoutMs: Math.max(1, untilMs - clock.nowMs()) });
    const { status, location } = answer;
    const isFollowed = movedStatuses.has(status) && location?.startsWith("https://") === true;
    if (!isFollowed || redirects === mostRedirects) return answer;
    url = location;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
