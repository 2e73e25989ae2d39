// A REFER of ours inside a call, and the subscription that comes with it (RFC 3515 s2.4.4): from the question to the
// final status, which is reported exactly once.
import type { ReferTarget } from "../../core/call/model/order.ts";
import type { Clock } from "../../ports/clock.ts";
import { referToHeader } from "../headers/refer-to.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import { parseSipfrag } from "./sipfrag.ts";
import { statusOf, type Outcome, type PeerRequest } from "../user-agent/peer-request.ts";
import { Alarm } from "../transport/alarm.ts";
import type { Session } from "../user-agent/session.ts";
import { parseDigits, parseParams } from "../wire/fields/grammar.ts";
import { addressHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header, type SipResponse } from "../wire/message.ts";
import { parseUri } from "../../core/address/uri.ts";

export interface ReferOutOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly emit: (fact: SipFact) => void;
  readonly target: ReferTarget;
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

/**
 * RFC 3515 s2.4.4, RFC 6665 s4.1.2:
 *
 * ```
 * asked --2xx, NOTIFY--> followed --final status, silence--> told --time--> over
 *   '--refusal--> over      '--NOTIFY that ends the subscription--> over
 * asked, followed --the call ends--> told
 * ```
 * In `told` nothing is reported any more, but the peer's NOTIFYs are still taken, for as long as they may come.
 */
type State = "asked" | "followed" | "told" | "over";

export class ReferOut {
  readonly #options: ReferOutOptions;
  readonly #unsubscribe: () => void;
  readonly #cseq: number;
  #state: State = "asked";
  readonly #alarm: Alarm;

  constructor(options: ReferOutOptions) {
    this.#options = options;
    this.#alarm = new Alarm(options.clock);
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
    return this.#state === "asked" || this.#state === "followed";
  }

  callEnded(): void {
    if (this.#state !== "over") this.#become("told", GRACE_MS);
  }

  drop(): void {
    this.#state = "over";
    this.#alarm.stop();
    this.#unsubscribe();
  }

  #headers(): HeaderLine[] {
    const { target, session } = this.#options;
    const headers = [referToHeader(target)];
    // RFC 3892 s3: on whose word, as the peer knows us.
    const from = parseUri(session.fields.localUri);
    if (from !== undefined) headers.push(addressHeader("Referred-By", { uri: from }));
    return headers;
  }

  #answered(outcome: Outcome): void {
    if (this.#state === "over") return;
    const { open } = this;
    const { emit, lost } = this.#options;
    const status = statusOf(outcome);
    if (status >= 300) {
      this.drop();
      if (open) emit({ kind: "sip.referRefused", status });
      // RFC 3261 s12.2.1.2. One that answers no REFER may still take part in the call.
      if (status === 481) lost();
    } else if (open && typeof outcome === "object" && isWithoutSubscription(outcome)) {
      this.drop();
      emit({ kind: "sip.referProgressed", status });
    } else if (this.#state === "asked") {
      // A NOTIFY that was faster has said how long it takes.
      this.#become("followed", FIRST_NOTIFY_MS);
    }
  }

  #notified({ request, reply }: PeerRequest): void {
    const [event, id] = eventOf(header(request, "Event") ?? "");
    // RFC 3515 s2.4.6: the CSeq of the REFER, which a challenge has made higher than it was.
    if (event !== "refer" || (id !== undefined && (parseDigits(id, 0xffff_ffff) ?? 0) < this.#cseq)) {
      reply(481);
      return;
    }
    reply(200);
    const { open } = this;
    const { emit } = this.#options;
    const { terminated, expiresMs } = subscriptionState(header(request, "Subscription-State") ?? "");
    const status = parseSipfrag(request.body);
    const isFinal = status !== undefined && status >= 200;
    if (terminated) this.drop();
    else if (open && isFinal) this.#become("told", GRACE_MS);
    else if (open) this.#become("followed", Math.max(expiresMs, FIRST_NOTIFY_MS));
    if (open && status !== undefined) emit({ kind: "sip.referProgressed", status });
    // RFC 3515 s2.4.5: a final status comes with the end; without one nobody knows.
    if (open && terminated && !isFinal) emit({ kind: "sip.referProgressed", status: 487 });
  }

  #become(state: "followed" | "told", forMs: number): void {
    this.#state = state;
    this.#alarm.set(forMs, () => {
      if (state === "told") {
        this.drop();
        return;
      }
      // The subscription has run out.
      this.#become("told", GRACE_MS);
      this.#options.emit({ kind: "sip.referProgressed", status: 408 });
    });
  }
}

/** RFC 4488 s4: there will be no NOTIFY, and its acceptance is all that will be heard of it. */
function isWithoutSubscription(accepted: SipResponse): boolean {
  return header(accepted, "Refer-Sub")?.trim().toLowerCase() === "false";
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
