// The second and third trunk of an outbound call: whoever dialled is not to notice that the first one was out of order.
import type { Detour, Inviting, Offering } from "../model/call.ts";
import { isInfrastructureFailure } from "../model/cause.ts";
import { common } from "../ending/ending.ts";
import type { CallEvent, IceCandidate } from "../model/fact.ts";
import { to, type Step } from "../model/transition.ts";
import type { DialledTrunk } from "../model/trunk-leg.ts";

/** A client has a dozen candidates; what is kept of one that never stops has an end. */
const mostCandidates = 100;

/** Undefined where there is no other trunk: nothing has to be kept then. */
export function detourOver(trunks: readonly DialledTrunk[], offer: string): Detour | undefined {
  return trunks.length === 0 ? undefined : { trunks, offer, candidates: [] };
}

export function withCandidates(detour: Detour | undefined, candidates: readonly IceCandidate[]): Detour | undefined {
  if (detour === undefined) return undefined;
  return { ...detour, candidates: [...detour.candidates, ...candidates].slice(0, mostCandidates) };
}

/**
 * Undefined: there is no other trunk, or it could not do better. The client's offer has to be put to the media engine
 * again, as each trunk wants its RTP in its own way.
 */
export function nextTrunk(call: Inviting, event: CallEvent): Step | undefined {
  const { detour, outstanding, leg, abilities, earlyMedia } = call;
  const [trunk, ...others] = detour?.trunks ?? [];
  if (detour === undefined || trunk === undefined || !isTrunksFault(event)) return undefined;
  const offering: Offering = {
    ...common(call),
    phase: "offering",
    leg,
    abilities,
    trunk,
    earlyMedia,
    number: trunk.number,
    outstanding: { ...outstanding, releases: outstanding.releases + 1 },
    detour: others.length === 0 ? undefined : { ...detour, trunks: others },
  };
  return to(
    offering,
    { kind: "media.release" },
    { kind: "media.offer", from: "matrix", sdp: detour.offer },
    ...(detour.candidates.length === 0 ? [] : [{ kind: "media.candidates", candidates: detour.candidates } as const]),
  );
}

function isTrunksFault(event: CallEvent): boolean {
  if (event.kind === "sip.failed") return true;
  return event.kind === "sip.rejected" && isInfrastructureFailure(event.status, event.q850);
}
