// Who calls, as people may see it: the caller's ghost, its name, and what verification or a diversion adds. How far a
// trunk is trusted is decided in core/policy/caller.ts.
import type { Diversion, RemoteIdentity } from "../../core/policy/remote-identity.ts";
import type { TrunkName, UserId } from "../../core/ids.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { DialTarget, GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { ghostNumber, ourUser, type GhostNumber, type OurUser } from "../../core/number/plan/number-key.ts";
import { badgeOf, badgeWords, type CallerBadge } from "../../core/policy/caller-badge.ts";
import {
  callerWords,
  identifyCaller,
  targetOf,
  type Caller,
  type CallerChoice,
  type CallerTrust,
} from "../../core/policy/caller.ts";

export interface CallersParts {
  readonly ids: GhostIds;
  readonly trust: (trunk: TrunkName) => CallerTrust;
  readonly plan: () => DialPlan;
}

export interface KnownCaller {
  /** The one ghost of all who withhold their number, where there is none. */
  readonly ghost: GhostNumber;
  readonly withheld: boolean;
  /** What the ghost is called: the trusted name, else the number. */
  readonly name: string;
  /** The name that the trunk is trusted with; undefined where it gave none. */
  readonly trustedName: string | undefined;
  /** For history and log. */
  readonly number: string;
  /** What the network knows of the caller, as people see it. */
  readonly badge: CallerBadge | undefined;
  /** What the trunk's settings want for spam; undefined: as for all trunks. */
  readonly spamChoice: CallerChoice | undefined;
  /** What is written in the room, one line each; mostly nothing. */
  readonly words: readonly string[];
}

export class Callers {
  readonly #parts: CallersParts;

  constructor(parts: CallersParts) {
    this.#parts = parts;
  }

  of(trunk: TrunkName, identity: RemoteIdentity, diversions: readonly Diversion[]): KnownCaller {
    const { plan, trust } = this.#parts;
    const caller = identifyCaller(identity, trust(trunk), plan().country);
    const { ghost, name, stands } = this.#standIn(caller);
    const badge = badgeOf(caller.verified, identity, trust(trunk));
    const trustedName = !stands || caller.kind === "withheld" ? undefined : caller.displayName;
    return {
      ghost,
      withheld: !stands || caller.kind === "withheld",
      name: trustedName ?? name,
      trustedName,
      number: stands && caller.kind === "number" ? caller.dialled : name,
      badge,
      spamChoice: trust(trunk).spam?.calls,
      words: callerWords(badge && badgeWords[badge], diversions, plan().country, trust(trunk).numberFormat),
    };
  }

  /** Whether two ghosts stand for the same telephone: one may be of the number as a person dialled it, one as the trunk says it. */
  sameNumber(one: UserId, other: UserId | OurUser): boolean {
    const { ids, plan } = this.#parts;
    const known = typeof other === "string" ? ourUser(other, ids, plan()) : other;
    return one === known.user || ourUser(one, ids, plan()).key === known.key;
  }

  /** A caller whose text fits into no user id is one of those who have none. */
  #standIn(caller: Caller): { readonly ghost: GhostNumber; readonly name: string; readonly stands: boolean } {
    const { ids, plan } = this.#parts;
    const stated = targetOf(caller);
    const user = ids.format(stated);
    const target: DialTarget = user === undefined ? { kind: "withheld" } : stated;
    const ghost = ghostNumber(user ?? ids.withheld, target, plan());
    return { ghost, name: ids.displayName(target), stands: user !== undefined };
  }
}
