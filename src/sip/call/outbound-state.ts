// An INVITE of ours until its first final response, as data: what each event makes of it, and what is to be done then.
// No sockets and no timers here; outbound-call.ts carries the effects out.
import { isInfrastructureFailure } from "../../core/call/model/cause.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import { q850Of } from "../headers/reason.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import { sdpOf } from "../headers/sdp-body.ts";
import { minSeOf } from "../headers/session-expires.ts";
import type { InviteEvent } from "../user-agent/invitation.ts";
import type { Session } from "../user-agent/session.ts";
import { targetKey, type Target } from "../transport/sockets/target.ts";
import type { SipUri } from "../../core/address/uri.ts";
import type { SipResponse } from "../wire/message.ts";
import { lookedAt, noRedirects, redirected, type Redirects } from "./redirects.ts";

type Fault = Extract<SipFact, { kind: "sip.failed" }>["fault"];

/** What holds for the call, whichever INVITE of it is under way. */
interface Course {
  /** The Request-URI: the order's, until a 3xx leads elsewhere. */
  readonly uri: SipUri;
  /** Keys of the next hops that were tried for it. */
  readonly tried: ReadonlySet<string>;
  readonly redirects: Redirects;
  /** What 422 responses asked for (RFC 4028 s7.3), and how many came. */
  readonly leastSessionSeconds: number;
  readonly tooBrief: number;
  /** What the call has heard; `progress` is the last description, empty for none. */
  readonly told: { readonly trying: boolean; readonly ringing: boolean; readonly progress: string | undefined };
  /** To tags of the early dialogs. */
  readonly earlyTags: ReadonlySet<string>;
}

/** What one INVITE has brought so far. */
interface Attempt {
  readonly target: Target;
  /** More than a 100 was heard: the server has taken the call on. */
  readonly taken: boolean;
  /** What is watched since the INVITE was last sent. */
  readonly watched: "firstResponse" | "gateway";
  readonly gatewayGone: boolean;
  /** SDP of provisionals, by the tag of their early dialog: a 2xx may come without its own. */
  readonly earlySdp: ReadonlyMap<string, string>;
}

/**
 * ```
 * choosing --next hop--> calling --2xx--> answered
 *    | ^                  |  |  \--3xx to 6xx, timeout--> over
 *    | '--503, silence,---'  |
 *    |    3xx to a gateway   '--order to cancel--> cancelling --487, timeout--> over
 *    |                                                 '--2xx was faster--> answered
 *    '--no next hop, order to cancel--> over
 * ```
 * A 422 that can be met, and a challenge, repeat the INVITE without leaving `calling`.
 */
export type OutboundState =
  /** The next hop is looked up. `otherwise`: what the call ends with where there is none. */
  | { readonly phase: "choosing"; readonly course: Course; readonly otherwise: SipFact }
  | { readonly phase: "calling"; readonly course: Course; readonly attempt: Attempt }
  /** Given up by us; the INVITE's final response is still to come. */
  | { readonly phase: "cancelling"; readonly course: Course; readonly attempt: Attempt }
  | { readonly phase: "answered" }
  | { readonly phase: "over" };

export type OutboundEvent =
  | InviteEvent
  | { readonly kind: "nextHop"; readonly target: Target | undefined }
  /** A place that a 3xx named is a gateway of the trunk; `looked`: how many were looked at for it. */
  | { readonly kind: "place"; readonly uri: SipUri; readonly target: Target; readonly looked: number }
  | { readonly kind: "noNextHop"; readonly fault: Fault; readonly message: string }
  /** The server said nothing for too long, or the gateway that rings is there no more. */
  | { readonly kind: "silent"; readonly fault: "timeout" | "transport"; readonly message: string }
  | { readonly kind: "gatewayGone"; readonly message: string }
  | { readonly kind: "cancel"; readonly q850: number | undefined };

export type OutboundEffect =
  | { readonly kind: "emit"; readonly fact: SipFact }
  | { readonly kind: "hear"; readonly response: SipResponse }
  | { readonly kind: "pick"; readonly tried: ReadonlySet<string> }
  | { readonly kind: "follow"; readonly places: readonly SipUri[] }
  /** `again`: in the name of the INVITE before it. */
  | { readonly kind: "invite"; readonly target: Target; readonly course: Course; readonly again: boolean }
  | { readonly kind: "cancel"; readonly q850: number | undefined }
  | { readonly kind: "giveUp"; readonly fault: "timeout" | "transport"; readonly message: string }
  | {
      readonly kind: "watch";
      readonly what: "firstResponse" | "gateway";
      readonly target: Target;
      readonly course: Course;
    }
  | { readonly kind: "stopWatching" }
  | { readonly kind: "targetAnswered"; readonly target: Target }
  | {
      readonly kind: "targetFailed";
      readonly target: Target;
      readonly reason: string;
      readonly restMs: number | undefined;
    }
  | { readonly kind: "confirm"; readonly session: Session; readonly sdp: string; readonly response: SipResponse }
  | { readonly kind: "hangUp"; readonly session: Session }
  | { readonly kind: "over" };

export interface OutboundStep {
  readonly state: OutboundState;
  readonly effects: readonly OutboundEffect[];
}

/** Proxies on the way may each want more; but not for ever. */
const MAX_TOO_BRIEF = 3;
const OVER: OutboundState = { phase: "over" };
const STOP: OutboundEffect = { kind: "stopWatching" };

/** @param uri the Request-URI of the order */
export function startOutbound(uri: SipUri): OutboundStep {
  const course: Course = {
    uri,
    tried: new Set(),
    redirects: noRedirects(uri),
    leastSessionSeconds: 0,
    tooBrief: 0,
    told: { trying: false, ringing: false, progress: undefined },
    earlyTags: new Set(),
  };
  return choose(course, failed("transport", "no server of the trunk can be reached"));
}

export function stepOutbound(state: OutboundState, event: OutboundEvent, meetsTooBrief: boolean): OutboundStep {
  switch (state.phase) {
    case "choosing":
      return choosing(state, event);
    case "calling":
    case "cancelling":
      return inviting(state, event, meetsTooBrief);
    case "answered":
    case "over":
      return unwanted(state, event);
  }
}

/** RFC 3261 s13.2.2.4: of several answers one is kept, the others are acknowledged and ended. */
function unwanted(state: OutboundState, event: OutboundEvent): OutboundStep {
  return { state, effects: event.kind === "accepted" ? [{ kind: "hangUp", session: event.session }] : [] };
}

function choosing(state: Extract<OutboundState, { phase: "choosing" }>, event: OutboundEvent): OutboundStep {
  const { course, otherwise } = state;
  switch (event.kind) {
    case "nextHop":
      return event.target === undefined ? end(otherwise) : invite(course, event.target, false);
    case "place": {
      const redirects = lookedAt(course.redirects, event.looked);
      return invite({ ...course, redirects, uri: event.uri, tried: new Set() }, event.target, false);
    }
    case "noNextHop":
      return end(failed(event.fault, event.message));
    case "cancel":
      // Without an INVITE on the wire there is nothing to cancel (RFC 3261 s9.1).
      return end({ kind: "sip.ended" });
    default:
      return unwanted(state, event);
  }
}

type Inviting = Extract<OutboundState, { phase: "calling" | "cancelling" }>;

function inviting(state: Inviting, event: OutboundEvent, meetsTooBrief: boolean): OutboundStep {
  const { course, attempt } = state;
  const { target } = attempt;
  switch (event.kind) {
    case "sent":
      return {
        state: { ...state, attempt: { ...attempt, watched: "firstResponse" } },
        effects: [
          STOP,
          { kind: "watch", what: "firstResponse", target, course },
          { kind: "emit", fact: { kind: "sip.sent", invite: event.invite } },
        ],
      };
    case "provisional":
      return provisional(state, event.response);
    case "accepted": {
      const { response, session } = event;
      const sdp = sdpOf(response) ?? attempt.earlySdp.get(response.toTag ?? "");
      const answered: readonly OutboundEffect[] = [STOP, { kind: "targetAnswered", target }];
      if (sdp !== undefined) {
        return { state: { phase: "answered" }, effects: [...answered, { kind: "confirm", session, sdp, response }] };
      }
      const last = end(lastOf(state, failed("internal", "2xx without a session description")));
      return { state: OVER, effects: [...answered, { kind: "hangUp", session }, ...last.effects] };
    }
    case "refused":
      return after([STOP], refused(state, event.response, meetsTooBrief));
    case "failed": {
      const last = failed(event.fault, event.message);
      return after([STOP], event.fault === "internal" ? end(lastOf(state, last)) : nextHop(state, event.message, last));
    }
    case "noNextHop":
      // The INVITE could not be made.
      return after([STOP], end(lastOf(state, failed(event.fault, event.message))));
    case "silent":
      return { state, effects: [{ kind: "giveUp", fault: event.fault, message: event.message }] };
    case "gatewayGone":
      return {
        state: { ...state, attempt: { ...attempt, gatewayGone: true } },
        effects: [{ kind: "giveUp", fault: "transport", message: event.message }],
      };
    case "cancel":
      if (state.phase === "cancelling") return { state, effects: [] };
      return { state: { phase: "cancelling", course, attempt }, effects: [{ kind: "cancel", q850: event.q850 }] };
    default:
      return { state, effects: [] };
  }
}

function provisional(state: Inviting, response: SipResponse): OutboundStep {
  const { attempt, course } = state;
  const { target } = attempt;
  const { statusCode, toTag } = response;
  const early = statusCode > 100 ? toTag : undefined;
  const sdp = statusCode > 100 ? sdpOf(response) : undefined;
  const { told } = course;
  const cancelled = state.phase === "cancelling";
  const effects: OutboundEffect[] = [{ kind: "targetAnswered", target }];
  if (attempt.watched === "firstResponse") effects.push(STOP, { kind: "watch", what: "gateway", target, course });
  const emit = (fact: SipFact): void => void effects.push({ kind: "emit", fact });
  // 199 ends one of several early dialogs (RFC 6228): nothing that a caller hears.
  const rings = !cancelled && statusCode > 100 && statusCode !== 199;
  if (!cancelled && statusCode === 100 && !told.trying) emit({ kind: "sip.trying" });
  if (rings && statusCode !== 183 && !told.ringing) emit({ kind: "sip.ringing" });
  if (rings) effects.push({ kind: "hear", response });
  // The same description again, as in each repetition of a 183, is no news.
  const news = sdp !== undefined ? sdp !== told.progress : statusCode === 183 && told.progress === undefined;
  if (rings && news) emit({ kind: "sip.progressed", description: sdp });
  return {
    state: {
      ...state,
      course: {
        ...course,
        earlyTags: early === undefined ? course.earlyTags : new Set([...course.earlyTags, early]),
        told: {
          trying: told.trying || !cancelled,
          ringing: told.ringing || (rings && statusCode !== 183),
          progress: rings && news ? (sdp ?? "") : told.progress,
        },
      },
      attempt: {
        ...attempt,
        taken: attempt.taken || statusCode > 100,
        watched: "gateway",
        earlySdp:
          sdp === undefined || early === undefined ? attempt.earlySdp : new Map([...attempt.earlySdp, [early, sdp]]),
      },
    },
    effects,
  };
}

function refused(state: Inviting, response: SipResponse, meetsTooBrief: boolean): OutboundStep {
  const { course, attempt } = state;
  const { target } = attempt;
  const { statusCode } = response;
  const last = rejected(response);
  // A 503 whose Reason names the far end's cause was no gateway's trouble.
  if (statusCode === 503 && isInfrastructureFailure(503, q850Of(response))) {
    return nextHop(state, "INVITE answered 503", last, retryAfterMs(response));
  }
  const answered: OutboundEffect = { kind: "targetAnswered", target };
  if (state.phase === "cancelling") return after([answered], end(lastOf(state, last)));
  if (statusCode === 422 && meetsTooBrief) {
    // The session is to be refreshed less often.
    const leastSessionSeconds = minSeOf(response) ?? 0;
    const tooBrief = course.tooBrief + 1;
    const longer = { ...course, tooBrief };
    if (leastSessionSeconds > course.leastSessionSeconds && tooBrief <= MAX_TOO_BRIEF) {
      return invite({ ...longer, leastSessionSeconds }, target, true);
    }
    return after([answered], nextPlace(longer, response, last));
  }
  return after([answered], nextPlace(course, response, last));
}

/** 3xx lead on, and where they led a refusal does: the call goes to the next place (RFC 3261 s8.1.3.4). */
function nextPlace(course: Course, response: SipResponse, last: SipFact): OutboundStep {
  const { statusCode } = response;
  const redirects = statusCode < 400 ? redirected(course.redirects, response) : course.redirects;
  if (statusCode >= 600 || redirects.left.length === 0) return end(last);
  return {
    state: { phase: "choosing", course: { ...course, redirects }, otherwise: last },
    effects: [{ kind: "follow", places: redirects.left }],
  };
}

/** RFC 3263 s4.3: the next server, as long as this one has not taken the call on. A 100 takes nothing on. */
function nextHop(state: Inviting, reason: string, last: SipFact, restMs?: number): OutboundStep {
  // Whoever gave up first tells nothing about the server.
  if (state.phase === "cancelling") return end(lastOf(state, last));
  const { course, attempt } = state;
  const effects: OutboundEffect[] = [{ kind: "targetFailed", target: attempt.target, reason, restMs }];
  return after(effects, attempt.taken && !attempt.gatewayGone ? end(last) : choose(course, last));
}

function choose(course: Course, otherwise: SipFact): OutboundStep {
  return { state: { phase: "choosing", course, otherwise }, effects: [{ kind: "pick", tried: course.tried }] };
}

function invite(course: Course, target: Target, again: boolean): OutboundStep {
  const tried = new Set([...course.tried, targetKey(target)]);
  const next = { ...course, tried };
  const attempt: Attempt = { target, taken: false, watched: "firstResponse", gatewayGone: false, earlySdp: new Map() };
  return {
    state: { phase: "calling", course: next, attempt },
    effects: [{ kind: "invite", target, course: next, again }],
  };
}

/** Whoever cancelled hears that the call ended, whatever ended it. */
function lastOf({ phase }: Inviting, last: SipFact): SipFact {
  return phase === "cancelling" ? { kind: "sip.ended" } : last;
}

function end(fact: SipFact): OutboundStep {
  return { state: OVER, effects: [{ kind: "emit", fact }, { kind: "over" }] };
}

function after(effects: readonly OutboundEffect[], step: OutboundStep): OutboundStep {
  return { state: step.state, effects: [...effects, ...step.effects] };
}

function failed(fault: Fault, message: string): SipFact {
  return { kind: "sip.failed", fault, message };
}

function rejected(response: SipResponse): SipFact {
  const { statusCode: status, reasonPhrase: phrase } = response;
  if (status === 401 || status === 407) {
    return failed("credentials", `${status} ${phrase}: the trunk does not take our credentials`);
  }
  return { kind: "sip.rejected", status, phrase, q850: q850Of(response) };
}
