// A peer that answers requests as the test scripts it: failing, slow, limiting or nonsensical, as real ones are at times.
import { createServer, type ServerResponse } from "node:http";
import { onTestFinished } from "vitest";
import { listen } from "../../dev/loopback/listen.ts";
import type { Clock } from "../../src/ports/clock.ts";

interface ScriptedRequest {
  readonly method: string;
  /** Path with the query, as it came. */
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** JSON with a status; `hang-up` closes the connection instead; a function does as it likes. */
export type ScriptedAnswer =
  | "hang-up"
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | ((response: ServerResponse) => void);

export interface ScriptedHomeserver {
  readonly url: string;
  readonly requests: readonly ScriptedRequest[];
}

/** Answers the requests in turn; when the script is at its end, the last answer stays. */
export async function startScripted(answers: readonly ScriptedAnswer[]): Promise<ScriptedHomeserver> {
  const requests: ScriptedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString("utf8");
      requests.push({
        method: request.method ?? "",
        url: request.url ?? "",
        authorization: request.headers.authorization,
        body: text === "" ? undefined : JSON.parse(text),
      });
      const answer = answers[Math.min(requests.length, answers.length) - 1] ?? "hang-up";
      if (answer === "hang-up") request.socket.destroy();
      else if (typeof answer === "function") answer(response);
      else {
        response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
        response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
      }
    });
  });
  const port = await listen(server);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, requests };
}

/** A clock on which every wait is over at once, and which remembers how long each was to be. */
export class HastyClock implements Clock {
  readonly waitsMs: number[] = [];
  #nowMs = 1_800_000_000_000;
  #ids = 0;

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  at(atMs: number, then: () => void): () => void {
    const soon = setImmediate(() => {
      this.waitsMs.push(atMs - this.#nowMs);
      this.#nowMs = Math.max(this.#nowMs, atMs);
      then();
    });
    return () => clearImmediate(soon);
  }

  newId(): string {
    return `id${++this.#ids}`;
  }
}
