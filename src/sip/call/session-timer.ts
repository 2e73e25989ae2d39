// The time of one session (RFC 4028 s10): refreshed by us at half of it where that is our part, and ended where nobody
// did. What is agreed about it is read in session-expires.ts; offers are offer-exchange.ts's business.
import type { Clock } from "../../ports/clock.ts";
import {
  judgeSession,
  minSeOf,
  refreshHeaders,
  termsOfAnswer,
  type SessionTerms,
  type SessionTimerSettings,
  type SessionVerdict,
} from "../headers/session-expires.ts";
import { Alarm } from "../transport/alarm.ts";
import { statusOf, type Outcome } from "../user-agent/peer-request.ts";
import type { HeaderLine } from "../wire/header-builder.ts";
import type { SipRequest, SipResponse } from "../wire/message.ts";

export interface SessionTimerOptions {
  readonly settings: SessionTimerSettings;
  readonly clock: Clock;
  /** As agreed with the INVITE. */
  readonly terms: SessionTerms | undefined;
  /** Whether the peer takes UPDATE. */
  readonly takesUpdate: () => boolean;
  /** UPDATE without a description. */
  readonly update: (headers: readonly HeaderLine[], done: (outcome: Outcome) => void) => void;
  /** re-INVITE with the description that stands; false where that cannot be now. */
  readonly reinvite: (headers: readonly HeaderLine[], done: (outcome: Outcome) => void) => boolean;
  /** Nothing was heard in time, or the peer knows nothing of the session: it is to be ended. */
  readonly expired: () => void;
}

/** After a collision, or where the peer cannot be asked now (RFC 3261 s14.1). */
const AGAIN_MS = 2_100;
/** After a refusal that says nothing about the session. */
const REFUSED_MS = 10_000;
/** s10: the other side ends it so long before the time is over, at most. */
const AHEAD_S = 32;
/** A peer that finds every interval too brief is not asked for ever. */
const MAX_TOO_BRIEF = 3;

/** What holds whether we are asking or not. */
interface Standing {
  /** Undefined: the session lasts until somebody ends it. */
  readonly terms: SessionTerms | undefined;
  /** What 422 responses asked for, and how many came since the terms were agreed. */
  readonly leastSeconds: number;
  readonly tooBrief: number;
  /** The peer takes no UPDATE after all. */
  readonly byReinvite: boolean;
}

/**
 * RFC 4028 s10:
 *
 * ```
 * waiting --half of the time, where we refresh--> asking --2xx, refusal--> waiting
 * waiting, asking --nobody has refreshed in time--> over
 *          asking --408, 481--> over
 * ```
 * A 2xx of either side sets new terms, and the time begins anew.
 */
type State =
  | { readonly phase: "waiting"; readonly standing: Standing }
  | { readonly phase: "asking"; readonly standing: Standing }
  | { readonly phase: "over" };

export class SessionTimer {
  readonly #options: SessionTimerOptions;
  readonly #nextRefresh: Alarm;
  readonly #expiry: Alarm;
  #state: State = {
    phase: "waiting",
    standing: { terms: undefined, leastSeconds: 0, tooBrief: 0, byReinvite: false },
  };

  constructor(options: SessionTimerOptions) {
    this.#options = options;
    this.#nextRefresh = new Alarm(options.clock);
    this.#expiry = new Alarm(options.clock);
    this.#agree(options.terms);
  }

  /** For a re-INVITE of ours: an offer is a refresh as well. */
  get headers(): readonly HeaderLine[] {
    if (this.#state.phase === "over") return [];
    const { terms, leastSeconds } = this.#state.standing;
    return terms === undefined ? [] : refreshHeaders(terms, this.#options.settings, leastSeconds);
  }

  /** A 2xx to a re-INVITE or UPDATE of ours. */
  answered(response: SipResponse): void {
    this.#agree(termsOfAnswer(response, this.#options.settings));
  }

  /** A re-INVITE or UPDATE of the peer; `agreed` is to be told when the 2xx is sent. */
  judge(request: SipRequest): SessionVerdict {
    return judgeSession(request, this.#options.settings);
  }

  agreed(verdict: SessionVerdict): void {
    if (verdict.kind === "agreed") this.#agree(verdict.terms);
  }

  stop(): void {
    this.#state = { phase: "over" };
    this.#nextRefresh.stop();
    this.#expiry.stop();
  }

  #agree(terms: SessionTerms | undefined): void {
    const state = this.#state;
    if (state.phase === "over") return;
    this.#state = { ...state, standing: { ...state.standing, terms, tooBrief: 0 } };
    this.#nextRefresh.stop();
    this.#expiry.stop();
    if (terms === undefined) return;
    const { seconds, refresher } = terms;
    this.#expiry.set((seconds - Math.min(AHEAD_S, seconds / 3)) * 1_000, () => this.#expired());
    if (refresher === "us") this.#nextRefresh.set(seconds * 500, () => this.#ask());
  }

  #expired(): void {
    this.stop();
    this.#options.expired();
  }

  #ask(): void {
    const state = this.#state;
    if (state.phase !== "waiting") return;
    const { takesUpdate, update, reinvite } = this.#options;
    const { headers } = this;
    const done = (outcome: Outcome): void => this.#answered(outcome);
    this.#state = { ...state, phase: "asking" };
    if (takesUpdate() && !state.standing.byReinvite) update(headers, done);
    else if (!reinvite(headers, done)) {
      this.#state = state;
      this.#nextRefresh.set(AGAIN_MS, () => this.#ask());
    }
  }

  #answered(outcome: Outcome): void {
    const state = this.#state;
    if (state.phase !== "asking") return;
    const status = statusOf(outcome);
    const response = typeof outcome === "object" ? outcome : undefined;
    this.#state = { ...state, phase: "waiting" };
    if (response !== undefined && status < 300) this.answered(response);
    // s7.4, RFC 3261 s12.2.1.2.
    else if (status === 408 || status === 481) this.#expired();
    else {
      const { standing, againMs } = refused(state.standing, status, response && minSeOf(response));
      this.#state = { phase: "waiting", standing };
      if (againMs === 0) this.#ask();
      else if (againMs !== undefined) this.#nextRefresh.set(againMs, () => this.#ask());
    }
  }
}

/** A refresh of ours was refused. `againMs`: when the next one goes out; undefined: none does. */
function refused(
  standing: Standing,
  status: number,
  minSeconds = 0,
): { readonly standing: Standing; readonly againMs: number | undefined } {
  switch (status) {
    case 422: {
      const tooBrief = standing.tooBrief + 1;
      const leastSeconds = Math.max(standing.leastSeconds, minSeconds);
      return { standing: { ...standing, tooBrief, leastSeconds }, againMs: tooBrief <= MAX_TOO_BRIEF ? 0 : undefined };
    }
    case 405:
    case 501:
      return { standing: { ...standing, byReinvite: true }, againMs: standing.byReinvite ? REFUSED_MS : 0 };
    case 491:
      return { standing, againMs: AGAIN_MS };
    default:
      return { standing, againMs: REFUSED_MS };
  }
}
