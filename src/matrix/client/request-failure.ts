// What a request throws or is answered with, made into our one error.
import { HomeserverError } from "../../ports/homeserver.ts";
import type { HttpAnswer } from "../http/connections.ts";
import { networkWords } from "../http/network-failure.ts";

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
  return typeof value === "object" && value !== null ? Reflect.get(value, name) : undefined;
}

/** Retry-After in ms, where it is in seconds (RFC 9110 s10.2.3). */
function waitOf(header: string | undefined): number | undefined {
  return header !== undefined && /^\d{1,9}$/.test(header) ? Number(header) * 1_000 : undefined;
}

/** Not followed: the access token is for the configured address alone. */
function redirectWords(to: string | undefined): string {
  return `homeserver.url redirects${to === undefined ? "" : ` to ${to}`}, and the bridge does not follow`;
}

/** undefined for a success: an answer with an errcode is none, whatever its status. */
export function failureIn(answer: HttpAnswer): RequestFailure | undefined {
  const isSuccess = answer.status >= 200 && answer.status < 300 && field(answer.body, "errcode") === undefined;
  return isSuccess ? undefined : ofAnswer(answer);
}

function ofAnswer({ status, body, retryAfter, redirectedTo }: HttpAnswer): RequestFailure {
  const limited = status === 429;
  const redirected = status >= 300 && status < 400;
  const wait = waitOf(retryAfter) ?? field(body, "retry_after_ms");
  const errcode = field(body, "errcode");
  const reason = field(body, "error");
  return {
    error: new HomeserverError(
      typeof errcode === "string" ? errcode : `HTTP_${status}`,
      redirected ? redirectWords(redirectedTo) : typeof reason === "string" ? reason : `status ${status}`,
      limited || redirected || status >= 500,
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
  return {
    error: new HomeserverError("UNREACHABLE", networkWords(cause), true, { cause }),
    status: undefined,
    retryAfterMs: undefined,
    unsent: unsentCodes.has(field(cause, "code")),
  };
}
