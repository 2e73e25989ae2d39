// A REFER of the trunk inside a call (RFC 3515 s2.4.2): answered once the call has decided on it, and the INVITE of ours
// that follows it. The old dialog lives on until the new one is answered; confirmed-call.ts holds both ends together.
import type { Clock } from "../../ports/clock.ts";
import { NotifyProgress } from "./notify-progress.ts";
import type { PeerRequest } from "../user-agent/peer-request.ts";
import { Alarm } from "../transport/alarm.ts";
import type { Session } from "../user-agent/session.ts";
import { textHeader, type HeaderLine } from "../wire/header-builder.ts";
import { header } from "../wire/message.ts";

export interface ReferInOptions {
  readonly asked: PeerRequest;
  readonly session: Session;
  readonly clock: Clock;
  /** Another REFER came in this dialog before (RFC 3515 s2.4.6). */
  readonly repeated: boolean;
}

/**
 * A call that is slow to decide gets the REFER accepted: the peer gives up on it after 64*T1 (RFC 3261 s17.1.2.2), and a
 * 408 is not to be sent (RFC 4320 s4.2). What is decided later is told by NOTIFY.
 */
const DECIDE_WITHIN_MS = 16_000;
const EXPIRES_S = 180;
/** So long the peer has for the last NOTIFY before the old dialog is ended all the same. */
const LAST_NOTIFY_MS = 4_000;

/**
 * RFC 3515 s2.4.2:
 *
 * ```
 * asked --followed, slow to decide--> accepted --final status, nobody decides--> over
 *   '--refused--> over
 * ```
 */
type State = "asked" | "accepted" | "over";

export class ReferIn {
  readonly #options: ReferInOptions;
  readonly #progress: NotifyProgress | undefined;
  readonly #alarm: Alarm;
  #state: State = "asked";

  constructor(options: ReferInOptions) {
    this.#options = options;
    const { asked, session, clock, repeated } = options;
    this.#progress = this.#quiet
      ? undefined
      : new NotifyProgress({
          ask: (parts, done) => void session.ask("NOTIFY", parts, done),
          eventId: repeated ? asked.request.cseq.number : undefined,
          expiresS: EXPIRES_S,
        });
    this.#alarm = new Alarm(clock);
    this.#alarm.set(DECIDE_WITHIN_MS, () => this.accept());
  }

  /** RFC 4488 s4: the peer wants no subscription. */
  get #quiet(): boolean {
    return header(this.#options.asked.request, "Refer-Sub")?.trim().toLowerCase() === "false";
  }

  /** 202, and a NOTIFY that it is tried. */
  accept(): void {
    if (this.#state !== "asked") return;
    this.#state = "accepted";
    const { asked } = this.#options;
    const headers: HeaderLine[] = this.#quiet ? [textHeader("Refer-Sub", "false")] : [];
    asked.reply(202, headers);
    this.#progress?.goesOn(100);
    // Nobody has decided until the subscription is over: it is told so.
    this.#alarm.set(EXPIRES_S * 1_000, () => this.end(487));
  }

  /** The INVITE goes out: the subscription lasts as long as that does. */
  followed(): void {
    this.accept();
    this.#alarm.stop();
  }

  progress(status: number): void {
    if (this.#state === "accepted") this.#progress?.goesOn(status);
  }

  /** As the response where there was none yet, else as the last NOTIFY. `done` within a few seconds. */
  end(status: number, done: () => void = () => {}): void {
    this.#alarm.stop();
    const { asked } = this.#options;
    const was = this.#state;
    this.#state = "over";
    if (was === "asked") asked.reply(status);
    if (was !== "accepted" || this.#progress === undefined) {
      done();
      return;
    }
    let called = false;
    const once = (): void => {
      if (called) return;
      called = true;
      this.#alarm.stop();
      done();
    };
    this.#alarm.set(LAST_NOTIFY_MS, once);
    this.#progress.ends(status, once);
  }

  /** The trunk closes. */
  drop(): void {
    this.#state = "over";
    this.#alarm.stop();
  }
}
