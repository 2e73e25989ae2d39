// What the homeserver's word on a ping means (Matrix application service API, "Pinging"), beside what came in meanwhile.
import type { HomeserverError, PingOutcome } from "../../ports/homeserver.ts";
import { badAnswer } from "./homeserver-client.ts";

/** `hasCome`: the bridge has seen the ping. */
export function pingAnswer(answer: { readonly duration_ms: number } | undefined, hasCome: boolean): PingOutcome {
  if (answer === undefined) return { kind: "failed", why: "unanswered", message: badAnswer("ping").message };
  if (hasCome) return { kind: "answered", durationMs: answer.duration_ms };
  return { kind: "failed", why: "elsewhere", message: "the ping was answered, but not by the bridge" };
}

export function pingFailure({ code, message }: HomeserverError, hasCome: boolean): PingOutcome {
  // Without the endpoint a homeserver says 404 M_UNRECOGNIZED, or a 404 or 405 of its web server.
  if (["M_UNRECOGNIZED", "M_NOT_FOUND", "HTTP_404", "HTTP_405"].includes(code)) return { kind: "unsupported" };
  return { kind: "failed", why: whyOf(code, hasCome), message: `${code}: ${message}` };
}

function whyOf(code: string, hasCome: boolean): Extract<PingOutcome, { kind: "failed" }>["why"] {
  switch (code) {
    case "M_URL_NOT_SET":
      return "no-url";
    case "M_BAD_STATUS":
      return hasCome ? "token" : "elsewhere";
    case "M_CONNECTION_FAILED":
    case "M_CONNECTION_TIMEOUT":
      return "unreachable";
    case "M_UNKNOWN_TOKEN":
    case "M_MISSING_TOKEN":
    case "M_FORBIDDEN":
      return "unknown";
  }
  return "unanswered";
}
