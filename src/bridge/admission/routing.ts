// The trunks for a person's call or transfer: what the dial plan found, with the identity that each trunk wants.
import type { DialledTrunk, TrunkAbilities } from "../../core/call/model/trunk-leg.ts";
import type { TrunkName, UserId } from "../../core/ids.ts";
import { isEmergency, type PlannedCall } from "../../core/number/plan/dial-plan.ts";
import type { CallGate } from "./call-gate.ts";
import { callerIdentity, type IdentityTemplates } from "../../core/policy/caller-identity.ts";
import type { TrunkFeatures } from "../../core/policy/trunk-features.ts";

export interface RoutingParts {
  readonly identities: (trunk: TrunkName) => IdentityTemplates;
  readonly features: (trunk: TrunkName) => TrunkFeatures;
  readonly gate: Pick<CallGate, "isPaused">;
}

/**
 * The first one, and those to try after it; undefined where an admin has paused them all. To an emergency number paused ones
 * are tried too, last. `displayName` is the person's, where a trunk is to see it.
 */
export function dialledTrunks(
  route: Extract<PlannedCall, { kind: "route" }>,
  person: UserId,
  displayName: string | undefined,
  { identities, features, gate }: RoutingParts,
): { readonly trunk: DialledTrunk; readonly alternatives: readonly DialledTrunk[] } | undefined {
  const { withheld } = route;
  const dialled = ({ trunk, uri, number }: (typeof route.alternatives)[number]): DialledTrunk => ({
    name: trunk,
    target: uri,
    number,
    identity: callerIdentity(person, displayName, identities(trunk), { withheld }),
    abilities: abilitiesOf(features(trunk)),
  });
  const planned = [route, ...route.alternatives];
  const open = planned.filter(({ trunk }) => !gate.isPaused(trunk));
  const paused = isEmergency(route) ? planned.filter(({ trunk }) => gate.isPaused(trunk)) : [];
  const [trunk, ...alternatives] = [...open, ...paused].map(dialled);
  return trunk && { trunk, alternatives };
}

export function abilitiesOf({ dtmf, transfer }: TrunkFeatures): TrunkAbilities {
  return { infoDtmf: dtmf !== "rtp", refer: transfer === "refer" };
}
