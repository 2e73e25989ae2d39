// What a call leaves in words in each room when it is over there. Clients show each call by themselves, with its length, and
// that it was declined or missed: only what they cannot know is written.
import type { Alerting, Call, CallIn, LiveCall, Transferring } from "../model/call.ts";
import { describeCause, type Cause } from "../model/cause.ts";
import type { CallOrder } from "../model/order.ts";
import type { LegAddress } from "../model/matrix-leg.ts";
import { chargedLegOf, legAddress } from "../model/queries.ts";
import type { Notices } from "../model/notices.ts";
import type { PhaseOfPerson } from "./obligations.ts";
import { sameTarget, wasRung } from "../model/ringing.ts";

const missedLine = "Missed call.";
/** The trunk said that another of the caller's branches was answered: nothing of ours. */
const elsewhereLine = "Answered elsewhere.";
export const answeredByOtherLine = "Answered by somebody else.";
const declinedLine = "The call was declined.";

/** Causes that the client shows by itself, unless it has taken early media for the answer. */
const plainWords: Partial<Record<Cause, string>> = {
  busy: "The number was busy.",
  declined: declinedLine,
};

/** What every room hears that a call ends in; `said` is what whoever is charged for it has to know, and always read. */
export function endNotices(call: LiveCall, cause: Cause, atMs: number, said?: string): readonly CallOrder[] {
  const { phase, notices } = call;
  const charged = said === undefined ? undefined : chargedLegOf(call);
  if (said !== undefined && charged !== undefined) return [notice(charged, said)];
  switch (phase.kind) {
    case "picking-up":
    case "keying":
    case "arriving":
    case "joining":
    case "joined":
      return [];
    case "alerting": {
      if (!notices.history) return [];
      const rang = phase.legs.filter(wasRung).map((leg) => legAddress(phase, leg));
      if (cause === "answered-elsewhere") return rang.map((leg) => notice(leg, elsewhereLine));
      return rang.map((leg) => (ringsGroup(phase) ? notice(leg, missedLine) : tile(leg, missedLine)));
    }
    default: {
      const line = lineFor({ ...call, phase }, cause, atMs);
      if (line !== undefined) return [notice(phase.leg, line)];
      const shown = notices.history ? shownByClient({ ...call, phase }, cause, atMs) : undefined;
      return shown === undefined ? [] : [tile(phase.leg, shown)];
    }
  }
}

/** Who transferred the call believes that the two talk: only if they never did is there something to tell. */
export function transferNotices(
  { phase, notices }: LiveCall,
  cause: Cause,
  farEndIsGone: boolean,
): readonly CallOrder[] {
  if (!notices.failures) return [];
  switch (phase.kind) {
    case "joining":
      return farEndIsGone ? [] : [notice(phase.transferredBy, transferFailedLine(cause))];
    case "arriving":
    case "alerting":
    case "accepting":
      if (phase.origin.kind !== "transferred" || describeCause(cause).result === "success") return [];
      return [notice(phase.origin.by, transferFailedLine(cause))];
    default:
      return [];
  }
}

export function transferFailedLine(cause: Cause): string {
  return `The transfer failed: ${describeCause(cause).words ?? plainWords[cause] ?? declinedLine}`;
}

/** For a room that was found only when the caller had given up: to whoever is in it, or invited, the call is one that they missed. */
export function lateNotice({ direction, notices, phase }: Call): string | undefined {
  if (direction !== "inbound" || !notices.history) return undefined;
  const cause = phase.kind === "ending" ? phase.cause : phase.kind === "ended" ? phase.record.cause : undefined;
  return cause === "missed" || cause === "homeserver-away" ? missedLine : undefined;
}

/** Whoever is refused is told why, whatever is switched off. */
export function refusalNotices(leg: LegAddress, cause: Cause): readonly CallOrder[] {
  const { words } = describeCause(cause);
  return words === undefined ? [] : [notice(leg, words)];
}

export function notice({ room, ghost }: Pick<LegAddress, "room" | "ghost">, text: string): CallOrder {
  return { kind: "matrix.notice", leg: { room, ghost }, text };
}

function tile({ room, ghost, form }: LegAddress, text: string): CallOrder {
  return { kind: "matrix.tile", leg: { room, ghost, form }, text };
}

/** Nobody of several can see whether another took the call. */
function ringsGroup({ stages }: Alerting): boolean {
  const [first, ...others] = stages.flatMap(({ targets }) => targets);
  return first?.kind === "room" || others.some((target) => first !== undefined && !sameTarget(first, target));
}

type AnsweredCall = CallIn<PhaseOfPerson>;

function lineFor(call: AnsweredCall, cause: Cause, atMs: number): string | undefined {
  const { notices } = call;
  // The other of two calls that crossed goes on, or another device of the person's does.
  if (cause === "crossed") return undefined;
  if (call.phase.kind === "transferring" && cause === "transferred")
    return isWanted(notices) ? transferredLine(call.phase, notices, atMs) : undefined;
  const { words } = describeCause(cause);
  const sinceMs = talkingSinceMs(call);
  if (cause === "connection-lost" && words !== undefined && sinceMs !== undefined && notices.history)
    return `${words} Call ended after ${durationText(atMs - sinceMs)}.`;
  if (words !== undefined) return isWanted(notices) ? words : undefined;
  // A client that hears early media believes itself answered: it cannot show by itself why nobody came.
  if (call.phase.kind === "early" && call.phase.answer !== "none" && isWanted(notices)) return plainWords[cause];
  return notices.history && call.direction === "inbound" && cause === "answered-elsewhere" ? elsewhereLine : undefined;
}

/** Also where the history is not kept: a client shows that its call is over, not to whom it went. */
export function transferredLine({ to, takenAtMs }: Transferring, notices: Notices, atMs: number): string {
  const where = to === undefined ? "The call was transferred" : `Transferred to ${to}`;
  return notices.history ? `${where} after ${durationText(atMs - takenAtMs)}.` : `${where}.`;
}

/** What the client shows by itself of a call that ended with no other words. */
function shownByClient(call: AnsweredCall, cause: Cause, atMs: number): string | undefined {
  if (cause === "crossed" || cause === "answered-elsewhere") return undefined;
  const sinceMs = talkingSinceMs(call);
  if (sinceMs !== undefined) return `Call ended after ${durationText(atMs - sinceMs)}.`;
  if (call.direction === "outbound") return plainWords[cause];
  return cause === "declined" ? declinedLine : missedLine;
}

function talkingSinceMs(call: AnsweredCall): number | undefined {
  const { phase } = call;
  return phase.kind === "connected" || phase.kind === "transferring" ? phase.takenAtMs : undefined;
}

function isWanted({ failures, history }: Notices): boolean {
  return failures || history;
}

/** `2 min 13 s`: hours, minutes and seconds where there are any. */
export function durationText(durationMs: number): string {
  const total = Math.max(0, Math.round(durationMs / 1_000));
  const parts = [
    { count: Math.floor(total / 3_600), unit: "h" },
    { count: Math.floor(total / 60) % 60, unit: "min" },
    { count: total % 60, unit: "s" },
  ].filter(({ count }) => count > 0);
  return parts.length === 0 ? "0 s" : parts.map(({ count, unit }) => `${count} ${unit}`).join(" ");
}
