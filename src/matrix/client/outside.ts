// Requests to servers other than the homeserver: services that hand out tokens for media servers, `.well-known`. Short answers,
// little time, no redirects: whom the bridge asks is decided by who asks here, not by who answers.
import { EnvHttpProxyAgent, request } from "undici";

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
}

/** Throws the network's errors with their `code`; one without where the answer is too long or took too long. */
export type AskOutside = (request: OutsideRequest) => Promise<OutsideAnswer>;

/** A token has some hundred bytes, `.well-known` some thousand. */
const mostBytes = 64 * 1024;

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
    return { status: answer.statusCode, body: jsonIn(Buffer.concat(chunks).toString()) };
  };

  /** What is under way is given up. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
