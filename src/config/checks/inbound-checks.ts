// Checks across the entries of the number table: each says exactly one thing, and none is in vain.
import { domainOf, localpartOf, parseUserId } from "../../core/ids.ts";
import { exactForms } from "../../core/number/plan/did.ts";
import { formatPath, type ConfigFinding, type ConfigPath } from "../reading/problem.ts";
import type { Config } from "../schema/schema.ts";

type Entry = Config["inbound"]["numbers"][number];

export function* checkInbound(config: Config): Generator<ConfigFinding> {
  const { numbers } = config.inbound;
  for (const [index, entry] of numbers.entries()) {
    const path = ["inbound", "numbers", index];
    yield* checkOne(entry, ["number", "pattern", "prefix"], path);
    yield* checkOne(entry, ["user", "users", "in_turn", "room"], path);
  }
  yield* checkUsers(config);
  yield* checkTwins(config);
}

/** One of the keys, and no more. */
function* checkOne(entry: Entry, keys: readonly (keyof Entry)[], path: ConfigPath): Generator<ConfigFinding> {
  const given = keys.filter((key) => entry[key] !== undefined);
  if (given.length === 0) yield { path, message: `should have one of the keys ${keys.join(", ")}` };
  for (const key of given.slice(1)) {
    yield { path: [...path, key], message: `should not stand beside ${given[0]}: one of ${keys.join(", ")}` };
  }
}

function usersOf(entry: Entry, path: ConfigPath): readonly (readonly [string, ConfigPath])[] {
  const listed = (users: readonly string[] | undefined, at: ConfigPath) =>
    (users ?? []).map((user, index) => [user, [...at, index]] as const);
  return [
    ...(entry.user === undefined ? [] : [[entry.user, [...path, "user"]] as const]),
    ...listed(entry.users, [...path, "users"]),
    ...(entry.in_turn ?? []).flatMap(({ users }, index) => listed(users, [...path, "in_turn", index, "users"])),
  ];
}

function* checkUsers(config: Config): Generator<ConfigFinding> {
  const { homeserver, ghosts, appservice, inbound, voicemail } = config;
  const users = [
    ...inbound.numbers.flatMap((entry, index) => usersOf(entry, ["inbound", "numbers", index])),
    ...Object.entries(voicemail.accounts).flatMap(([account, owners]) =>
      owners.map((user, index) => [user, ["voicemail", "accounts", account, index]] as const),
    ),
  ];
  for (const [text, path] of users) {
    const user = parseUserId(text);
    if (user === undefined) continue;
    const isLocal = domainOf(user) === homeserver.domain;
    const localpart = localpartOf(user);
    if (isLocal && (localpart.startsWith(ghosts.prefix) || localpart === appservice.bot)) {
      yield { path, message: "should be a person: this user is one of the bridge's own" };
    } else if (!isLocal && !inbound.remote_users) {
      const message = "should be a user of this homeserver, unless inbound.remote_users is true";
      yield { path, message };
    }
  }
}

/** Of two entries for the same numbers on the same trunk the second would never be asked. */
function* checkTwins({ inbound, dial_plan: plan }: Config): Generator<ConfigFinding> {
  const seen = new Map<string, { readonly index: number; readonly trunks: readonly string[] | undefined }[]>();
  for (const [index, entry] of inbound.numbers.entries()) {
    const { trunks } = entry;
    const key = entry.number !== undefined ? "number" : entry.pattern !== undefined ? "pattern" : "prefix";
    const text = entry[key];
    if (text === undefined) continue;
    const forms = key === "number" ? exactForms(text, plan.country) : [key === "pattern" ? text.toUpperCase() : text];
    const before = new Set(forms.flatMap((form) => seen.get(`${key} ${form}`) ?? []));
    const twin = [...before].find((other) => hides(other.trunks, trunks));
    if (twin) {
      const other = ["inbound", "numbers", twin.index];
      const where = trunks === undefined || twin.trunks === undefined ? "" : " on the same trunk";
      const path = ["inbound", "numbers", index, key];
      yield { path, message: `is the ${key} of ${formatPath(other)} too${where}`, other: [...other, key] };
    }
    const mine = { index, trunks };
    for (const form of forms) seen.set(`${key} ${form}`, [...(seen.get(`${key} ${form}`) ?? []), mine]);
  }
}

/** An entry for all trunks behind one for some of them is for the rest. */
function hides(first: readonly string[] | undefined, second: readonly string[] | undefined): boolean {
  if (first === undefined) return true;
  return second?.some((trunk) => first.includes(trunk)) === true;
}
