// What is wrong between bridge and homeserver, in words that name the setting to change. From errors and pings, in both
// directions.
import type { HomeserverError, HomeserverProblem, PingOutcome } from "../../ports/homeserver.ts";

const lines = {
  unknown:
    "homeserver does not know the bridge: add the registration file to its configuration (app_service_config_files in " +
    "Synapse) and restart it; if the file is there, it differs from the bridge's copy",
  otherCopy: "homeserver has another copy of the registration: give it the bridge's copy, and restart it",
  namespace:
    "homeserver does not let the bridge use its users: it has another copy of the registration, or another " +
    "application service claims them",
  unreachable: "homeserver cannot be reached: check homeserver.url",
  noHomeserver: "homeserver.url leads to a server that is not a Matrix homeserver: check its port and path",
  redirected: "homeserver.url redirects, and the bridge does not follow: set it to the address that it redirects to",
  busy: "homeserver answers, but cannot serve the bridge now",
  refused: "homeserver refuses the bridge's requests",
} as const;

const pingLines: Readonly<Record<Extract<PingOutcome, { kind: "failed" }>["why"], string>> = {
  token: "homeserver uses another hs_token: give it the bridge's copy of the registration, and restart it",
  elsewhere:
    "homeserver reaches another server instead of the bridge: check url in the registration and appservice.listen",
  unreachable: "homeserver cannot reach the bridge: check url in the registration and appservice.listen",
  "no-url": "homeserver does not know the bridge's address: set url in the registration",
  unknown: lines.unknown,
  unanswered: "homeserver does not answer: check homeserver.url",
};

export function problemOf(error: HomeserverError): HomeserverProblem {
  return { line: lineOf(error), reason: `${error.code}: ${error.message}` };
}

export function otherSender(seen: string, own: string): HomeserverProblem {
  return { line: lines.otherCopy, reason: `it knows the bridge as ${seen}, not as ${own}` };
}

/** The registration is for a homeserver of another name. */
export function wrongDomain(own: string, seen: string): string {
  return (
    `homeserver.domain is ${own}, but the homeserver's users belong to ${seen}: set homeserver.domain ` +
    "to that, and write the registration again with -r, which keeps its tokens"
  );
}

export function pingProblem({ why, message }: Extract<PingOutcome, { kind: "failed" }>): HomeserverProblem {
  return { line: pingLines[why], reason: message };
}

function lineOf({ code, transient }: HomeserverError): string {
  switch (code) {
    case "M_UNKNOWN_TOKEN":
    case "M_MISSING_TOKEN":
    case "M_FORBIDDEN":
      return lines.unknown;
    case "M_EXCLUSIVE":
      return lines.namespace;
    case "UNREACHABLE":
      return lines.unreachable;
    case "M_UNRECOGNIZED":
    case "M_NOT_FOUND":
    case "BAD_ANSWER":
      return lines.noHomeserver;
  }
  if (code.startsWith("HTTP_3")) return lines.redirected;
  if (code.startsWith("HTTP_4")) return lines.noHomeserver;
  return transient ? lines.busy : lines.refused;
}
