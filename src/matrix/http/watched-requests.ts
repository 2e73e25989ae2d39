// Requests to the homeserver in metrics and traces: how long each took, by the words of its path, without ids.
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import type { RequestWatch } from "./connections.ts";

const words: ReadonlySet<string> = new Set(
  `account appservice avatar_url capabilities claim context createRoom delayed_events devices directory displayname event
  invite join joined_members joined_rooms keys leave login logout media members messages openid ping presence profile query
  receipt redact register relations request_token room_keys rooms rtc send sendToDevice state sync transports turnServer
  upload user userinfo version versions voip whoami`.split(/\s+/),
);

/** "PUT rooms/send" */
export function requestName(method: string, path: string): string {
  const known = path
    .replace(/\?.*/, "")
    .split("/")
    .filter((part) => words.has(part));
  return `${method} ${known.join("/")}`;
}

export function watchedBy(telemetry: Pick<Telemetry, "homeserverAnswered" | "tracing">, clock: Clock): RequestWatch {
  return async ({ method, path }, work) => {
    const name = requestName(method, path);
    const beganMs = clock.nowMs();
    let status = 0;
    try {
      const answer = await telemetry.tracing.request(name, work);
      ({ status } = answer);
      return answer;
    } finally {
      telemetry.homeserverAnswered(name, status, clock.nowMs() - beganMs);
    }
  };
}
