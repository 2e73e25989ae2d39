// The leg towards a person in a conference: what they and the others of the call say at the media server, and what the
// telephone says to them. When the server is lost we enter again, with a new admission each time.
import { randomBytes } from "node:crypto";
import type { Admission, Attendance } from "../../../ports/conference.ts";
import { clockMs } from "../base/clock.ts";
import type { Leg, LegReports } from "../base/leg.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { readRtp, writeRtp } from "../rtp/rtp-packet.ts";
import { FrameOpener, FrameSealer } from "./frame-cipher.ts";
import { opusPayloadType } from "./server-connection.ts";
import { Visit } from "./visit.ts";
import { Voices } from "./voices.ts";

export interface ParticipantOptions {
  readonly ice: WorkerSettings["ice"];
  /** Of our stream. */
  readonly ssrc: number;
  readonly cname: string;
  /** How long a lost connection may take to come back. */
  readonly reconnectTimeoutMs: number;
}

export interface ParticipantReports extends LegReports {
  /** Another admission is wanted: `enter` gives it. */
  wanted(): void;
  /** The person is there, also where nothing is heard of them. */
  alive(): void;
}

/** How long we try to get in: at first, and after a loss at most, when a server takes seconds to start again. */
const patienceMs = { first: 10_000, again: 18_000 };
/**
 * Doubled with each refusal. Short at first: who gets in makes the room anew, and other clients give up where there is none.
 */
const pauseMs = { first: 100, most: 500 };
/** Somebody who leaves and comes back so soon has changed the network. */
const absentMs = 5000;

/**
 * ```
 * new --attend--> waiting --admission--> visiting --media flows--> visiting (is up)
 *                  ^  ^---no admission---'  |                        |
 *                  |                        '-------- lost ----------'
 *                  '------- a pause, within the time -------'
 *   any --too late, not wanted any more, the person is gone, closed--> over
 * ```
 */
type State =
  | { readonly phase: "new" }
  | { readonly phase: "waiting"; readonly untilMs: number }
  | { readonly phase: "visiting"; readonly untilMs: number; readonly visit: Visit; isUp: boolean; wasTogether: boolean }
  | { readonly phase: "over" };

export class ParticipantLeg implements Leg {
  readonly #options: ParticipantOptions;
  readonly #reports: ParticipantReports;
  readonly #voices: Voices;
  readonly #openers = new Map<string, FrameOpener>();
  #sealer: FrameSealer | undefined;
  #state: State = { phase: "new" };
  #wasUp = false;
  /** Refusals in a row. */
  #refusals = 0;
  /** Until we ask again, or give up. */
  #timer: NodeJS.Timeout | undefined;
  #absence: NodeJS.Timeout | undefined;
  #unread = 0;

  constructor(options: ParticipantOptions, reports: ParticipantReports) {
    this.#options = options;
    this.#reports = reports;
    this.#voices = new Voices((packet) => this.#reports.rtp(packet));
  }

  get isConnected(): boolean {
    return this.#state.phase === "visiting" && this.#state.isUp;
  }

  /** Who is in the call from now on. The first time, we ask to be let in. */
  attend({ participants, ownKey }: Attendance): void {
    for (const identity of this.#openers.keys())
      if (!participants.some((each) => each.identity === identity)) this.#openers.delete(identity);
    for (const { identity, keys } of participants) {
      const opener = this.#openers.get(identity) ?? new FrameOpener();
      opener.learn(keys);
      this.#openers.set(identity, opener);
    }
    if (ownKey === undefined) this.#sealer = undefined;
    else if (this.#sealer?.isFor(ownKey) !== true) this.#sealer = new FrameSealer(ownKey);
    if (this.#state.phase === "new") this.#want(clockMs() + patienceMs.first);
    else this.#watch();
  }

  /** Undefined: there is none now. */
  enter(admission: Admission | undefined): void {
    const state = this.#state;
    if (state.phase !== "waiting") return;
    clearTimeout(this.#timer);
    if (admission === undefined) {
      this.#lost(state.untilMs, "no admission", false);
      return;
    }
    const { ice, ssrc, cname } = this.#options;
    const cid = `TR_${randomBytes(6).toString("hex")}`;
    try {
      const visit: Visit = new Visit(
        admission,
        { ice, ssrc, cname, cid, isEncrypted: this.#sealer !== undefined },
        {
          up: () => this.#up(),
          over: (reason, isFinal) => this.#over(reason, isFinal),
          attended: () => this.#watch(),
          rtp: (identity, packet) => this.#hear(identity, packet),
          rtcp: (packet) => this.#reports.rtcp(packet),
        },
      );
      this.#state = { phase: "visiting", untilMs: state.untilMs, visit, isUp: false, wasTogether: false };
    } catch (error) {
      this.#lost(state.untilMs, error instanceof Error ? error.message : String(error), false);
    }
  }

  sendRtp(packet: Buffer): boolean {
    const state = this.#state;
    if (state.phase !== "visiting") return false;
    const header = readRtp(packet);
    // The server knows our track as Opus alone: digits have no place in it.
    if (header?.payloadType !== opusPayloadType) return false;
    if (this.#sealer === undefined) return state.visit.send(packet);
    return state.visit.send(writeRtp(header, this.#sealer.seal(packet.subarray(header.start, header.end))));
  }

  sendRtcp(packet: Buffer): void {
    if (this.#state.phase === "visiting") this.#state.visit.send(packet);
  }

  async close(): Promise<void> {
    if (this.#unread > 0) this.#reports.log("info", "frames without a key that opens them", { count: this.#unread });
    this.#leave();
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
    this.#reports.connected();
    this.#watch();
  }

  #over(reason: string, isFinal: boolean): void {
    const state = this.#state;
    if (state.phase !== "visiting") return;
    // From a loss on there is the whole time to come back.
    const againMs = Math.min(patienceMs.again, this.#options.reconnectTimeoutMs);
    this.#lost(state.isUp ? clockMs() + againMs : state.untilMs, reason, isFinal);
  }

  #lost(untilMs: number, reason: string, isFinal: boolean): void {
    clearTimeout(this.#absence);
    this.#absence = undefined;
    // At once after a loss: the server may be there, and the path to it gone.
    const pause = this.isConnected ? 0 : Math.min(pauseMs.most, pauseMs.first * 2 ** this.#refusals);
    this.#refusals = this.isConnected ? 0 : this.#refusals + 1;
    const isOver = isFinal || clockMs() + pause > untilMs;
    const what = isOver ? "gave the media server up" : "not at the media server: trying again";
    this.#reports.log(isOver ? "warn" : "info", what, { reason });
    if (isOver) {
      this.#leave();
      if (this.#wasUp) this.#reports.gone("lost");
      else this.#reports.failed("not let in at the media server");
      return;
    }
    this.#state = { phase: "waiting", untilMs };
    this.#timer = setTimeout(() => this.#want(untilMs), pause);
  }

  #leave(): void {
    this.#voices.close();
    clearTimeout(this.#timer);
    clearTimeout(this.#absence);
    if (this.#state.phase === "visiting") this.#state.visit.close();
    this.#state = { phase: "over" };
  }

  /** Are those who belong to the call at the server? Whoever was there, and is not any more, has died with their client. */
  #watch(): void {
    const state = this.#state;
    if (state.phase !== "visiting" || !state.isUp) return;
    const isTogether = [...this.#openers.keys()].some((identity) => state.visit.attendees.isHere(identity));
    if (isTogether) {
      state.wasTogether = true;
      clearTimeout(this.#absence);
      this.#absence = undefined;
      this.#reports.alive();
    } else if (state.wasTogether)
      this.#absence ??= setTimeout(() => {
        this.#leave();
        this.#reports.log("info", "the person's clients have left the media server", {});
        this.#reports.gone("closed");
      }, absentMs);
  }

  #hear(identity: string, packet: Buffer): void {
    const opener = this.#openers.get(identity);
    const header = readRtp(packet);
    if (opener === undefined || header?.payloadType !== opusPayloadType) return;
    const payload = packet.subarray(header.start, header.end);
    const frame = this.#sealer === undefined ? payload : opener.open(payload);
    if (frame === undefined) this.#unread += 1;
    else this.#voices.hear(header, frame);
  }
}
