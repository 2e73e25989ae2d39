// All that the bridge is told of the configuration, as one value (bridge/setup.ts).
import { X509Certificate } from "node:crypto";
import { parseUserId, roomId, type TrunkName } from "../../core/ids.ts";
import type { Config } from "../schema/schema.ts";
import { toConsoleUrl } from "./admin-mapping.ts";
import { toBlocking } from "./blocking-mapping.ts";
import {
  toCallerTrust,
  toDidTable,
  toMailboxes,
  toNotices,
  toPins,
  toTrunkFeatures,
  toVirtualUsers,
} from "./inbound-mapping.ts";
import { toSpendingPolicy } from "./spending-mapping.ts";
import { toDialPlan, toGhostIdsOptions, toIceServers, toIdentities, toPolicy, toTrunkMedia } from "./mapping.ts";

const dayMs = 24 * 3_600_000;

/** Throws ConfigError if the price list cannot be used. */
export function toBridgeSettings(config: Config) {
  const features = toTrunkFeatures(config);
  const trust = toCallerTrust(config);
  const media = toTrunkMedia(config);
  const trunks = [...toIdentities(config)].map(
    ([name, identity]) =>
      [
        name,
        {
          identity,
          features: entryOf(features, name),
          trust: entryOf(trust, name),
          media: entryOf(media, name),
          certificateEndsAtMs: certificateEnd(config.trunks.find((trunk) => trunk.name === name)?.tls.certificate),
        },
      ] as const,
  );
  return {
    botName: config.appservice.bot_display_name,
    ghostIds: toGhostIdsOptions(config),
    plan: toDialPlan(config),
    policy: toPolicy(config),
    spending: toSpendingPolicy(config),
    trunks: new Map(trunks),
    numbers: toDidTable(config),
    pins: toPins(config),
    mailboxes: toMailboxes(config),
    blocking: toBlocking(config),
    notices: toNotices(config),
    ringKinds: config.people.calls,
    encryptRooms: config.rooms.encrypted,
    virtualUsers: toVirtualUsers(config),
    ice: { servers: toIceServers(config), askHomeserver: config.media.ice.homeserver_turn },
    admins: new Set(config.admin.users.flatMap((user) => parseUserId(user) ?? [])),
    consoleUrl: toConsoleUrl(config),
    adminRoom: config.admin.room === undefined ? undefined : roomId(config.admin.room),
    keepCallsMs: config.database.keep_calls_days * dayMs,
  };
}

/** The checks leave no certificate that cannot be read. */
function certificateEnd(pem: string | undefined): number | undefined {
  return pem === undefined ? undefined : new X509Certificate(pem).validToDate.getTime();
}

/** Each of the maps has an entry for every trunk of the configuration. */
function entryOf<Entry>(byTrunk: ReadonlyMap<TrunkName, Entry>, trunk: TrunkName): Entry {
  const found = byTrunk.get(trunk);
  if (found === undefined) throw new Error(`trunk ${trunk} is not configured`);
  return found;
}
