// One test call: dials over a trunk, plays tones when it is answered, counts what comes back, and ends by itself. It has no
// Matrix leg, and nobody waits for it: it is not stored.
import type { Clock } from "../../ports/clock.ts";
import { MediaError, type CallMedia, type MediaSession, type TrunkMedia } from "../../ports/media.ts";
import type { InviteOrder, SipTrunks } from "../../ports/sip.ts";
import type { TestCall } from "../../ports/admin/test-call.ts";
import type { Log } from "../../ports/telemetry.ts";
import {
  causeOfBye,
  causeOfFailure,
  causeOfMediaFault,
  causeOfRejection,
  type Cause,
} from "../../core/call/model/cause.ts";
import type { SipFact } from "../../core/call/model/fact.ts";
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { CallId } from "../../core/ids.ts";

export interface DiallingParts {
  readonly id: CallId;
  readonly number: string;
  readonly invite: Omit<InviteOrder, "sdp">;
  readonly trunkMedia: TrunkMedia;
  readonly talkMs: number;
  readonly answered: () => void;
  readonly sip: Pick<SipTrunks, "invite" | "cancel" | "bye" | "refuseReoffer" | "refuseRefer">;
  readonly media: Pick<CallMedia, "open" | "forget">;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * ```
 * dialling --18x--> ringing --200--> talking --time, hang-up--> ending --> over
 *    '---------------- refused, no answer, given up ----------------------^
 * ```
 */
type Phase = TestCall["phase"];

const ringMs = 40_000;
/** The trunk's answer to CANCEL or BYE is waited for so long. */
const farewellMs = 5_000;
/** Each of our tones is one second long, with its pauses. */
const toneEveryMs = 1_000;

export class DiallingTestCall {
  readonly #parts: DiallingParts;
  readonly #startedAtMs: number;
  readonly #beganMs: number;
  #phase: Phase = "dialling";
  #session: MediaSession | undefined;
  #stats: MediaStats | undefined;
  #rangAfterMs: number | undefined;
  #answeredAfterMs: number | undefined;
  #cause: Cause | undefined;
  #sipStatus: number | undefined;
  #cancelTimer: () => void = () => {};
  #cancelTone: () => void = () => {};
  readonly #whenOver = Promise.withResolvers<void>();

  constructor(parts: DiallingParts) {
    this.#parts = parts;
    this.#startedAtMs = parts.clock.wallMs();
    this.#beganMs = parts.clock.nowMs();
  }

  get isOver(): boolean {
    return this.#phase === "over";
  }

  get over(): Promise<void> {
    return this.#whenOver.promise;
  }

  /** Throws MediaError where the engine has no room; then there is no call. */
  async start(): Promise<void> {
    const { id, media, trunkMedia, sip, invite } = this.#parts;
    const trunk = { kind: "trunk", media: trunkMedia, leg: id } as const;
    const session = await media.open({ call: id, a: { kind: "prompt" }, b: trunk }, ({ kind }) => {
      if (kind === "media.lost") this.#end("media-lost");
    });
    this.#session = session;
    try {
      const sdp = await session.describe("b");
      if (typeof sdp !== "string") throw new MediaError("engine", "the trunk's end is described without SDP");
      this.#wait(ringMs, () => this.#end("no-answer"));
      sip.invite(id, { ...invite, sdp });
    } catch (error) {
      await this.#release();
      throw error;
    }
  }

  async view(): Promise<TestCall> {
    const { id, number, invite } = this.#parts;
    // What it has come to is known once its media is closed.
    if (this.#phase === "over") await this.over;
    const stats = this.#stats ?? (await this.#session?.stats().catch(() => undefined));
    return {
      id,
      number,
      trunk: invite.trunk,
      phase: this.#phase,
      startedAtMs: this.#startedAtMs,
      rangAfterMs: this.#rangAfterMs,
      answeredAfterMs: this.#answeredAfterMs,
      cause: this.#cause,
      sipStatus: this.#sipStatus,
      codec: stats?.converted?.b ?? stats?.codec,
      heard: this.#answeredAfterMs === undefined ? undefined : stats?.b,
    };
  }

  hear(fact: SipFact): void {
    const { id, sip } = this.#parts;
    switch (fact.kind) {
      case "sip.ringing":
      case "sip.progressed":
        if (this.#phase !== "dialling") return;
        this.#phase = "ringing";
        this.#rangAfterMs = this.#sinceStart();
        return;
      case "sip.accepted":
        this.#accepted(fact.description);
        return;
      case "sip.rejected":
        this.#sipStatus = fact.status;
        this.#over(causeOfRejection(fact.status, fact.q850, this.#rangAfterMs !== undefined));
        return;
      case "sip.failed":
        this.#over(causeOfFailure(fact.fault));
        return;
      case "sip.hungUp":
        this.#over(causeOfBye(fact.q850, "outbound"));
        return;
      case "sip.ended":
        this.#over(this.#cause);
        return;
      // It is too short to be changed.
      case "sip.offered":
      case "sip.offerWanted":
        sip.refuseReoffer(id, 488);
        return;
      case "sip.referred":
        sip.refuseRefer(id, 603);
        return;
      default:
      // All else is no news for whoever only listens.
    }
  }

  /** An admin, or the bridge that stops, ends it. */
  end(): boolean {
    if (this.#phase === "ending" || this.#phase === "over") return false;
    this.#end("admin-ended");
    return true;
  }

  #accepted(description: Parameters<MediaSession["answer"]>[1]): void {
    const { id, sip, talkMs } = this.#parts;
    // Our CANCEL crossed it.
    if (this.#phase === "ending" || this.#phase === "over") return sip.bye(id);
    this.#answeredAfterMs = this.#sinceStart();
    this.#phase = "talking";
    this.#parts.answered();
    this.#wait(talkMs, () => this.#end(undefined));
    this.#talk(description).catch((error: unknown) => {
      const { log } = this.#parts;
      log.warn("a test call has no audio", { error });
      this.#end(error instanceof MediaError ? causeOfMediaFault(error.code, "trunk") : "fault");
    });
  }

  async #talk(description: Parameters<MediaSession["answer"]>[1]): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    await session.answer("a", await session.answer("b", description));
    const play = (): void => {
      if (this.#phase !== "talking") return;
      void session.prompt("enter");
      this.#cancelTone = this.#after(toneEveryMs, play);
    };
    play();
  }

  #end(cause: Cause | undefined): void {
    if (this.#phase === "ending" || this.#phase === "over") return;
    const { id, sip } = this.#parts;
    const wasAnswered = this.#phase === "talking";
    this.#phase = "ending";
    this.#cause = cause;
    this.#wait(farewellMs, () => this.#over(cause));
    if (wasAnswered) sip.bye(id);
    else sip.cancel(id);
  }

  #over(cause: Cause | undefined): void {
    if (this.#phase === "over") return;
    // Why we ended it says more than how the trunk put it.
    this.#cause = this.#phase === "ending" ? this.#cause : cause;
    this.#phase = "over";
    this.#cancelTimer();
    this.#cancelTone();
    void this.#release().then(() => this.#whenOver.resolve());
  }

  async #release(): Promise<void> {
    const { id, media } = this.#parts;
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined) this.#stats = await session.close();
    media.forget(id);
  }

  #wait(ms: number, then: () => void): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#after(ms, then);
  }

  #after(ms: number, then: () => void): () => void {
    const { clock } = this.#parts;
    return clock.at(clock.nowMs() + ms, then);
  }

  #sinceStart(): number {
    return this.#parts.clock.nowMs() - this.#beganMs;
  }
}
