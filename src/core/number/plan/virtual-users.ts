// Which person a number is, and which number a person is, where that is one and only one: what older clients ask to show a
// number's calls as calls of the person (sip_native, sip_virtual).
import type { DialString, TrunkName, UserId } from "../../ids.ts";
import { dialString } from "../dialled.ts";
import { findDid, type DidTable } from "./did.ts";
import type { RingStage } from "./ring-stage.ts";
import type { Country } from "../e164.ts";
import type { DialTarget } from "../ghost/ghost-id.ts";
import { spellingOf } from "./spelling.ts";

export interface VirtualUsers {
  /** The person whose number that is on every trunk that has it. */
  nativeOf(target: DialTarget): UserId | undefined;
  /** The first number that rings this person and nobody else. */
  virtualOf(person: UserId): DialTarget | undefined;
}

/** `trunks`: all there are. */
export function createVirtualUsers(
  table: DidTable,
  trunks: readonly TrunkName[],
  country: Country | undefined,
): VirtualUsers {
  const numbers = new Map<UserId, DialString>();
  for (const { match, stages } of table.rules) {
    const person = onlyPerson(stages);
    if (match.kind !== "exact" || person === undefined || numbers.has(person)) continue;
    const { sent, e164 } = spellingOf(match.number, country);
    const keys = e164[0] ?? dialString(sent);
    if (keys !== undefined && /\d/.test(keys)) numbers.set(person, keys);
  }
  return {
    nativeOf(target) {
      if (target.kind !== "number") return undefined;
      const found = trunks.map((trunk) => findDid(target.dialled, trunk, table, country));
      const persons = new Set(found.flatMap((did) => (did.kind === "found" ? [onlyPerson(did.stages)] : [])));
      const [person] = persons;
      return persons.size === 1 ? person : undefined;
    },
    virtualOf(person) {
      const dialled = numbers.get(person);
      return dialled === undefined ? undefined : { kind: "number", dialled };
    },
  };
}

function onlyPerson(stages: readonly RingStage[]): UserId | undefined {
  const targets = stages.flatMap((stage) => stage.targets);
  const [target] = targets;
  return targets.length === 1 && target?.kind === "person" ? target.person : undefined;
}
