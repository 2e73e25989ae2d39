// Whose a voice mailbox is (RFC 3842): as the configuration says, else the people whom the number of that name rings.
import type { TrunkName, UserId } from "../../ids.ts";
import { findDid, type DidTable } from "./did.ts";
import type { Country } from "../e164.ts";
import { spellingOf } from "./spelling.ts";

export interface Mailboxes {
  /** By account, as the trunk names it or in E.164. */
  readonly accounts: ReadonlyMap<string, readonly UserId[]>;
  readonly numbers: DidTable;
  readonly country: Country | undefined;
}

/** Empty: the mailbox is nobody's. */
export function ownersOfMailbox(account: string, trunk: TrunkName, mailboxes: Mailboxes): readonly UserId[] {
  const { accounts, numbers, country } = mailboxes;
  const { sent, e164 } = spellingOf(account, country);
  const owners = [account, sent, ...e164].map((name) => accounts.get(name)).find((found) => found !== undefined);
  if (owners) return owners;
  const found = findDid(account, trunk, numbers, country);
  const targets = found.kind === "found" ? found.stages.flatMap((stage) => stage.targets) : [];
  return [...new Set(targets.flatMap((target) => (target.kind === "person" ? [target.person] : [])))];
}
