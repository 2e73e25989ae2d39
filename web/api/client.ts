// Asks the bridge. The session's cookie says who does.
import type { ErrorBody } from "./types.ts";

const base = "/admin/v1";

/** `unreachable`: no answer came, or not the bridge's. */
export type ProblemCode = ErrorBody["code"] | "unreachable";

export class Problem extends Error {
  override readonly name = "Problem";
  readonly code: ProblemCode;
  readonly field: string | undefined;
  constructor(code: ProblemCode, message: string, field?: string) {
    super(message);
    this.code = code;
    this.field = field;
  }
}

interface Asking {
  readonly method?: "GET" | "POST" | "PUT" | "DELETE";
  readonly body?: unknown;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal | undefined;
}

export interface Client {
  /** Rejects with Problem. */
  ask<Answer>(path: string, asking?: Asking): Promise<Answer>;
  /** The answer as it comes. Rejects with Problem unless it is what was asked for. */
  open(path: string, asking?: Asking): Promise<Response>;
}

/** `onSignedOut`: the bridge does not know whoever asks (any more). */
export function createClient(onSignedOut: () => void): Client {
  async function open(path: string, { method = "GET", body, query, signal }: Asking = {}): Promise<Response> {
    const search = new URLSearchParams(
      Object.entries(query ?? {}).flatMap(([name, value]) => (value ? [[name, value]] : [])),
    );
    let response: Response;
    try {
      response = await fetch(`${base}${path}${search.size === 0 ? "" : `?${search.toString()}`}`, {
        method,
        cache: "no-store",
        headers: {
          // No page of another place can send this.
          "x-console": "1",
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (cause) {
      if (signal?.aborted === true) throw cause;
      throw new Problem("unreachable", cause instanceof Error ? cause.message : "");
    }
    if (response.ok) return response;
    const problem = problemOf(await response.json().catch(() => undefined), response.status);
    if (problem.code === "unauthorized") onSignedOut();
    throw problem;
  }
  return {
    open,
    async ask<Answer>(path: string, asking?: Asking) {
      const response = await open(path, asking);
      if (response.status === 204) return undefined as Answer;
      return (await response.json().catch(() => {
        throw new Problem("unreachable", `${response.status}`);
      })) as Answer;
    },
  };
}

function problemOf(body: unknown, status: number): Problem {
  const { code, message, field } = (body ?? {}) as Partial<ErrorBody>;
  if (typeof code !== "string" || typeof message !== "string") return new Problem("unreachable", `HTTP ${status}`);
  return new Problem(code, message, field);
}
