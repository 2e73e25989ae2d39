// The one line that a call leaves in each room when it is over there, so that the room is the call history.
import { legAddress, type Call, type LiveCall, type Transferring } from "./call.ts";
import { describeCause, type Cause } from "./cause.ts";
import type { CallEffect } from "./effect.ts";
import type { LegAddress } from "./matrix-leg.ts";
import type { Notices } from "./notices.ts";
import { wasRung } from "./ringing.ts";

export const missedLine = "Missed call.";
/** The trunk said that another of the caller's branches was answered: nothing of ours. */
const elsewhereLine = "Answered elsewhere.";
export const answeredByOtherLine = "Answered by somebody else.";
export const declinedLine = "The call was declined.";

/** Causes that the client shows by itself, so that only the history has to have them in words. */
const plainWords: Partial<Record<Cause, string>> = {
  busy: "The number was busy.",
  declined: declinedLine,
  "caller-cancelled": "The call was cancelled before it was answered.",
};

/** What every room hears that a call ends in. */
export function lastWords(call: LiveCall, cause: Cause, atMs: number): readonly CallEffect[] {
  switch (call.phase) {
    case "arriving":
      return [];
    case "alerting": {
      if (!call.notices.history) return [];
      const text = cause === "answered-elsewhere" ? elsewhereLine : missedLine;
      return call.legs.filter(wasRung).map((leg) => notice(legAddress(call, leg), text));
    }
    default: {
      const line = lineFor(call, cause, atMs);
      return line === undefined ? [] : [notice(call.leg, line)];
    }
  }
}

/** Who transferred the call believes that the two talk: only if they never did is there something to tell. */
export function transferWords(call: LiveCall, cause: Cause): readonly CallEffect[] {
  if (!("transferredBy" in call) || call.transferredBy === undefined || !call.notices.failures) return [];
  return describeCause(cause).result === "success" ? [] : [notice(call.transferredBy, transferFailedLine(cause))];
}

export function transferFailedLine(cause: Cause): string {
  return `The transfer failed: ${describeCause(cause).words ?? plainWords[cause] ?? declinedLine}`;
}

/** For a room that was found only when the caller had given up: to whoever is in it, or invited, the call is one that they missed. */
export function lateWords(call: Call): string | undefined {
  if (call.direction !== "inbound" || !call.notices.history) return undefined;
  const cause = call.phase === "ending" ? call.cause : call.phase === "ended" ? call.record.cause : undefined;
  return cause === "missed" ? missedLine : undefined;
}

/** Whoever is refused is told why, whatever is switched off. */
export function refusalWords(leg: LegAddress, cause: Cause): readonly CallEffect[] {
  const { words } = describeCause(cause);
  return words === undefined ? [] : [notice(leg, words)];
}

export function notice({ room, ghost }: Pick<LegAddress, "room" | "ghost">, text: string): CallEffect {
  return { kind: "matrix.notice", leg: { room, ghost }, text };
}

type AnsweredCall = Exclude<LiveCall, { phase: "arriving" | "alerting" }>;

function lineFor(call: AnsweredCall, cause: Cause, atMs: number): string | undefined {
  const { notices } = call;
  // The other of two calls that crossed goes on, or another device of the person's does.
  if (cause === "crossed") return undefined;
  if (call.phase === "transferring" && cause === "transferred")
    return isWanted(notices) ? transferredLine(call, atMs) : undefined;
  const { words } = describeCause(cause);
  const sinceMs = talkingSinceMs(call, cause);
  const length = sinceMs === undefined ? undefined : `Call ended after ${durationText(atMs - sinceMs)}.`;
  if (cause === "connection-lost" && words !== undefined && length !== undefined && notices.history)
    return `${words} ${length}`;
  if (words !== undefined) return isWanted(notices) ? words : undefined;
  if (length !== undefined) return notices.history ? length : undefined;
  // A client that hears early media believes itself answered: it cannot show by itself why nobody came.
  const isFailure = cause !== "caller-cancelled";
  if (isFailure && call.phase === "early" && call.answer !== "none" && isWanted(notices)) return plainWords[cause];
  if (!notices.history) return undefined;
  if (call.direction === "outbound") return plainWords[cause];
  return cause === "declined" ? declinedLine : cause === "answered-elsewhere" ? elsewhereLine : missedLine;
}

/** Also where the history is not kept: a client shows that its call is over, not to whom it went. */
export function transferredLine({ to, takenAtMs, notices }: Transferring, atMs: number): string {
  const where = to === undefined ? "The call was transferred" : `Transferred to ${to}`;
  return notices.history ? `${where} after ${durationText(atMs - takenAtMs)}.` : `${where}.`;
}

/** A callee who hangs up at once has answered, if only just. */
function talkingSinceMs(call: AnsweredCall, cause: Cause): number | undefined {
  if (call.phase === "connected" || call.phase === "transferring") return call.takenAtMs;
  return call.phase === "answering" && cause === "callee-hung-up" ? call.answeredAtMs : undefined;
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
