// What is agreed about how long a session lasts without a sign of life (RFC 4028): its headers, read and written, and
// who refreshes. When that is done is session-timer.ts's business.
import type { TrunkSettings } from "../../ports/sip.ts";
import { parseDigits, parseParams } from "../wire/fields/grammar.ts";
import { numberHeader, tokensHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header, headerTokens, type SipMessage, type SipRequest, type SipResponse } from "../wire/message.ts";

export type SessionTimerSettings = TrunkSettings["sessionTimer"];

/** What both sides keep to. */
export interface SessionTerms {
  readonly seconds: number;
  readonly refresher: "us" | "peer";
}

/** A request of the peer that starts, refreshes or ends the session's time. */
export type SessionVerdict =
  /** 422 with these headers (s6): it wants to be asked more often than we like. */
  | { readonly kind: "tooBrief"; readonly headers: readonly HeaderLine[] }
  /** These go into the 2xx. No terms: the session lasts until somebody ends it. */
  | { readonly kind: "agreed"; readonly headers: readonly HeaderLine[]; readonly terms: SessionTerms | undefined };

/** s4: no interval is shorter, unless our own configuration asks for it. */
const LEAST_S = 90;
/** Whatever a peer says: between a flood of refreshes and what a timer can hold. */
const SHORTEST_S = 4;
const LONGEST_S = 7 * 24 * 3_600;

/** Of an INVITE of ours. `leastSeconds`: what a 422 asked for. */
export function sessionHeaders(settings: SessionTimerSettings, leastSeconds = 0): readonly HeaderLine[] {
  if (settings === undefined) return [];
  const minSeconds = Math.max(minOf(settings), leastSeconds);
  // s7.1: who refreshes is left to the peer.
  return [
    numberHeader("Session-Expires", Math.max(secondsOf(settings), minSeconds)),
    numberHeader("Min-SE", minSeconds),
  ];
}

/** The same inside a dialog, where the roles stand (s7.4). */
export function refreshHeaders(
  terms: SessionTerms,
  settings: SessionTimerSettings,
  leastSeconds: number,
): readonly HeaderLine[] {
  const refresher = terms.refresher === "us" ? "uac" : "uas";
  return [
    numberHeader("Session-Expires", Math.max(terms.seconds, leastSeconds), new Map([["refresher", refresher]])),
    numberHeader("Min-SE", Math.max(minOf(settings), leastSeconds)),
    tokensHeader("Supported", ["timer"]),
  ];
}

/**
 * What a 2xx to a request of ours agrees to (s7.2). A peer that knows no session timer is refreshed by us, where we
 * want one: that it answers is all that we need to know.
 */
export function termsOfAnswer(response: SipResponse, settings: SessionTimerSettings): SessionTerms | undefined {
  const agreed = sessionExpiresOf(response);
  if (agreed !== undefined) return { seconds: agreed.seconds, refresher: agreed.refresher === "uas" ? "peer" : "us" };
  return settings && { seconds: secondsOf(settings), refresher: "us" };
}

/** Our side of a request of the peer (s9, table 2). */
export function judgeSession(request: SipRequest, settings: SessionTimerSettings): SessionVerdict {
  const asked = sessionExpiresOf(request);
  const supported = headerTokens(request, "Supported").some((token) => token.toLowerCase() === "timer");
  const minSeconds = minOf(settings);
  // Who does not know the extension does not understand 422 either: a proxy has put the header there.
  if (asked !== undefined && supported && asked.seconds < minSeconds) {
    return { kind: "tooBrief", headers: [numberHeader("Min-SE", minSeconds)] };
  }
  if (asked === undefined && settings === undefined) return { kind: "agreed", headers: [], terms: undefined };
  const theirLeast = minSeOf(request) ?? 0;
  const wanted = settings === undefined ? Infinity : Math.max(secondsOf(settings), theirLeast, minSeconds);
  const seconds = Math.min(wanted, asked?.seconds ?? Infinity);
  const refresher = supported ? (asked?.refresher ?? "uas") : "uas";
  const headers = [numberHeader("Session-Expires", seconds, new Map([["refresher", refresher]]))];
  if (supported) headers.push(tokensHeader("Require", ["timer"]));
  return { kind: "agreed", headers, terms: { seconds, refresher: refresher === "uas" ? "us" : "peer" } };
}

/** Min-SE in seconds (s5). */
export function minSeOf(message: SipMessage): number | undefined {
  return deltaSeconds(header(message, "Min-SE"));
}

function sessionExpiresOf(message: SipMessage): { seconds: number; refresher: "uac" | "uas" | undefined } | undefined {
  const value = header(message, "Session-Expires");
  const seconds = deltaSeconds(value);
  if (value === undefined || seconds === undefined) return undefined;
  const semicolon = value.indexOf(";");
  const said = parseParams(semicolon < 0 ? "" : value.slice(semicolon))
    ?.get("refresher")
    ?.toLowerCase();
  return { seconds, refresher: said === "uac" || said === "uas" ? said : undefined };
}

function deltaSeconds(value: string | undefined): number | undefined {
  const digits = /^\s*(\d+)\s*(?:;|$)/.exec(value ?? "")?.[1];
  if (digits === undefined) return undefined;
  const seconds = parseDigits(digits, Number.MAX_SAFE_INTEGER) ?? LONGEST_S;
  return Math.min(Math.max(seconds, SHORTEST_S), LONGEST_S);
}

function secondsOf({ expiresMs }: NonNullable<SessionTimerSettings>): number {
  return Math.max(SHORTEST_S, Math.round(expiresMs / 1_000));
}

function minOf(settings: SessionTimerSettings): number {
  return settings === undefined ? LEAST_S : Math.max(SHORTEST_S, Math.round(settings.minMs / 1_000));
}
