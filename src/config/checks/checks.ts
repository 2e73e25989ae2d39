// Checks across keys: names that must exist, addresses that must differ, texts that must fit together.
import { parseUserId } from "../../core/ids.ts";
import { isHost } from "../../core/address/host.ts";
import { checkDatabase } from "./database-checks.ts";
import { checkInbound } from "./inbound-checks.ts";
import { checkLimits } from "./limit-checks.ts";
import { formatPath, type ConfigPath, type ConfigFinding } from "../reading/problem.ts";
import type { Config } from "../schema/schema.ts";
import { splitHostPort } from "../schema/scalars.ts";
import { environmentName } from "../reading/secrets.ts";

export function checkConfig(config: Config): readonly ConfigFinding[] {
  return [
    ...checkHomeserver(config),
    ...checkDatabase(config),
    ...checkTrunkNames(config),
    ...checkTrunkCalls(config),
    ...checkInbound(config),
    ...checkListeners(config),
    ...checkIdentities(config),
    ...checkPermissions(config),
    ...checkLimits(config),
    ...checkPorts(["media", "rtp", "ports"], config.media.rtp.ports, 2),
    ...(config.media.ice.ports ? checkPorts(["media", "ice", "ports"], config.media.ice.ports, 1) : []),
  ];
}

function* checkHomeserver({ homeserver, appservice, ghosts }: Config): Generator<ConfigFinding> {
  if (appservice.bot === `${ghosts.prefix}anonymous`) {
    yield { path: ["appservice", "bot"], message: "is the localpart of callers who withhold their number" };
  }
  if (homeserver.url.includes("/_matrix")) {
    yield { path: ["homeserver", "url"], message: "should end before /_matrix, which the bridge appends" };
  }
}

function* checkTrunkNames({ trunks, dial_plan: plan, inbound }: Config): Generator<ConfigFinding> {
  const names = trunks.map(({ name }) => name);
  for (const [index, name] of names.entries()) {
    // One trunk's password must not go to another.
    const first = names.findIndex((other) => environmentName(other) === environmentName(name));
    if (first < index) {
      yield {
        path: ["trunks", index, "name"],
        message: `is the name of trunks[${first}] too, for environment variables`,
      };
    }
  }
  const uses: (readonly [ConfigPath, string | undefined])[] = [
    [["dial_plan", "emergency_trunk"], plan.emergency_trunk],
    ...plan.routes.map(({ trunk }, index) => [["dial_plan", "routes", index, "trunk"], trunk] as const),
    ...plan.routes.flatMap(({ more_trunks: more }, index) =>
      more.map((trunk, at) => [["dial_plan", "routes", index, "more_trunks", at], trunk] as const),
    ),
    ...inbound.numbers.flatMap(({ trunks: only }, index) =>
      (only ?? []).map((trunk, at) => [["inbound", "numbers", index, "trunks", at], trunk] as const),
    ),
    ...Object.entries(plan.sip_domains).map(([name, trunk]) => [["dial_plan", "sip_domains", name], trunk] as const),
  ];
  for (const [path, name] of uses) {
    if (name !== undefined && !names.includes(name)) {
      yield { path, message: `should be the name of a trunk: ${names.join(", ")}` };
    }
  }
  for (const name of Object.keys(plan.sip_domains)) {
    if (!isHost(name)) yield { path: ["dial_plan", "sip_domains", name], message: "should have a domain as its key" };
  }
}

function* checkTrunkCalls({ trunks }: Config): Generator<ConfigFinding> {
  for (const [index, { registration, credentials, session_timer: timer }] of trunks.entries()) {
    if (registration && registration.user === undefined && !credentials) {
      yield {
        path: ["trunks", index, "registration"],
        message: "needs the key user, because the trunk has no credentials with a username",
      };
    }
    if (timer && timer.min_seconds > timer.expires_seconds) {
      const path = ["trunks", index, "session_timer", "min_seconds"];
      yield { path, message: "should not be more than expires_seconds" };
    }
  }
}

function* checkListeners({ appservice, http, admin, trunks }: Config): Generator<ConfigFinding> {
  const seen: { path: ConfigPath; kind: string; host: string; port: number }[] = [];
  const listeners = [
    { path: ["appservice", "listen"], kind: "tcp", ...appservice.listen },
    { path: ["http", "listen"], kind: "tcp", ...http.listen },
    ...(admin.listen === undefined ? [] : [{ path: ["admin", "listen"], kind: "tcp", ...admin.listen }]),
    ...trunks.map((trunk, index) => ({
      path: ["trunks", index, "listen"],
      kind: trunk.transport === "udp" ? "udp" : "tcp",
      ...trunk.listen,
    })),
  ] satisfies { path: ConfigPath; kind: string; host: string; port: number }[];
  for (const { path, kind, host, port } of listeners) {
    if (port === 0) continue;
    const first = seen.find((other) => other.kind === kind && other.port === port && overlap(other.host, host));
    if (first) yield { path: [...path, "port"], message: `is the port of ${formatPath(first.path)} too` };
    seen.push({ path, kind, host, port });
  }
}

/** Every address takes in all the others. */
function overlap(one: string, other: string): boolean {
  return one === other || [one, other].some((host) => host === "0.0.0.0" || host === "::");
}

function* checkIdentities({ trunks }: Config): Generator<ConfigFinding> {
  for (const [index, { identity }] of trunks.entries()) {
    for (const user of Object.keys(identity.numbers)) {
      if (parseUserId(user) === undefined) {
        yield {
          path: ["trunks", index, "identity", "numbers", user],
          message: "should have a Matrix user id such as @alice:example.org as its key",
        };
      }
    }
  }
}

/** An entry that can never be anybody's is worse than none where it was to keep somebody out. */
function* checkPermissions({ permissions, homeserver }: Config): Generator<ConfigFinding> {
  for (const subject of Object.keys(permissions)) {
    const path = ["permissions", subject];
    if (subject !== "*" && subject.includes("*")) {
      yield { path, message: "should not contain a star: * must stand alone, for everybody on this homeserver" };
      continue;
    }
    const known = subject === "*" || (subject.startsWith("@") ? parseUserId(subject) : splitHostPort(subject));
    if (!known) {
      yield { path, message: "should have a Matrix user id, a server name or * (in quotes) as its key" };
      continue;
    }
    const domain = subject.startsWith("@") ? subject.slice(subject.indexOf(":") + 1) : subject;
    if (domain !== domain.toLowerCase() && domain !== homeserver.domain) {
      yield { path, message: "should have the server name in lower case, as it is in user ids" };
    }
  }
}

function* checkPorts(
  path: ConfigPath,
  { min, max }: { min: number; max: number },
  least: number,
): Generator<ConfigFinding> {
  if (max - min + 1 < least) yield { path, message: "should contain more ports: max is below min, or too close to it" };
}

/** Of the configuration with its secrets in place. */
export function* checkTls({ trunks }: Config): Generator<ConfigFinding> {
  for (const [index, { tls }] of trunks.entries()) {
    const { certificate, key } = tls;
    if (certificate !== undefined && key === undefined) {
      yield { path: ["trunks", index, "tls"], message: "has a certificate without its key" };
    }
    if (key !== undefined && certificate === undefined) {
      yield { path: ["trunks", index, "tls"], message: "has a key without its certificate" };
    }
  }
}
