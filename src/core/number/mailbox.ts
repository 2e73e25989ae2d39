// Whom news of a voice mailbox are for (RFC 3842): as the configuration says, else whoever the number of that name rings first.
import type { RingTarget } from "../call/matrix-leg.ts";
import type { TrunkName, UserId } from "../ids.ts";
import { findDid, type DidTable } from "./did.ts";
import type { Country } from "./e164.ts";
import { spellingOf } from "./spelling.ts";

export interface Mailboxes {
  /** By account, as the trunk names it or in E.164. */
  readonly accounts: ReadonlyMap<string, readonly UserId[]>;
  readonly numbers: DidTable;
  readonly country: Country | undefined;
}

/** Empty: the mailbox is nobody's. */
export function ownersOfMailbox(account: string, trunk: TrunkName, mailboxes: Mailboxes): readonly RingTarget[] {
  const { accounts, numbers, country } = mailboxes;
  const { sent, e164 } = spellingOf(account, country);
  const owners = [account, sent, ...e164].map((name) => accounts.get(name)).find((found) => found !== undefined);
  if (owners) return owners.map((person) => ({ kind: "person", person }));
  const found = findDid(account, trunk, numbers, country);
  return found.kind === "found" ? (found.stages[0]?.targets ?? []) : [];
}
