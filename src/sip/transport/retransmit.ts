// Retransmission over UDP, which the transaction layer above leaves out: client timers A and E, server timers
// G, I and J, and the ACK of timer D (RFC 3261 s17). Knows no sockets: what to send again comes in as a function.
import { RecentMap } from "../../core/recent-map.ts";
import type { Clock } from "../../ports/clock.ts";

/** RFC 3261 table 4; ms. */
export interface SipTimers {
  readonly t1Ms: number;
  readonly t2Ms: number;
}

export const DEFAULT_TIMERS: SipTimers = { t1Ms: 500, t2Ms: 4_000 };

/** How long a transaction may go on asking or answering: timers B, F, H, J and the D of UDP. */
export function transactionMs(timers: SipTimers): number {
  return 64 * timers.t1Ms;
}

interface Repeat {
  readonly again: () => void;
  readonly invite: boolean;
  readonly untilMs: number;
  intervalMs: number;
  cancelTimer: () => void;
}

interface Answered {
  readonly again: () => void;
  readonly untilMs: number;
  /** INVITE only: the ACK has come, so nothing is sent again (timer I). */
  confirmed: boolean;
}

/**
 * A flood from a peer, or in its name, must not fill our memory. Beyond these the oldest answer is forgotten (its
 * request, if it comes again, is served again), and a refusal goes out once only.
 */
const MAX_ANSWERED = 10_000;
const MAX_REFUSING = 1_000;

const nothing = (): void => {};

export class Retransmitter {
  readonly #clock: Clock;
  readonly #timers: SipTimers;
  /** Requests of ours without an answer; by branch and method. */
  readonly #asking = new Map<string, Repeat>();
  /** Final non-2xx responses to INVITE without an ACK; by the transaction's key. */
  readonly #refusing = new Map<string, Repeat>();
  /** Final responses sent, in the order of their end, for requests that come again. */
  readonly #answered = new RecentMap<string, Answered>(MAX_ANSWERED);
  /** ACKs to non-2xx responses, in the order of their end. */
  readonly #acks = new Map<string, { readonly again: () => void; readonly untilMs: number }>();

  constructor(clock: Clock, timers: SipTimers = DEFAULT_TIMERS) {
    this.#clock = clock;
    this.#timers = timers;
  }

  /** A request left: it goes again until it is answered. An ACK goes again when the response does. */
  requestSent(branch: string, method: string, again: () => void): void {
    const untilMs = this.#clock.nowMs() + transactionMs(this.#timers);
    if (method === "ACK") {
      this.#forget(this.#acks);
      this.#acks.set(branch, { again, untilMs });
      return;
    }
    const key = `${branch} ${method}`;
    this.#stop(this.#asking, key);
    this.#repeat(this.#asking, key, again, method === "INVITE", untilMs, this.#timers.t1Ms);
  }

  /** Nobody waits for its answer any more. */
  requestDropped(branch: string, method: string): void {
    this.#stop(this.#asking, `${branch} ${method}`);
  }

  /** A response arrived. True: it was a repetition and has been dealt with. */
  responseReceived(branch: string, method: string, status: number): boolean {
    const key = `${branch} ${method}`;
    const asking = this.#asking.get(key);
    if (asking !== undefined) {
      this.#stop(this.#asking, key);
      // s17.1.2.2: in Proceeding a non-INVITE request still goes again, every T2.
      if (status < 200 && !asking.invite) {
        this.#repeat(this.#asking, key, asking.again, false, asking.untilMs, this.#timers.t2Ms);
      }
    }
    if (method !== "INVITE" || status < 300) return false;
    const ack = this.#acks.get(branch);
    if (ack === undefined || ack.untilMs <= this.#clock.nowMs()) return false;
    ack.again();
    return true;
  }

  /** A response of ours left for the transaction `key`. 1xx and 2xx to INVITE are repeated by the dialog. */
  responseSent(key: string, method: string, status: number, again: () => void): void {
    if (status < 200 || (method === "INVITE" && status < 300)) return;
    const untilMs = this.#clock.nowMs() + transactionMs(this.#timers);
    this.#forget(this.#answered);
    this.#answered.set(key, { again, untilMs, confirmed: false });
    if (method !== "INVITE") return;
    this.#stop(this.#refusing, key);
    if (this.#refusing.size >= MAX_REFUSING) return;
    this.#repeat(this.#refusing, key, again, false, untilMs, this.#timers.t1Ms);
  }

  /**
   * A request arrived for the transaction `key`; an ACK has that of its INVITE. True: it was a repetition and
   * has been answered again.
   */
  requestReceived(key: string, method: string): boolean {
    if (method === "ACK") {
      const answered = this.#answered.get(key);
      if (answered !== undefined) answered.confirmed = true;
      this.#stop(this.#refusing, key);
      return false;
    }
    const answered = this.#answered.get(key);
    if (answered === undefined || answered.untilMs <= this.#clock.nowMs()) return false;
    if (!answered.confirmed) answered.again();
    return true;
  }

  /** Stops all repetition. */
  close(): void {
    for (const entries of [this.#asking, this.#refusing]) {
      for (const entry of entries.values()) entry.cancelTimer();
      entries.clear();
    }
    this.#answered.clear();
    this.#acks.clear();
  }

  #repeat(
    entries: Map<string, Repeat>,
    key: string,
    again: () => void,
    invite: boolean,
    untilMs: number,
    intervalMs: number,
  ): void {
    const entry: Repeat = { again, invite, untilMs, intervalMs, cancelTimer: nothing };
    entries.set(key, entry);
    const arm = (): void => {
      const atMs = this.#clock.nowMs() + entry.intervalMs;
      // Past the transaction's life (timers B, F, H) the layer above gives up, and so does this.
      if (atMs >= untilMs) {
        entry.cancelTimer = this.#clock.at(untilMs, () => entries.delete(key));
        return;
      }
      entry.cancelTimer = this.#clock.at(atMs, () => {
        entry.again();
        // Timer A doubles without end (s17.1.1.2), timers E and G up to T2 (s17.1.2.2, s17.2.1).
        const doubled = entry.intervalMs * 2;
        entry.intervalMs = invite ? doubled : Math.min(doubled, this.#timers.t2Ms);
        arm();
      });
    };
    arm();
  }

  #stop(entries: Map<string, Repeat>, key: string): void {
    entries.get(key)?.cancelTimer();
    entries.delete(key);
  }

  /** Entries of one map all live equally long, so the oldest stand first. */
  #forget(entries: Map<string, { readonly untilMs: number }>): void {
    const nowMs = this.#clock.nowMs();
    for (const [key, entry] of entries) {
      if (entry.untilMs > nowMs) return;
      entries.delete(key);
    }
  }
}
