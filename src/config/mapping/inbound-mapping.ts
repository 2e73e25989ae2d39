// Turns the configuration into what inbound calls need: the number table, whom to trust, what a trunk can do in a call.
import { parseUserId, pinName, roomId, trunkName, type PinName, type TrunkName, type UserId } from "../../core/ids.ts";
import type { RingStage, RingTarget } from "../../core/number/plan/ring-stage.ts";
import type { DidMatch, DidTable } from "../../core/number/plan/did.ts";
import type { Notices } from "../../core/call/model/notices.ts";
import { createVirtualUsers, type VirtualUsers } from "../../core/number/plan/virtual-users.ts";
import type { CallerTrust } from "../../core/policy/caller.ts";
import type { TrunkFeatures } from "../../core/policy/trunk-features.ts";
import type { Config } from "../schema/schema.ts";

/** By their names. `protects`: the same where the same people are called. */
type Pins = ReadonlyMap<PinName, { readonly digits: string; readonly protects: string }>;

type Entry = Config["inbound"]["numbers"][number];

export function toDidTable({ inbound }: Config): DidTable {
  return {
    rules: inbound.numbers.map((entry) => ({
      match: matchOf(entry),
      trunks: (entry.trunks ?? []).map(trunkName),
      stages: stagesOf(entry),
      pin: entry.pin === undefined ? undefined : { name: pinNameOf(entry), length: entry.pin.length },
    })),
  };
}

/** The PINs themselves, apart from the table that many read. */
export function toPins({ inbound }: Config): Pins {
  return new Map(
    inbound.numbers.flatMap((entry) =>
      entry.pin === undefined
        ? []
        : [[pinNameOf(entry), { digits: entry.pin, protects: JSON.stringify(targetsOf(entry)) }] as const],
    ),
  );
}

/** The same after a reload, wherever the entry stands then: a caller may be in the middle of entering it. */
function pinNameOf(entry: Entry): PinName {
  const { number, pattern, prefix, trunks } = entry;
  const numbers = number ?? pattern ?? `${prefix ?? ""}*`;
  return pinName(`inbound.numbers[${numbers}${trunks === undefined ? "" : ` on ${trunks.join(", ")}`}].pin`);
}

function targetsOf(entry: Entry): readonly RingTarget[] {
  return stagesOf(entry).flatMap(({ targets }) => targets);
}

/** The checks leave one of the keys. */
function matchOf({ number, pattern, prefix }: Entry): DidMatch {
  if (number !== undefined) return { kind: "exact", number };
  if (pattern !== undefined) return { kind: "pattern", pattern };
  return { kind: "prefix", prefix: prefix ?? "" };
}

function stagesOf({ user, users, in_turn: turns, room, ring_seconds: seconds }: Entry): readonly RingStage[] {
  if (turns) {
    return turns.map((turn) => ({ targets: persons(turn.users), ringMs: turn.ring_seconds * 1000 }));
  }
  const ringMs = seconds * 1000;
  if (room !== undefined) return [{ targets: [{ kind: "room", room: roomId(room) }], ringMs }];
  return [{ targets: persons(users ?? (user === undefined ? [] : [user])), ringMs }];
}

/** Nobody rings twice at once. */
function persons(users: readonly string[]): readonly RingTarget[] {
  return userIds(users).map((person) => ({ kind: "person", person }));
}

/** The schema has checked them already. */
function userIds(users: readonly string[]): readonly UserId[] {
  return [...new Set(users)].flatMap((user) => parseUserId(user) ?? []);
}

export function toCallerTrust({ trunks }: Config): ReadonlyMap<TrunkName, CallerTrust> {
  return new Map(
    trunks.map(({ name, inbound }) => [
      trunkName(name),
      {
        identity: inbound.caller,
        displayName: inbound.caller_name,
        numberFormat: inbound.number_format,
        verstat: inbound.verstat,
        spam: inbound.spam && { pattern: inbound.spam.pattern, calls: inbound.spam.calls },
      },
    ]),
  );
}

export function toTrunkFeatures({ trunks }: Config): ReadonlyMap<TrunkName, TrunkFeatures> {
  return new Map(
    trunks.map(({ name, dtmf, early_media: earlyMedia, transfer, inbound, messages }) => [
      trunkName(name),
      {
        dtmf,
        earlyMedia,
        transfer,
        progress: inbound.progress === "early" ? 183 : 180,
        messages: messages.enabled ? { maxLength: messages.max_characters } : undefined,
      },
    ]),
  );
}

export function toNotices({ notices }: Config): Notices {
  return { failures: notices.enabled, history: notices.history };
}

/** Undefined where clients are not to be told. */
export function toVirtualUsers(config: Config): VirtualUsers | undefined {
  if (!config.lookups.virtual_users) return undefined;
  const trunks = config.trunks.map(({ name }) => trunkName(name));
  return createVirtualUsers(toDidTable(config), trunks, config.dial_plan.country);
}

/** Whom news of a voice mailbox are for, by the account that the trunk names; others belong to whom the number rings. */
export function toMailboxes({ voicemail }: Config): ReadonlyMap<string, readonly UserId[]> {
  return new Map(Object.entries(voicemail.accounts).map(([account, users]) => [account, userIds(users)]));
}
