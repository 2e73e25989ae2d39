// What a call owes to whom in each phase, and who is in it: asked when it ends.
import { legAddress, type Farewell, type LiveCall, type Owed } from "../model/call.ts";
import { finalStatusOf, type Cause } from "../model/cause.ts";
import { farewell } from "./farewell.ts";
import { isRinging } from "../model/ringing.ts";
import type { UserId } from "../../ids.ts";

export function owedToTrunk(call: LiveCall): Owed["trunk"] {
  switch (call.phase) {
    case "offering":
      return "nothing";
    case "inviting":
    case "early":
      return "cancel";
    case "arriving":
    case "alerting":
    case "accepting":
      return call.acceptedAtMs === undefined ? "final" : "bye";
    case "answering":
    case "connected":
    case "transferring":
      return "bye";
  }
}

/** What a leg is owed, and what of it is said now: an answer on its way arrives before a hang-up that is sent after it. */
interface OwnFarewell {
  readonly kept: Farewell;
  readonly now: Farewell;
}

export function farewellsOf(call: LiveCall, cause: Cause, gone: { readonly answer?: true }): readonly OwnFarewell[] {
  const both = (kept: Farewell): OwnFarewell => ({ kept, now: kept });
  switch (call.phase) {
    case "arriving":
    // The client closed its side when it handed the call over.
    case "transferring":
      return [];
    case "alerting":
      return call.legs.filter(isRinging).map((leg) => both(farewell(legAddress(call, leg), "hangup", cause)));
    case "offering":
    case "inviting":
    case "answering":
      return [both(farewell(call.leg, "reject", cause))];
    case "accepting":
      return [both(farewell(call.leg, call.awaiting === "answer" ? "hangup" : "reject", cause))];
    case "early":
    case "connected": {
      if (gone.answer) return [both(farewell(call.leg, "either", cause))];
      if (call.answer === "none") return [both(farewell(call.leg, "reject", cause))];
      const now = farewell(call.leg, "hangup", cause);
      return [{ kept: call.answer === "told" ? now : farewell(call.leg, "either", cause), now }];
    }
  }
}

/** Our response to the trunk's INVITE, if this is where it gets one. */
export function ownFinalStatus(call: LiveCall, cause: Cause): number | undefined {
  return owedToTrunk(call) === "final" ? finalStatusOf(cause) : undefined;
}

export function answeredAtMsOf(call: LiveCall): number | undefined {
  if ("answeredAtMs" in call) return call.answeredAtMs;
  return "acceptedAtMs" in call ? call.acceptedAtMs : undefined;
}

/** Of a call that nobody took the person it rang first, if it was for one. */
export function personOf(call: LiveCall): UserId | undefined {
  if (call.phase === "arriving") return undefined;
  if (call.phase !== "alerting") return call.leg.person;
  const first = call.legs.find(({ room }) => room !== undefined) ?? call.legs[0];
  return first?.target.kind === "person" ? first.target.person : undefined;
}

type CallOfPerson = Exclude<LiveCall, { phase: "arriving" | "alerting" }>;

/** One person is at the Matrix side, and their hang-up is the call's end. */
export function hasPerson(call: LiveCall): call is CallOfPerson {
  return call.phase !== "arriving" && call.phase !== "alerting";
}

/** The Matrix leg is a call of the person's, which we answer. */
export function answersPerson(call: LiveCall): boolean {
  switch (call.phase) {
    case "arriving":
    case "alerting":
      return false;
    case "accepting":
      return call.awaiting !== "answer";
    case "connected":
    case "transferring":
      return call.inviter === "person";
    default:
      return true;
  }
}

export function isConnected(call: LiveCall): boolean {
  return call.phase === "connected" || call.phase === "transferring";
}

export function causeOfLeaving(call: LiveCall): Cause {
  if (isConnected(call)) return call.direction === "outbound" ? "caller-hung-up" : "callee-hung-up";
  return call.direction === "outbound" ? "caller-left" : "declined";
}
