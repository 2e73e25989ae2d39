// Warns about a configuration that is valid and probably not intended. The bridge starts all the same.
import { isLoopback } from "../../core/address/host.ts";
import { nearest } from "../../core/nearest.ts";
import type { ConfigFinding } from "../reading/problem.ts";
import type { Registration } from "../registration/registration.ts";
import type { Config } from "../schema/schema.ts";

export function adviseOn(config: Config): readonly ConfigFinding[] {
  return [...advisePermissions(config), ...adviseRooms(config), ...adviseRtc(config), ...adviseHttp(config)];
}

const plainHttp = "is not https: whoever is on the way could read the tokens of calls";

function* adviseRtc({ people, rtc, media, trunks }: Config): Generator<ConfigFinding> {
  const isWanted = people.calls === "rtc" || people.calls === "both";
  if (isWanted && rtc.mode === "off")
    yield { path: ["people", "calls"], message: "has no effect: rtc.mode is off, so only other clients are rung" };
  for (const [index, trunk] of trunks.entries()) {
    if (isWanted && rtc.mode !== "off" && media.transcode === "never" && !trunk.media.codecs.includes("opus"))
      yield {
        path: ["trunks", index, "media", "codecs"],
        message: "lacks opus, which MatrixRTC has alone, and media.transcode is never: such calls fail on this trunk",
      };
  }
  const { livekit_service_url: own, allowed_services: others } = rtc;
  if (own?.startsWith("http:") === true && !isLoopback(new URL(own).hostname))
    yield { path: ["rtc", "livekit_service_url"], message: plainHttp };
  for (const [index, other] of others.entries()) {
    if (other.startsWith("http:")) yield { path: ["rtc", "allowed_services", index], message: plainHttp };
  }
}

function* adviseHttp({ http, admin, webhook }: Config): Generator<ConfigFinding> {
  if (!isLoopback(http.listen.host) && !http.open_metrics && admin.token === undefined) {
    yield {
      path: ["http", "listen", "host"],
      message:
        "is not a loopback address, so nobody gets /metrics there: set admin.token, or http.open_metrics if no stranger reaches the address",
    };
  }
  if (admin.listen !== undefined && !isLoopback(admin.listen.host)) {
    yield {
      path: ["admin", "listen", "host"],
      message: "is not a loopback address, and the port has no TLS: whoever is on the way could read the token",
    };
  }
  if (webhook?.url.startsWith("http:") === true && !isLoopback(new URL(webhook.url).hostname))
    yield { path: ["webhook", "url"], message: "is not https: whoever is on the way could read who calls whom" };
}

function* adviseRooms({ rooms, encryption }: Config): Generator<ConfigFinding> {
  if (rooms.encrypted === "always" && encryption.mode === "off")
    yield { path: ["rooms", "encrypted"], message: "has no effect: encryption.mode is off, so no room is encrypted" };
}

function* advisePermissions({ permissions, homeserver: { domain } }: Config): Generator<ConfigFinding> {
  const subjects = Object.keys(permissions);
  const mayCall = (subject: string): boolean =>
    permissions[subject] !== "none" && (subject === "*" || serverOf(subject) === domain);
  if (!subjects.some(mayCall)) {
    yield {
      path: ["permissions"],
      message: `lets nobody on ${domain} call; name people, the server ("${domain}") or "*" there`,
    };
  }
  for (const subject of subjects) {
    const server = serverOf(subject);
    if (subject !== "*" && server !== domain && nearest(server, [domain]) !== undefined) {
      yield { path: ["permissions", subject], message: `is for another server than homeserver.domain, ${domain}` };
    }
  }
}

function serverOf(subject: string): string {
  return subject.startsWith("@") ? subject.slice(subject.indexOf(":") + 1) : subject;
}

/** `port`: where the bridge listens for the homeserver. */
export function* adviseOnRegistration(
  { url, ...registration }: Registration,
  { appservice, encryption }: Config,
  port: number,
): Generator<ConfigFinding> {
  if (registration.sender_localpart === appservice.bot && encryption.mode !== "off" && !encryption.pushed_keys) {
    yield {
      path: ["sender_localpart"],
      message:
        "is the bot, which therefore cannot read in encrypted rooms on Synapse; write the registration again with -r, and restart the homeserver",
    };
  }
  if (url === null || url === "") {
    yield {
      path: ["url"],
      message: "is missing, so the homeserver sends the bridge nothing; write it with -r -u URL",
    };
    return;
  }
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !["http:", "https:"].includes(parsed.protocol)) {
    yield { path: ["url"], message: "should begin with http:// or https://; write it again with -r -u URL" };
    return;
  }
  if (url.includes("/_matrix")) {
    yield { path: ["url"], message: "should end before /_matrix, which the homeserver appends" };
  }
  const named = parsed.port === "" ? { "http:": 80, "https:": 443 }[parsed.protocol] : Number(parsed.port);
  if (isLoopback(parsed.hostname) && named !== port) {
    yield {
      path: ["url"],
      message: `leads to port ${named} of this machine, but the bridge listens on ${port}: see appservice.listen.port and -p`,
    };
  }
}
