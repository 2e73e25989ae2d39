// From the configuration's sections to what each room of the bridge takes: names, units and defaults that depend on other keys.
import { trunkName, type TrunkName } from "../../core/ids.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { GhostIdOptions } from "../../core/number/ghost/ghost-id.ts";
import { soleNumber } from "../../core/number/plan/number-key.ts";
import type { IdentityTemplates } from "../../core/policy/caller-identity.ts";
import type { Permission, Policy } from "../../core/policy/permission.ts";
import type { IceServer, TrunkMedia } from "../../ports/media.ts";
import type { TrunkSettings } from "../../ports/sip.ts";
import type { RegistrationFacts } from "../registration/registration.ts";
import type { Config } from "../schema/schema.ts";
import { splitHostPort } from "../schema/scalars.ts";
import type { TrunkConfig } from "../schema/trunk-schema.ts";

interface HostPort {
  readonly host: string;
  readonly port: number | undefined;
}

/** The schema has checked the text already. */
function hostPort(text: string): HostPort {
  return splitHostPort(text) ?? { host: text, port: undefined };
}

/** Undefined: the bridge takes no part in calls of MatrixRTC. */
export function toRtc({ rtc }: Config) {
  if (rtc.mode === "off") return undefined;
  return { service: rtc.livekit_service_url, allowedServices: rtc.allowed_services };
}

/** Undefined: encrypted rooms are not read. */
export function toEncryption({ encryption: { mode } }: Config, secret: Uint8Array | undefined) {
  return mode === "off" || secret === undefined ? undefined : { mode, secret };
}

/** As a socket and a certificate know it: an IPv6 address without its brackets. */
function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, "$1");
}

/** Where the trunk's own URIs live. */
function domainOfTrunk(trunk: TrunkConfig): HostPort {
  return hostPort(trunk.domain ?? trunk.server);
}

/** `userAgent` goes into the header of that name. */
export function toTrunkSettings(config: Config, userAgent: string): readonly TrunkSettings[] {
  return config.trunks.map((trunk) => {
    const server = hostPort(trunk.server);
    const { listen, advertised, tls, credentials, registration, challenge, session_timer: timer } = trunk;
    return {
      name: trunkName(trunk.name),
      transport: trunk.transport,
      server: { host: bareHost(server.host), port: server.port, path: trunk.path },
      local: { ...listen, advertised },
      tls: { ca: tls.ca, certificate: tls.certificate, key: tls.key, serverName: tls.server_name },
      credentials: credentials && {
        username: credentials.username,
        password: credentials.password ?? "",
        realms: credentials.realms,
      },
      peers: trunk.peers,
      optionsIntervalMs: trunk.options_interval_seconds * 1000,
      userAgent,
      moreServers: trunk.more_servers.map((text) => {
        const { host, port } = hostPort(text);
        return { host: bareHost(host), port };
      }),
      registration: registration && {
        user: registration.user,
        domain: registration.domain ?? (trunk.domain === undefined ? undefined : hostPort(trunk.domain).host),
        expiresMs: registration.expires_seconds * 1000,
      },
      challenge: challenge && {
        realm: challenge.realm ?? config.homeserver.domain,
        algorithms: challenge.algorithms,
        username: challenge.username,
        password: challenge.password ?? "",
      },
      inbound: {
        calledFrom: trunk.inbound.called_number.replace(/^(?:to|request-uri)$/i, (name) => name.toLowerCase()),
        reliableProvisionals: trunk.inbound.reliable_provisionals,
        verstatHeader: trunk.inbound.verstat_header,
        spamHeader: trunk.inbound.spam?.header,
      },
      sessionTimer: timer && { expiresMs: timer.expires_seconds * 1000, minMs: timer.min_seconds * 1000 },
      takesRefer: trunk.transfer === "refer",
      inDialog: trunk.in_dialog_requests,
      media: { srtp: trunk.media.srtp, codecs: trunk.media.codecs },
      followsRefer: trunk.refer === "follow",
    };
  });
}

export function toTrunkMedia(config: Config): ReadonlyMap<TrunkName, TrunkMedia> {
  return new Map(
    config.trunks.map(({ name, media, dtmf }) => [
      trunkName(name),
      {
        srtp: media.srtp,
        codecs: media.codecs,
        rtpNetworks: media.rtp_networks,
        rtpPeer: media.rtp_peer,
        relearnMs: media.relearn_seconds * 1000,
        trunk: trunkName(name),
        rtpEvents: dtmf !== "info",
      },
    ]),
  );
}

export function toDialPlan(config: Config): DialPlan {
  const plan = config.dial_plan;
  return {
    country: plan.country,
    trunks: config.trunks.map((trunk) => ({
      name: trunkName(trunk.name),
      ...domainOfTrunk(trunk),
      format: trunk.number_format,
      country: trunk.country,
      numberPrefix: trunk.number_prefix ?? "",
      userPhone: trunk.user_phone,
    })),
    routes: plan.routes.map(({ prefix, trunk, more_trunks: more, strip, prepend }) => ({
      prefix,
      trunks: [trunk, ...more].map(trunkName),
      strip,
      prepend,
    })),
    withholdPrefixes: plan.withhold_prefixes,
    emergencyTrunk: plan.emergency_trunk === undefined ? undefined : trunkName(plan.emergency_trunk),
    sipDomains: new Map(
      Object.entries(plan.sip_domains).map(([domain, trunk]) => [domain.toLowerCase(), trunkName(trunk)]),
    ),
  };
}

export function toIdentities(config: Config): ReadonlyMap<TrunkName, IdentityTemplates> {
  return new Map(
    config.trunks.map((trunk) => {
      const { identity, credentials } = trunk;
      const templates: IdentityTemplates = {
        // Most providers refuse a From that is not the account; a trunk without one knows its callers by number.
        fromUser: identity.from_user ?? (credentials ? literal(credentials.username) : "{number}"),
        fallbackUser: identity.fallback_user,
        fromHost: identity.from_host ?? domainOfTrunk(trunk).host,
        fromDisplayName: identity.from_display_name,
        asserted: identity.asserted,
        preferred: identity.preferred,
        privacy: identity.privacy,
        numbers: new Map(Object.entries(identity.numbers)),
        defaultNumber: identity.default_number,
      };
      return [trunkName(trunk.name), templates];
    }),
  );
}

/** A user name that happens to hold braces must not become a template. */
function literal(text: string): string {
  return text.replaceAll(/[{}]/g, "");
}

const noPermission: Permission = {
  mayCall: false,
  allow: new Set(),
  callsPerUser: undefined,
  maxDurationMs: undefined,
};

export function toPolicy(config: Config): Policy {
  const { limits, permissions } = config;
  return {
    domain: config.homeserver.domain,
    permissions: new Map(Object.entries(permissions).map(([subject, entry]) => [subject, toPermission(entry)])),
    allow: new Set(limits.allow),
    callsPerUser: limits.calls_per_user,
    callsInAll: limits.calls_in_all,
    callsPerMinute: limits.calls_per_minute,
    maxDurationMs: limits.max_duration_seconds * 1000,
  };
}

function toPermission(entry: Config["permissions"][string]): Permission {
  if (entry === "none") return noPermission;
  if (entry === "call") return { ...noPermission, mayCall: true };
  return {
    mayCall: true,
    allow: new Set(entry.allow),
    callsPerUser: entry.calls_per_user,
    maxDurationMs: entry.max_duration_seconds === undefined ? undefined : entry.max_duration_seconds * 1000,
  };
}

export function toGhostIdsOptions(config: Config): GhostIdOptions {
  const plan = toDialPlan(config);
  return {
    domain: config.homeserver.domain,
    prefix: config.ghosts.prefix,
    encoding: config.ghosts.encoding,
    gateway: config.ghosts.gateway,
    sipDomains: Object.keys(config.dial_plan.sip_domains),
    country: config.dial_plan.country,
    numberFor: config.ghosts.one_per_number ? (keys) => soleNumber(keys, plan) : undefined,
  };
}

/** What the embedded media engine takes of the configuration. */
export function toMediaOptions({ media }: Config) {
  const { rtp, ice } = media;
  return {
    workers: media.workers,
    sessionsPerWorker: media.sessions_per_worker,
    rtp: {
      host: rtp.host,
      portMin: rtp.ports.min,
      portMax: rtp.ports.max,
      ...(rtp.advertised_host !== undefined && { advertisedHost: rtp.advertised_host }),
    },
    ice: {
      ...(ice.host !== undefined && { bindHost: ice.host }),
      advertisedHosts: ice.advertised_hosts,
      ...(ice.ports && { portMin: ice.ports.min, portMax: ice.ports.max }),
    },
    silenceTimeoutMs: media.silence_timeout_seconds * 1000,
    reconnectTimeoutMs: media.reconnect_timeout_seconds * 1000,
  };
}

/** The bridge's own STUN and TURN servers. */
export function toIceServers(config: Config): readonly IceServer[] {
  return config.media.ice.servers.map(({ urls, username, credential }) => ({
    urls,
    ...(username !== undefined && { username }),
    ...(credential !== undefined && { credential }),
  }));
}

export function toRegistrationFacts(config: Config): RegistrationFacts {
  const { homeserver, appservice, ghosts, lookups, encryption } = config;
  return {
    id: appservice.id,
    bot: appservice.bot,
    prefix: ghosts.prefix,
    domain: homeserver.domain,
    virtualUsers: lookups.virtual_users,
    pushedKeys: encryption.pushed_keys,
  };
}
