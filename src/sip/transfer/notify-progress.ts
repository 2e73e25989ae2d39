// NOTIFYs of ours on how a transfer goes (RFC 3515 s2.4.4): one at a time, so that none overtakes another, and the
// last one ends the subscription.
import { formatSipfrag, SIPFRAG_TYPE } from "./sipfrag.ts";
import type { Outcome } from "../user-agent/peer-request.ts";
import type { DialogRequestParts } from "../user-agent/session-events.ts";
import { textHeader } from "../wire/header-builder.ts";

export interface ProgressOptions {
  readonly ask: (parts: DialogRequestParts, done: (outcome: Outcome) => void) => void;
  /** CSeq of the REFER where it was not the first one in its dialog. */
  readonly eventId: number | undefined;
  readonly expiresS: number;
}

/**
 * RFC 3515 s2.4.4, RFC 6665 s4.2.2:
 *
 * ```
 * idle --status--> sending --200--> idle
 *   |                 |  '--refusal, no answer--> over
 *   |                 '--final status--> ending --200--> over
 *   '--final status--> over
 * ```
 * In `over` the last NOTIFY may still be on its way.
 */
type State =
  /** `told`: the highest status so far. */
  | { readonly phase: "idle"; readonly told: number }
  /** `next`: waits for the answer to the NOTIFY before it; what lay between counts no more. */
  | { readonly phase: "sending"; readonly told: number; readonly next: number | undefined }
  | { readonly phase: "ending"; readonly status: number; readonly done: () => void }
  | { readonly phase: "over" };

export class NotifyProgress {
  readonly #options: ProgressOptions;
  #state: State = { phase: "idle", told: 0 };

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Below 200. */
  goesOn(status: number): void {
    const state = this.#state;
    if ((state.phase !== "idle" && state.phase !== "sending") || status <= state.told) return;
    if (state.phase === "idle") this.#send(status);
    else this.#state = { phase: "sending", told: status, next: status };
  }

  /** At least 200; `done` once the peer has taken it, or is known not to. */
  ends(status: number, done: () => void = () => {}): void {
    const { phase } = this.#state;
    if (phase === "idle") this.#sendLast(status, done);
    else if (phase === "sending") this.#state = { phase: "ending", status, done };
    else done();
  }

  #send(status: number): void {
    this.#state = { phase: "sending", told: status, next: undefined };
    this.#notify(status, `active;expires=${this.#options.expiresS}`, (taken) => this.#answered(taken));
  }

  #sendLast(status: number, done: () => void): void {
    this.#state = { phase: "over" };
    this.#notify(status, "terminated;reason=noresource", done);
  }

  #answered(taken: boolean): void {
    const state = this.#state;
    if (state.phase !== "sending" && state.phase !== "ending") return;
    if (!taken) {
      // RFC 6665 s4.2.2: whoever refuses a NOTIFY, or answers none, has no subscription any more.
      this.#state = { phase: "over" };
      if (state.phase === "ending") state.done();
    } else if (state.phase === "ending") this.#sendLast(state.status, state.done);
    else if (state.next !== undefined) this.#send(state.next);
    else this.#state = { phase: "idle", told: state.told };
  }

  #notify(status: number, state: string, done: (taken: boolean) => void): void {
    const { ask, eventId } = this.#options;
    const headers = [
      textHeader("Event", eventId === undefined ? "refer" : `refer;id=${eventId}`),
      textHeader("Subscription-State", state),
    ];
    const body = { contentType: SIPFRAG_TYPE, content: formatSipfrag(status) };
    ask({ headers, body }, (outcome) => done(typeof outcome === "object" && outcome.statusCode < 300));
  }
}
