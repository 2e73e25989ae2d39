// One call's media inside a worker: the offers and answers of both sides (decided in core/sdp/exchange), the two legs that
// carry them out, and the relay between. Orders come one at a time from worker.ts.
import type { IceCandidate } from "../../../core/call/model/fact.ts";
import type { MediaSide } from "../../../core/call/model/media-side.ts";
import type { MediaStats } from "../../../core/call/model/media-stats.ts";
import { answered, crossed, described, newExchange, offered, settled, untold } from "../../../core/sdp/exchange.ts";
import type { Direction } from "../../../core/sdp/direction.ts";
import type { AnswerTurn, CrossedTurn, Exchange, OfferTurn, Refusal, SideTerms, Turn } from "../../../core/sdp/turn.ts";
import { MediaError, type MediaReport, type OfferOutcome, type TrunkMedia } from "../../../ports/media.ts";
import { ClientLeg } from "../client/client-leg.ts";
import type { Gone } from "../client/client-transport.ts";
import { clockMs } from "../clock.ts";
import type { Leg, LegReports } from "../leg.ts";
import type { LogLevel, SessionOpening, SideDialogs, WorkerSettings } from "../protocol.ts";
import { Relay } from "./relay.ts";
import { newStream } from "../rtp/outgoing-stream.ts";
import type { DialogMedia, SideMarks } from "../trunk/dialog-media.ts";
import { withAddresses } from "../trunk/host-names.ts";
import { TrunkLeg } from "../trunk/trunk-leg.ts";

const sides = ["matrix", "trunk"] as const;
/** From the end of a client's DTLS to the end of its call, where no hang-up of it has come. */
const hangUpMs = 2000;

export interface SessionReports {
  fact(fact: MediaReport): void;
  log(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class Session {
  readonly #settings: WorkerSettings;
  readonly #reports: SessionReports;
  readonly #relay: Relay;
  readonly #legs: Partial<Record<MediaSide, Leg>> = {};
  /** Those of the legs that are trunks. */
  readonly #trunks: Partial<Record<MediaSide, TrunkLeg>> = {};
  #exchange: Exchange;
  #isConnected = false;
  #isBroken = false;
  #client: ClientLeg | undefined;
  /** The client was here and is not any more. */
  #absence: { readonly how: Gone; readonly sinceMs: number } | undefined;

  private constructor(settings: WorkerSettings, opening: SessionOpening, reports: SessionReports) {
    this.#settings = settings;
    this.#reports = reports;
    const { before } = opening;
    const matrix =
      opening.matrix === undefined ? clientTerms(opening.trunk) : trunkTerms(opening.matrix, before.matrix);
    this.#exchange = newExchange({ matrix, trunk: trunkTerms(opening.trunk, before.trunk) });
    this.#relay = new Relay(
      { matrix: () => this.#legs.matrix, trunk: () => this.#legs.trunk },
      { matrix: before.matrix?.sent.stream ?? newStream(), trunk: before.trunk?.sent.stream ?? newStream() },
      settings.silenceTimeoutMs,
      (fact) => reports.fact(fact),
    );
  }

  /** Undefined if the ports are taken. */
  static async open(
    settings: WorkerSettings,
    opening: SessionOpening,
    reports: SessionReports,
  ): Promise<Session | undefined> {
    const session = new Session(settings, opening, reports);
    const { trunk, rtpPort, before } = opening;
    const isWhole =
      (await session.#openTrunk("trunk", trunk, rtpPort, before.trunk)) && (await session.#openMatrix(opening));
    if (isWhole) return session;
    await session.close();
    return undefined;
  }

  get untold(): Direction | undefined {
    return untold(this.#exchange);
  }

  async offer(from: MediaSide, sdp: string): Promise<OfferOutcome> {
    const leg = this.#leg(from);
    const offer = leg.read(await this.#named(from, sdp));
    const turn = written(offered(this.#exchange, from, offer));
    const text = await this.#leg(turn.to).write(turn);
    this.#become(turn.exchange);
    if (turn.kind === "answer") return { kind: "settled", sdp: text };
    leg.prepare(offer);
    return { kind: "forward", sdp: text };
  }

  /** Empty where nobody waits for a word. */
  async answer(from: MediaSide, sdp: string): Promise<string> {
    const leg = this.#leg(from);
    const answer = leg.read(await this.#named(from, sdp));
    const turn = taken(answered(this.#exchange, from, answer));
    const follow = leg.take(answer);
    const text = turn.kind === "settled" ? "" : await this.#leg(turn.to).write(turn);
    follow();
    this.#become(turn.exchange);
    return text;
  }

  async settle(from: MediaSide): Promise<string> {
    const turn = written(settled(this.#exchange, from));
    const text = await this.#leg(turn.to).write(turn);
    this.#become(turn.exchange);
    return text;
  }

  async describe(side: MediaSide): Promise<string> {
    const turn = written(described(this.#exchange, side));
    const text = await this.#leg(side).write(turn);
    this.#become(turn.exchange);
    return text;
  }

  async cross(sdp: string): Promise<Record<MediaSide, string>> {
    const client = this.#leg("matrix");
    const turns = taken(crossed(this.#exchange, client.read(sdp)));
    client.rollBack();
    const matrix = await client.write(turns.matrix);
    const trunk = await this.#leg("trunk").write(turns.trunk);
    this.#become(turns.trunk.exchange);
    return { matrix, trunk };
  }

  press(to: MediaSide, digit: string, durationMs: number): void {
    this.#guard(() => this.#relay.press(to, digit, durationMs));
  }

  addCandidates(candidates: readonly IceCandidate[]): void {
    this.#legs.matrix?.addCandidates(candidates);
  }

  stats(): MediaStats {
    return this.#relay.stats();
  }

  unheard(): readonly MediaSide[] {
    return this.#relay.unheard();
  }

  /** What the dialogs of the trunks have been told and sent. */
  dialogs(): SideDialogs {
    const dialogs: SideDialogs = {};
    const marks = this.marks();
    for (const side of sides) {
      const [leg, sent] = [this.#trunks[side], marks[side]];
      if (leg !== undefined && sent !== undefined) dialogs[side] = { told: leg.told, sent };
    }
    return dialogs;
  }

  marks(): SideMarks {
    const marks: SideMarks = {};
    for (const side of sides) {
      const leg = this.#trunks[side];
      if (leg !== undefined) marks[side] = { stream: this.#relay.streams[side].mark(clockMs()), srtp: leg.srtp };
    }
    return marks;
  }

  /** The dialog of a trunk goes on in another session. Null: there is none. */
  async detach(side: MediaSide): Promise<DialogMedia | null> {
    const leg = this.#trunks[side];
    if (leg === undefined) return null;
    this.#relay.streams[side].close(clockMs());
    const dialog = this.dialogs()[side] ?? null;
    delete this.#legs[side];
    delete this.#trunks[side];
    await leg.close();
    return dialog;
  }

  async close(): Promise<MediaStats> {
    this.#relay.close();
    const stats = this.stats();
    await Promise.all([this.#legs.matrix?.close(), this.#legs.trunk?.close()]);
    return stats;
  }

  /** Once a second. */
  tick(nowMs: number): void {
    this.#guard(() => {
      this.#relay.tick(nowMs, this.#isConnected);
      const absence = this.#absence;
      if (absence === undefined || nowMs - absence.sinceMs < this.#patienceMs(absence.how)) return;
      this.#absence = undefined;
      this.#reports.fact({ kind: absence.how === "closed" ? "media.closed" : "media.disconnected" });
    });
  }

  async #openMatrix({ matrix, matrixRtpPort, iceServers, before }: SessionOpening): Promise<boolean> {
    if (matrix !== undefined)
      return matrixRtpPort !== undefined && this.#openTrunk("matrix", matrix, matrixRtpPort, before.matrix);
    const { ice } = this.#settings;
    const { ssrc, cname } = this.#relay.streams.matrix;
    const transport = { ice, iceServers, ssrc, cname };
    this.#client = new ClientLeg(transport, this.#legReports("matrix"));
    this.#legs.matrix = this.#client;
    return true;
  }

  async #openTrunk(side: MediaSide, media: TrunkMedia, port: number, before?: DialogMedia): Promise<boolean> {
    const leg = await TrunkLeg.open(this.#settings.rtp, port, media, this.#legReports(side), before);
    if (leg === undefined) return false;
    this.#legs[side] = leg;
    this.#trunks[side] = leg;
    return true;
  }

  #legReports(side: MediaSide): LegReports {
    return {
      rtp: (packet) => this.#guard(() => this.#relay.rtp(side, packet)),
      rtcp: (packet) => this.#guard(() => this.#relay.rtcp(side, packet)),
      connected: () => this.#connected(),
      gone: (how, was) => this.#gone(how, was),
      log: (level, message, fields) => this.#reports.log(level, message, fields),
    };
  }

  /** A defect of ours that a packet brings out ends this call, not the worker with all the others. */
  #guard(work: () => void): void {
    if (this.#isBroken) return;
    try {
      work();
    } catch (error) {
      this.#isBroken = true;
      this.#reports.log("error", "media session broke", {
        error: error instanceof Error ? error.stack : String(error),
      });
      this.#reports.fact({ kind: "media.failed", message: "internal error" });
    }
  }

  #connected(): void {
    const { matrix, trunk } = this.#legs;
    if (matrix?.isConnected !== true) return;
    this.#absence = undefined;
    // Between two trunks both have to have said where they are; a client may be there before the trunk has answered.
    const isUp = this.#exchange.sides.matrix.kind === "client" || trunk?.isConnected === true;
    if (this.#isConnected || !isUp) return;
    this.#isConnected = true;
    this.#reports.fact({ kind: "media.connected" });
  }

  #gone(how: Gone, was: boolean): void {
    this.#reports.log(
      "info",
      how === "closed" ? "client closed its connection" : "connection to the client was lost",
      {},
    );
    if (was) this.#absence ??= { how, sinceMs: clockMs() };
    else this.#reports.fact({ kind: "media.failed", message: "ICE or DTLS failed" });
  }

  /** A client that closes its end hangs up: it has the time that its event needs. One whose network changes restarts ICE. */
  #patienceMs(how: Gone): number {
    return how === "closed" && this.#client?.isComing !== true ? hangUpMs : this.#settings.reconnectTimeoutMs;
  }

  /** A trunk may name a host; a client's address is never looked up. */
  async #named(from: MediaSide, sdp: string): Promise<string> {
    return this.#trunks[from] === undefined ? sdp : withAddresses(sdp);
  }

  #leg(side: MediaSide): Leg {
    const leg = this.#legs[side];
    if (leg === undefined) throw new MediaError("engine", "the session is not open");
    return leg;
  }

  /** Once it is written and said, it is the present state. */
  #become(exchange: Exchange): void {
    this.#exchange = exchange;
    if (exchange.agreed !== undefined) this.#relay.agree(exchange.agreed);
  }
}

/** A client may speak what the trunk may. */
function clientTerms({ codecs }: TrunkMedia): SideTerms {
  return { kind: "client", codecs };
}

function trunkTerms({ codecs, rtpEvents }: TrunkMedia, before: DialogMedia | undefined): SideTerms {
  return { kind: "trunk", codecs, events: rtpEvents !== false, numbers: before?.told.sdp.numbers ?? [] };
}

function taken<Step extends Turn | CrossedTurn>(step: Step | Refusal): Step {
  if (step.kind === "refusal") throw new MediaError(step.fault, step.message);
  return step;
}

/** A step that has something to write. */
function written(step: Turn | Refusal): OfferTurn | AnswerTurn {
  const turn = taken(step);
  if (turn.kind === "settled") throw new MediaError("engine", "nothing to say");
  return turn;
}
