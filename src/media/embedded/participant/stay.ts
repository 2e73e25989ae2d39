// Our stay at one media server of a conference: in by an admission, and when the server is lost in again, with a new admission
// each time.
import { randomBytes } from "node:crypto";
import type { Format } from "../../../core/sdp/format.ts";
import type { Admission } from "../../../ports/conference.ts";
import { clockMs } from "../base/clock.ts";
import type { LegReports } from "../base/leg.ts";
import { Visit, type Speech, type VisitOptions } from "./visit.ts";

/** How long we try to get in: at first, and after a loss at most. */
export interface Patience {
  readonly firstMs: number;
  readonly againMs: number;
  /** Between two tries at most. */
  readonly pauseMs: number;
}

export interface StayOptions extends Pick<VisitOptions, "ice"> {
  /** What we say there; undefined: we only listen. */
  readonly voice: Omit<Speech, "cid"> | undefined;
}

export interface StayReports {
  /** Another admission is wanted: `enter` gives it. */
  wanted(): void;
  /** In which codec we speak there, from before media can flow. */
  speaks(format: Format): void;
  /** Media can flow. */
  up(): void;
  /** Somebody has come, gone, or is still there. */
  attended(): void;
  /** We are not there now: another try follows. */
  lost(): void;
  /** We are not there any more, and do not try again. */
  over(): void;
  rtp(identity: string, packet: Buffer): void;
  rtcp(packet: Buffer): void;
  log(...line: Parameters<LegReports["log"]>): void;
}

/** The first pause, doubled with each refusal: who gets in makes the room anew, and other clients give up where there is none. */
const firstPauseMs = 100;

/**
 * ```
 * waiting --admission--> visiting --media flows--> visiting (is up)
 *  ^  ^---no admission---'  |                        |
 *  |                        '-------- lost ----------'
 *  '------- a pause, within the time -------'
 *   any --too late, not wanted any more, closed--> over
 * ```
 */
type State =
  | { readonly phase: "waiting"; readonly untilMs: number }
  | { readonly phase: "visiting"; readonly untilMs: number; readonly visit: Visit; isUp: boolean }
  | { readonly phase: "over" };

export class Stay {
  readonly #options: StayOptions;
  readonly #patience: Patience;
  readonly #reports: StayReports;
  #state: State = { phase: "over" };
  #wasUp = false;
  /** The server has not taken another codec. */
  #isOpusAlone = false;
  /** Refusals in a row. */
  #refusals = 0;
  /** Until we ask again, or give up. */
  #timer: NodeJS.Timeout | undefined;

  /** Asks to be let in. */
  constructor(options: StayOptions, patience: Patience, reports: StayReports) {
    this.#options = options;
    this.#patience = patience;
    this.#reports = reports;
    this.#want(clockMs() + patience.firstMs);
  }

  get isUp(): boolean {
    return this.#state.phase === "visiting" && this.#state.isUp;
  }

  get isOver(): boolean {
    return this.#state.phase === "over";
  }

  /** Whether it was up, and may be again. */
  get isReturning(): boolean {
    return this.#wasUp && !this.isUp && !this.isOver;
  }

  isHere(identity: string): boolean {
    return this.#state.phase === "visiting" && this.#state.isUp && this.#state.visit.attendees.isHere(identity);
  }

  /** Undefined: there is no admission now. */
  enter(admission: Admission | undefined, isEncrypted: boolean): void {
    const state = this.#state;
    if (state.phase !== "waiting") return;
    clearTimeout(this.#timer);
    if (admission === undefined) {
      this.#lost(state.untilMs, "no admission", false);
      return;
    }
    try {
      const visit = this.#visit(admission, isEncrypted);
      this.#state = { phase: "visiting", untilMs: state.untilMs, visit, isUp: false };
    } catch (error) {
      this.#lost(state.untilMs, error instanceof Error ? error.message : String(error), false);
    }
  }

  /** RTP or RTCP; false where it cannot be sent now. */
  send(packet: Buffer): boolean {
    return this.#state.phase === "visiting" && this.#state.visit.send(packet);
  }

  /** Nothing is reported any more. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#state.phase === "visiting") this.#state.visit.close();
    this.#state = { phase: "over" };
  }

  /** Throws where the address of the server is none. */
  #visit(admission: Admission, isEncrypted: boolean): Visit {
    const { ice, voice } = this.#options;
    const cid = `TR_${randomBytes(6).toString("hex")}`;
    const codecs = (): readonly string[] => (this.#isOpusAlone ? [] : (voice?.codecs() ?? []));
    const options = { ice, voice: voice && { ...voice, codecs, cid }, isEncrypted };
    return new Visit(admission, options, {
      speaks: (format) => this.#reports.speaks(format),
      untaken: () => {
        this.#isOpusAlone = true;
      },
      up: () => this.#up(),
      over: (reason, isFinal) => this.#ended(reason, isFinal),
      attended: () => this.#reports.attended(),
      rtp: (identity, packet) => this.#reports.rtp(identity, packet),
      rtcp: (packet) => this.#reports.rtcp(packet),
    });
  }

  #want(untilMs: number): void {
    this.#state = { phase: "waiting", untilMs };
    this.#timer = setTimeout(() => this.#lost(untilMs, "no admission in time", false), untilMs - clockMs());
    this.#reports.wanted();
  }

  #up(): void {
    if (this.#state.phase !== "visiting") return;
    this.#state.isUp = true;
    this.#wasUp = true;
    this.#reports.up();
  }

  #ended(reason: string, isFinal: boolean): void {
    const state = this.#state;
    if (state.phase !== "visiting") return;
    // From a loss on there is the whole time to come back.
    this.#lost(state.isUp ? clockMs() + this.#patience.againMs : state.untilMs, reason, isFinal);
  }

  #lost(untilMs: number, reason: string, isFinal: boolean): void {
    // At once after a loss: the server may be there, and the path to it gone.
    const pauseMs = this.isUp ? 0 : Math.min(this.#patience.pauseMs, firstPauseMs * 2 ** this.#refusals);
    this.#refusals = this.isUp ? 0 : this.#refusals + 1;
    const isOver = isFinal || clockMs() + pauseMs > untilMs;
    const what = isOver ? "gave the media server up" : "not at the media server: trying again";
    this.#reports.log(isOver ? "warn" : "info", what, { reason });
    if (isOver) {
      this.close();
      this.#reports.over();
      return;
    }
    this.#state = { phase: "waiting", untilMs };
    this.#reports.lost();
    this.#timer = setTimeout(() => this.#want(untilMs), pauseMs);
  }
}
