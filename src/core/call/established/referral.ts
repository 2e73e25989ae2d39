// The trunk wants the person connected to somebody else (REFER, RFC 3515): a new INVITE of ours replaces its dialog, the
// person's client notices nothing but another voice.
import { trunkEnd } from "../../media-end.ts";
import type { CallIn, Connected, Renegotiation } from "../model/call.ts";
import { end } from "../ending/ending.ts";
import { notice } from "../ending/room-notices.ts";
import type { TimedFact } from "../model/fact.ts";
import { close, isBusy, overtaken, queuedIn } from "./renegotiation.ts";
import { amend, ignored, to, unchanged, type Step } from "../model/transition.ts";

type ReferralFact = Extract<
  TimedFact,
  {
    kind:
      | "sip.referred"
      | "transfer.planned"
      | "transfer.barred"
      | "sip.replaced"
      | "sip.replaceFailed"
      | "media.described"
      | "media.answered"
      | "media.refused";
  }
>;

export function stepReferral(call: CallIn<Connected>, fact: ReferralFact): Step {
  const now = call.phase.renegotiation;
  if (fact.kind === "sip.referred") {
    // One exchange at a time; who asks again later is heard.
    if (isBusy(now)) return to(call, { kind: "sip.refuseRefer", status: 491 });
    const { replaces } = fact;
    return to(
      amend(overtaken(call), { renegotiation: { by: "referral", awaiting: "plan", replaces, queued: queuedIn(now) } }),
      { kind: "transfer.plan", to: fact.target, person: call.phase.leg.person },
    );
  }
  if (now.by !== "referral") return ignored(call, fact);
  return now.awaiting === "plan" ? planned(call, now, fact) : underWay(call, now, fact);
}

type Referral = Extract<Renegotiation, { by: "referral" }>;
type Planned = Extract<Referral, { readonly awaiting: "plan" }>;

function planned(call: CallIn<Connected>, now: Planned, fact: ReferralFact): Step {
  if (fact.kind === "transfer.barred") return close(call, { kind: "sip.refuseRefer", status: 603 });
  if (fact.kind !== "transfer.planned") return ignored(call, fact);
  const { trunk, shown } = fact;
  // The new dialog takes over the session as it is, on the trunk whose media it was made for.
  if (trunk.name !== call.phase.trunk.name) return close(call, { kind: "sip.refuseRefer", status: 603 });
  const { replaces, queued } = now;
  return to(amend(call, { renegotiation: { by: "referral", awaiting: "offer", trunk, shown, replaces, queued } }), {
    kind: "media.describe",
    end: trunkEnd,
  });
}

function underWay(call: CallIn<Connected>, now: Exclude<Referral, Planned>, fact: ReferralFact): Step {
  const { trunk, shown } = now;
  switch (fact.kind) {
    case "media.described":
      if (now.awaiting !== "offer") return ignored(call, fact);
      return to(amend(call, { renegotiation: { ...now, awaiting: "trunk" } }), {
        kind: "sip.replace",
        trunk: trunk.name,
        target: trunk.target,
        identity: trunk.identity,
        description: fact.description,
        replaces: now.replaces,
      });
    case "sip.replaced":
      if (now.awaiting !== "trunk") return ignored(call, fact);
      return to(
        amend(
          { ...call, shown },
          {
            trunk: { ...call.phase.trunk, number: trunk.number, abilities: trunk.abilities, dialog: fact.dialog },
            renegotiation: { ...now, awaiting: "media-answer" },
          },
        ),
        { kind: "media.answer", from: trunkEnd, description: fact.description },
        { kind: "matrix.signal", leg: call.phase.leg, signal: { kind: "identity", identity: shown } },
        ...connectedNotices(call, shown.displayName),
      );
    case "sip.replaceFailed":
      // Who wanted it is still in the call and was told by NOTIFY.
      return now.awaiting === "trunk" ? close(call) : ignored(call, fact);
    case "media.answered":
      return now.awaiting === "media-answer" ? close(call) : ignored(call, fact);
    case "media.refused":
      if (now.awaiting === "offer") return close(call, { kind: "sip.refuseRefer", status: 488 });
      // The old dialog has ended, and in the new one nobody is heard.
      return now.awaiting === "media-answer" ? end(call, "incompatible", fact.atMs, {}) : unchanged(call);
    default:
      return ignored(call, fact);
  }
}

/** Most clients show an asserted identity only where their config says so. */
function connectedNotices({ phase, notices }: CallIn<Connected>, name: string): Step["orders"] {
  return notices.history ? [notice(phase.leg, `You are now connected to ${name}.`)] : [];
}
