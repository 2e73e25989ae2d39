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
const MAX_ROUNDS = 3;

export class SessionTimer {
  readonly #options: SessionTimerOptions;
  #terms: SessionTerms | undefined;
  /** What 422 responses asked for. */
  #leastSeconds = 0;
  #rounds = 0;
  #asking = false;
  #byReinvite = false;
  #over = false;
  #cancelRefresh: () => void = () => {};
  #cancelEnd: () => void = () => {};

  constructor(options: SessionTimerOptions) {
    this.#options = options;
    this.#agree(options.terms);
  }

  /** For a re-INVITE of ours: an offer is a refresh as well. */
  get headers(): readonly HeaderLine[] {
    return this.#terms === undefined ? [] : refreshHeaders(this.#terms, this.#options.settings, this.#leastSeconds);
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
    this.#over = true;
    this.#cancelRefresh();
    this.#cancelEnd();
  }

  #agree(terms: SessionTerms | undefined): void {
    if (this.#over) return;
    this.#cancelRefresh();
    this.#cancelEnd();
    this.#terms = terms;
    this.#rounds = 0;
    if (terms === undefined) return;
    const { clock, expired } = this.#options;
    const { seconds, refresher } = terms;
    const endMs = (seconds - Math.min(AHEAD_S, seconds / 3)) * 1_000;
    this.#cancelEnd = clock.at(clock.nowMs() + endMs, () => {
      if (this.#over) return;
      this.stop();
      expired();
    });
    if (refresher === "us") this.#later(seconds * 500);
  }

  #later(afterMs: number): void {
    const { clock } = this.#options;
    this.#cancelRefresh();
    this.#cancelRefresh = clock.at(clock.nowMs() + afterMs, () => this.#refresh());
  }

  #refresh(): void {
    if (this.#over || this.#asking) return;
    const { takesUpdate, update, reinvite } = this.#options;
    const done = (outcome: Outcome): void => {
      this.#asking = false;
      if (!this.#over) this.#refreshed(outcome);
    };
    this.#asking = true;
    if (takesUpdate() && !this.#byReinvite) {
      update(this.headers, done);
      return;
    }
    if (reinvite(this.headers, done)) return;
    this.#asking = false;
    this.#later(AGAIN_MS);
  }

  #refreshed(outcome: Outcome): void {
    const status = statusOf(outcome);
    if (typeof outcome === "object" && status < 300) {
      this.answered(outcome);
      return;
    }
    switch (status) {
      case 408:
      case 481:
        // s7.4, RFC 3261 s12.2.1.2.
        this.stop();
        this.#options.expired();
        return;
      case 422:
        this.#leastSeconds = Math.max(this.#leastSeconds, typeof outcome === "object" ? (minSeOf(outcome) ?? 0) : 0);
        this.#rounds += 1;
        if (this.#rounds <= MAX_ROUNDS) this.#refresh();
        return;
      case 405:
      case 501:
        if (!this.#byReinvite) {
          this.#byReinvite = true;
          this.#refresh();
          return;
        }
        break;
      case 491:
        this.#later(AGAIN_MS);
        return;
    }
    this.#later(REFUSED_MS);
  }
}
