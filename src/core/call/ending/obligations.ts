// What a call owes to whom in each phase, and who is in it: asked when it ends.
import type { UserId } from "../../ids.ts";
import type { CallIn, Farewell, LiveCall, LivePhase } from "../model/call.ts";
import { finalStatusOf, type Cause } from "../model/cause.ts";
import { legAddress, trunkLegsOf } from "../model/queries.ts";
import { isRinging } from "../model/ringing.ts";
import { owedTo, type OwedToTrunk } from "../model/trunk-leg.ts";
import { farewell } from "./farewell.ts";

/** Of a call with one leg; what comes of a bridged call's legs says of which. */
export function owedToTrunk(call: LiveCall): OwedToTrunk {
  const [leg, other] = trunkLegsOf(call);
  return leg === undefined || other !== undefined ? "nothing" : owedTo(leg);
}

/** What a leg is owed, and what of it is said now: an answer on its way arrives before a hang-up that is sent after it. */
interface OwnFarewell {
  readonly kept: Farewell;
  readonly now: Farewell;
}

export function farewellsOf(
  { phase }: LiveCall,
  cause: Cause,
  gone: { readonly answer?: true },
): readonly OwnFarewell[] {
  const both = (kept: Farewell): OwnFarewell => ({ kept, now: kept });
  switch (phase.kind) {
    case "picking-up":
    case "keying":
    case "arriving":
    // The client closed its side when it handed the call over.
    case "transferring":
    case "joining":
    case "joined":
      return [];
    case "alerting":
      return phase.legs.filter(isRinging).map((leg) => both(farewell(legAddress(phase, leg), "hangup", cause)));
    case "offering":
    case "inviting":
    case "answering":
      return [both(farewell(phase.leg, "reject", cause))];
    case "accepting":
      return [both(farewell(phase.leg, phase.acceptance.kind === "answered" ? "hangup" : "reject", cause))];
    case "early":
    case "connected": {
      if (gone.answer) return [both(farewell(phase.leg, "either", cause))];
      if (phase.answer === "none") return [both(farewell(phase.leg, "reject", cause))];
      const now = farewell(phase.leg, "hangup", cause);
      return [{ kept: phase.answer === "told" ? now : farewell(phase.leg, "either", cause), now }];
    }
  }
}

/** Our response to the trunk's INVITE, if this is where it gets one. */
export function ownFinalStatus(call: LiveCall, cause: Cause): number | undefined {
  return owedToTrunk(call) === "final" ? finalStatusOf(cause) : undefined;
}

export function ringingAtMsOf(phase: LivePhase): number | undefined {
  switch (phase.kind) {
    case "offering":
    case "picking-up":
    case "keying":
    case "arriving":
      return undefined;
    default:
      return phase.ringingAtMs;
  }
}

/** Of a call that nobody took the person it rang first, or was to ring, if it was for one. */
export function personOf(phase: LivePhase): UserId | undefined {
  switch (phase.kind) {
    case "picking-up":
    case "keying":
      return undefined;
    case "arriving": {
      const target = phase.stages[0]?.targets[0];
      return target?.kind === "person" ? target.person : undefined;
    }
    case "joining":
    case "joined":
      return phase.transferredBy.person;
    case "alerting": {
      const first = phase.legs.find(({ room }) => room !== undefined) ?? phase.legs[0];
      return first?.target.kind === "person" ? first.target.person : undefined;
    }
    default:
      return phase.leg.person;
  }
}

/** Phases in which nobody is at the Matrix side. */
const nobodys = ["picking-up", "keying", "arriving", "alerting", "joining", "joined"] as const;

export type PhaseOfPerson = Exclude<LivePhase, { readonly kind: (typeof nobodys)[number] }>;

/** One person is at the Matrix side, and their hang-up is the call's end. */
export function hasPerson(call: LiveCall): call is CallIn<PhaseOfPerson> {
  return !nobodys.some((kind) => kind === call.phase.kind);
}

/** The Matrix leg is a call of the person's, which we answer. */
export function answersPerson({ phase }: LiveCall): boolean {
  switch (phase.kind) {
    case "picking-up":
    case "keying":
    case "arriving":
    case "alerting":
    case "joining":
    case "joined":
      return false;
    case "accepting":
      return phase.acceptance.kind !== "answered";
    case "connected":
    case "transferring":
      return phase.inviter === "person";
    default:
      return true;
  }
}

export function isConnected({ phase }: LiveCall): boolean {
  return phase.kind === "connected" || phase.kind === "transferring";
}

export function causeOfLeaving(call: LiveCall): Cause {
  if (isConnected(call)) return call.direction === "outbound" ? "caller-hung-up" : "callee-hung-up";
  return call.direction === "outbound" ? "caller-left" : "declined";
}
