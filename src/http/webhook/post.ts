// Brings one message to the webhook's address, and reads from the answer what that means.
import { EnvHttpProxyAgent, request } from "undici";

export type Told =
  | { readonly kind: "taken" }
  /** This message is not wanted; others may be. */
  | { readonly kind: "refused"; readonly why: string }
  /** Nobody took it, and nobody would take another one now. `afterMs`: when the other side wants to be asked again. */
  | { readonly kind: "away"; readonly why: string; readonly afterMs?: number | undefined };

export interface Poster {
  post(headers: Readonly<Record<string, string>>, body: string): Promise<Told>;
  /** Gives up what is under way. */
  close(): Promise<void>;
}

const patienceMs = 15_000;
/** Answers that say nothing about the message. */
const passing: ReadonlySet<number> = new Set([408, 425, 429]);
/** Of Retry-After: a day is the longest that anything waits here. */
const longestAfterMs = 86_400_000;

/** Follows no redirect: what is signed for one address is not for another. */
export function createPoster(url: string, userAgent: string): Poster {
  const dispatcher = new EnvHttpProxyAgent({ connections: 8, headersTimeout: patienceMs, bodyTimeout: patienceMs });
  return {
    async post(headers, body) {
      try {
        const answer = await request(url, {
          method: "POST",
          headers: { ...headers, "content-type": "application/json", "user-agent": userAgent },
          body,
          dispatcher,
          signal: AbortSignal.timeout(patienceMs),
        });
        // A long answer is cut off with its connection.
        await answer.body.dump({ limit: 65_536 });
        return toldBy(answer.statusCode, answer.headers["retry-after"]);
      } catch (error) {
        return { kind: "away", why: whyOf(error) };
      }
    },
    close: () => dispatcher.destroy(),
  };
}

function toldBy(status: number, retryAfter: string | string[] | undefined): Told {
  const why = `it answered ${status}`;
  if (status >= 200 && status < 300) return { kind: "taken" };
  if (status < 500 && !passing.has(status)) return { kind: "refused", why };
  const afterMs = Number(retryAfter) * 1_000;
  return { kind: "away", why, afterMs: afterMs > 0 ? Math.min(afterMs, longestAfterMs) : undefined };
}

function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return "no answer in time";
  const code = "code" in error ? `${String(error.code)}: ` : "";
  return `${code}${error.message}`;
}
