// A REFER of ours inside a call, and the subscription that comes with it (RFC 3515 s2.4.4): from the question to the
// final status, which is reported exactly once.
import type { SipDialogState } from "../../core/call/model/dialog-state.ts";
import type { Clock } from "../../ports/clock.ts";
import { referToHeader } from "../headers/refer-to.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import { parseSipfrag } from "./sipfrag.ts";
import { statusOf, type Outcome, type PeerRequest } from "../user-agent/peer-request.ts";
import type { Session } from "../user-agent/session.ts";
import { parseDigits, parseParams } from "../wire/fields/grammar.ts";
import { addressHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header } from "../wire/message.ts";
import { parseUri } from "../../core/address/uri.ts";

export interface ReferOutOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly emit: (fact: SipFact) => void;
  readonly target: string;
  readonly replaces: SipDialogState | undefined;
  /** The peer knows nothing of the dialog any more. */
  readonly lost: () => void;
}

/**
 * A peer has to send the first NOTIFY at once (RFC 3515 s2.4.4) and repeats it for 64*T1. One that sends none for longer
 * has not subscribed us at all.
 */
const FIRST_NOTIFY_MS = 32_000;
/** A subscription of which nothing is said (RFC 3515 s2.4.4 leaves it to the notifier): a telephone may ring so long. */
const USUAL_EXPIRES_S = 180;
const LONGEST_EXPIRES_S = 600;
/** What is late is still expected for so long after the subscription has expired, or its final status was told. */
const GRACE_MS = 32_000;

export class ReferOut {
  readonly #options: ReferOutOptions;
  readonly #unsubscribe: () => void;
  #cseq = 0;
  #stopWaiting: () => void = () => {};
  #heard = false;
  #reported = false;
  #dropped = false;

  constructor(options: ReferOutOptions) {
    this.#options = options;
    // Before the REFER: its first NOTIFY may overtake the 202.
    this.#unsubscribe = options.session.subscribe("refer", (request) => this.#notified(request));
    try {
      this.#cseq = options.session.ask("REFER", { headers: this.#headers() }, (outcome) => this.#answered(outcome));
    } catch (error) {
      this.#unsubscribe();
      throw error;
    }
  }

  /** The final status is still to come. */
  get open(): boolean {
    return !this.#reported;
  }

  /** Nothing is reported any more. The peer's NOTIFYs are still taken, for as long as they may come. */
  callEnded(): void {
    if (this.#dropped) return;
    this.#reported = true;
    this.#wait(GRACE_MS, () => this.drop());
  }

  drop(): void {
    this.#dropped = true;
    this.#reported = true;
    this.#stopWaiting();
    this.#unsubscribe();
  }

  #headers(): HeaderLine[] {
    const { target, replaces, session } = this.#options;
    const headers = [referToHeader(target, replaces)];
    // RFC 3892 s3: on whose word, as the peer knows us.
    const from = parseUri(session.fields.localUri);
    if (from !== undefined) headers.push(addressHeader("Referred-By", { uri: from }));
    return headers;
  }

  #answered(outcome: Outcome): void {
    if (this.#dropped) return;
    const status = statusOf(outcome);
    if (status >= 300) {
      this.#stopWaiting();
      this.#unsubscribe();
      this.#dropped = true;
      if (!this.#reported) this.#options.emit({ kind: "sip.referRefused", status });
      this.#reported = true;
      // RFC 3261 s12.2.1.2. One that answers no REFER may still take part in the call.
      if (status === 481) this.#options.lost();
      return;
    }
    if (this.#reported) return;
    // RFC 4488 s4: there will be no NOTIFY, and its acceptance is all that will be heard of it.
    if (typeof outcome === "object" && header(outcome, "Refer-Sub")?.trim().toLowerCase() === "false") {
      this.#report(status);
      this.drop();
      return;
    }
    // A NOTIFY that was faster has said how long it takes.
    if (!this.#heard) this.#wait(FIRST_NOTIFY_MS, () => this.#silent());
  }

  #notified({ request, reply }: PeerRequest): void {
    const [event, id] = eventOf(header(request, "Event") ?? "");
    // RFC 3515 s2.4.6: the CSeq of the REFER, which a challenge has made higher than it was.
    if (event !== "refer" || (id !== undefined && (parseDigits(id, 0xffff_ffff) ?? 0) < this.#cseq)) {
      reply(481);
      return;
    }
    reply(200);
    this.#heard = true;
    const { terminated, expiresMs } = subscriptionState(header(request, "Subscription-State") ?? "");
    const status = parseSipfrag(request.body);
    if (status !== undefined) this.#report(status);
    if (terminated) {
      // RFC 3515 s2.4.5: a final status comes with the end; without one nobody knows.
      this.#report(487);
      this.drop();
    } else if (!this.#reported) this.#wait(Math.max(expiresMs, FIRST_NOTIFY_MS), () => this.#silent());
  }

  /** The subscription has run out. */
  #silent(): void {
    this.#report(408);
  }

  #report(status: number): void {
    if (this.#reported) return;
    if (status >= 200) {
      this.#reported = true;
      this.#wait(GRACE_MS, () => this.drop());
    }
    this.#options.emit({ kind: "sip.referProgressed", status });
  }

  #wait(ms: number, then: () => void): void {
    const { clock } = this.#options;
    this.#stopWaiting();
    this.#stopWaiting = clock.at(clock.nowMs() + ms, then);
  }
}

/** Type and `id` of an Event header (RFC 6665 s8.2.1). */
function eventOf(value: string): [string, string | undefined] {
  const semicolon = value.indexOf(";");
  if (semicolon < 0) return [value.trim().toLowerCase(), undefined];
  const id = parseParams(value.slice(semicolon))?.get("id");
  return [value.slice(0, semicolon).trim().toLowerCase(), id ?? undefined];
}

/** Without the header the subscription goes on (RFC 6665 s4.1.3 has it always). */
function subscriptionState(value: string): { terminated: boolean; expiresMs: number } {
  const expires = parseDigits(/;\s*expires\s*=\s*(\d+)/i.exec(value.slice(0, 500))?.[1] ?? "", 0xffff_ffff);
  const seconds = Math.min(expires ?? USUAL_EXPIRES_S, LONGEST_EXPIRES_S);
  return { terminated: /^\s*terminated\b/i.test(value), expiresMs: seconds * 1_000 };
}
