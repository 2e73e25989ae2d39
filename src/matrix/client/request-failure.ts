// What the library's client throws, made into our one error. It throws MatrixError for an answer with an errcode,
// the raw response for any other failure status, and Node's own errors for the network.
import { HomeserverError } from "../../ports/homeserver.ts";
import { networkWords } from "./network-failure.ts";

export interface RequestFailure {
  readonly error: HomeserverError;
  readonly status: number | undefined;
  /** How long the homeserver, or a proxy before it, asks us to wait, in ms (429 and 503, M_LIMIT_EXCEEDED). */
  readonly retryAfterMs: number | undefined;
  /** The request certainly never reached the homeserver, so that even a creation may be tried again. */
  readonly unsent: boolean;
}

const unsentCodes: ReadonlySet<unknown> = new Set(["ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

function field(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

/** Retry-After in ms, where it is in seconds (RFC 9110 s10.2.3); of a MatrixError the library has read it. */
function secondsOf(header: unknown): number | undefined {
  return typeof header === "string" && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}

function ofStatus(status: number, errcode: unknown, cause: unknown): RequestFailure {
  const limited = status === 429;
  const wait = field(cause, "retryAfterMs") ?? secondsOf(field(field(cause, "headers"), "retry-after"));
  const code = typeof errcode === "string" ? errcode : `HTTP_${status}`;
  const reason = field(cause, "error");
  return {
    error: new HomeserverError(
      code,
      typeof reason === "string" ? reason : `status ${status}`,
      limited || status >= 500,
      {
        cause: cause instanceof Error ? cause : undefined,
      },
    ),
    status,
    retryAfterMs: (limited || status === 503) && typeof wait === "number" && wait > 0 ? wait : undefined,
    unsent: limited,
  };
}

export function failureOf(cause: unknown): RequestFailure {
  if (cause instanceof HomeserverError) {
    return { error: cause, status: undefined, retryAfterMs: undefined, unsent: false };
  }
  const status = field(cause, "statusCode");
  if (typeof status === "number") return ofStatus(status, field(cause, "errcode"), cause);
  if (cause instanceof TypeError) {
    // The library stumbles over answers like `null`.
    const error = new HomeserverError("BAD_ANSWER", "the homeserver's answer makes no sense", false, { cause });
    return { error, status: undefined, retryAfterMs: undefined, unsent: false };
  }
  return {
    error: new HomeserverError("UNREACHABLE", networkWords(cause), true, { cause }),
    status: undefined,
    retryAfterMs: undefined,
    unsent: unsentCodes.has(field(cause, "code")),
  };
}
