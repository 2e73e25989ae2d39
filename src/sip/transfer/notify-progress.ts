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

export class NotifyProgress {
  readonly #options: ProgressOptions;
  #sending = false;
  /** The newest status that is not sent yet; what lay between counts no more. */
  #next: { readonly status: number; readonly final: boolean } | undefined;
  #told = 0;
  #over = false;
  #done: () => void = () => {};

  constructor(options: ProgressOptions) {
    this.#options = options;
  }

  /** Below 200. */
  goesOn(status: number): void {
    if (this.#over || status <= this.#told) return;
    this.#told = status;
    this.#next = { status, final: false };
    this.#send();
  }

  /** At least 200; `done` once the peer has taken it, or is known not to. */
  ends(status: number, done: () => void = () => {}): void {
    if (this.#over) {
      done();
      return;
    }
    this.#over = true;
    this.#done = done;
    this.#next = { status, final: true };
    this.#send();
  }

  #send(): void {
    const next = this.#next;
    if (this.#sending || next === undefined) return;
    this.#next = undefined;
    this.#sending = true;
    const { ask, eventId, expiresS } = this.#options;
    const state = next.final ? "terminated;reason=noresource" : `active;expires=${expiresS}`;
    const headers = [
      textHeader("Event", eventId === undefined ? "refer" : `refer;id=${eventId}`),
      textHeader("Subscription-State", state),
    ];
    const body = { contentType: SIPFRAG_TYPE, content: formatSipfrag(next.status) };
    ask({ headers, body }, (outcome) => {
      this.#sending = false;
      // RFC 6665 s4.2.2: whoever refuses a NOTIFY, or answers none, has no subscription any more.
      const refused = typeof outcome !== "object" || outcome.statusCode >= 300;
      if (refused) this.#next = undefined;
      if (next.final || (refused && this.#over)) this.#done();
      else if (refused) this.#over = true;
      else this.#send();
    });
  }
}
