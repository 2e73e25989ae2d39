// The second and third trunk of an outbound call: whoever dialled is not to notice that the first one was out of order.
import { clientEnd } from "../../media-end.ts";
import type { TrunkName } from "../../ids.ts";
import type { CallCommon, CallIn, Inviting, Offering } from "../model/call.ts";
import type { Failover } from "../model/dialling.ts";
import { isInfrastructureFailure } from "../model/cause.ts";
import type { TimedFact, IceCandidate } from "../model/fact.ts";
import { enter, to, type Step } from "../model/transition.ts";
import { unsent } from "../model/trunk-leg.ts";

/** A client has a dozen candidates; what is kept of one that never stops has an end. */
const mostCandidates = 100;

/** Undefined where there is no other trunk: nothing has to be kept then. */
export function failoverTo(failover: Failover): Failover | undefined {
  return failover.trunks.length === 0 ? undefined : failover;
}

/** An admin has paused that one. Emergency calls, which go over paused trunks too, have no other trunk. */
export function withoutTrunk(failover: Failover | undefined, paused: TrunkName): Failover | undefined {
  return failover && failoverTo({ ...failover, trunks: failover.trunks.filter(({ name }) => name !== paused) });
}

export function keepCandidates<P extends Offering | Inviting>(
  call: CallIn<P>,
  candidates: readonly IceCandidate[],
): CallIn<P> {
  const { failover } = call.phase;
  if (failover === undefined) return call;
  const kept = [...failover.candidates, ...candidates].slice(0, mostCandidates);
  return { ...call, phase: { ...call.phase, failover: { ...failover, candidates: kept } } };
}

/**
 * Undefined: there is no other trunk, or it could not do better. The client's offer has to be put to the media engine
 * again, as each trunk wants its RTP in its own way.
 */
export function nextTrunk(call: CallIn<Inviting>, fact: TimedFact): Step | undefined {
  const { leg, earlyMedia, failover } = call.phase;
  const [trunk, ...others] = failover?.trunks ?? [];
  if (failover === undefined || trunk === undefined || !isTrunksFault(fact)) return undefined;
  const { outstanding } = call;
  const next: CallCommon = {
    ...call,
    number: trunk.number,
    outstanding: { ...outstanding, releases: outstanding.releases + 1 },
  };
  return to(
    enter<Offering>(next, {
      kind: "offering",
      leg,
      trunk: unsent(call.id, trunk),
      earlyMedia,
      failover: failoverTo({ ...failover, trunks: others }),
    }),
    { kind: "media.release" },
    { kind: "media.offer", from: clientEnd, description: failover.offer },
    ...(failover.candidates.length === 0
      ? []
      : [{ kind: "media.candidates", candidates: failover.candidates } as const]),
  );
}

function isTrunksFault(fact: TimedFact): boolean {
  if (fact.kind === "sip.failed") return true;
  return fact.kind === "sip.rejected" && isInfrastructureFailure(fact.status, fact.q850);
}
