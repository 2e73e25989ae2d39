// One call's offers and answers: what each end says is decided in core/sdp/exchange, written by the ends, and carried out
// by an engine's session. Orders come one at a time.
import type { IceCandidate } from "../../core/call/model/fact.ts";
import { mediaEnds, type MediaEnd, type Prompt } from "../../core/media-end.ts";
import type { MediaDescription } from "../../core/media-description.ts";
import type { MediaStats } from "../../core/call/model/media-stats.ts";
import type { Direction } from "../../core/sdp/direction.ts";
import {
  answered,
  crossed,
  described,
  digitFormat,
  offered,
  settled,
  untold,
} from "../../core/sdp/exchange/exchange.ts";
import { isKnownCodec } from "../../core/sdp/format.ts";
import { flowsOf } from "../../core/sdp/exchange/flows.ts";
import type { AnswerTurn, CrossedTurn, Exchange, OfferTurn, Refusal, Turn } from "../../core/sdp/exchange/turn.ts";
import type { EngineSession, RemoteEnd } from "../../ports/media-engine.ts";
import { MediaError, type MediaSession, type OfferOutcome } from "../../ports/media.ts";
import type { Log } from "../../ports/telemetry.ts";
import { seatIn } from "../../ports/conference.ts";
import { ConferenceNegotiation } from "./conference-end.ts";
import type { NegotiatedEnd } from "./negotiated-end.ts";

export type NegotiatedEnds = Partial<Record<MediaEnd, NegotiatedEnd | undefined>>;

export interface SessionHolder {
  /** For an end whose peer takes part in a conference; undefined: nobody gets us into any. */
  newConference(): ConferenceNegotiation | undefined;
  /** The dialog at that end goes on in another session. */
  handedOver(end: MediaEnd): void;
  closed(): void;
}

export class NegotiatedSession implements MediaSession<string> {
  readonly #engine: EngineSession;
  readonly #ends: NegotiatedEnds;
  readonly #holder: SessionHolder;
  readonly #log: Log;
  #exchange: Exchange;
  #isLost = false;
  /** The last order: the next one waits for it. */
  #tail: Promise<unknown> = Promise.resolve();

  constructor(engine: EngineSession, start: Exchange, ends: NegotiatedEnds, holder: SessionHolder, log: Log) {
    this.#engine = engine;
    this.#ends = ends;
    this.#holder = holder;
    this.#log = log;
    this.#exchange = start;
  }

  get untold(): Direction | undefined {
    return untold(this.#exchange);
  }

  /** What carried it is gone. */
  lost(): void {
    this.#isLost = true;
  }

  async offer(from: MediaEnd, description: MediaDescription): Promise<OfferOutcome<string>> {
    return this.#inTurn(async () => {
      const own = this.#speaker(from, description);
      const offer = await own.read(description);
      const turn = written(offered(this.#exchange, from, offer));
      const text = await this.#write(turn);
      if (turn.kind === "answer") return { kind: "settled", description: text };
      own.prepare(offer);
      return { kind: "forward", description: text };
    });
  }

  async answer(from: MediaEnd, description: MediaDescription): Promise<string> {
    return this.#inTurn(async () => {
      const own = this.#speaker(from, description);
      const answer = await own.read(description);
      const turn = accepted(answered(this.#exchange, from, answer));
      const reply = own.take(answer);
      const wording = turn.kind === "settled" ? { sdp: "" } : await this.#endAt(turn.to).write(turn);
      const others = turn.kind === "settled" ? {} : { [turn.to]: wording.remote };
      await this.#follow({ ...others, [from]: reply.remote }, turn.exchange);
      reply.taken();
      return wording.sdp;
    });
  }

  async settle(from: MediaEnd): Promise<string> {
    return this.#inTurn(async () => this.#write(written(settled(this.#exchange, from))));
  }

  async describe(end: MediaEnd): Promise<string> {
    return this.#inTurn(async () => this.#write(written(described(this.#exchange, end))));
  }

  async cross(from: MediaEnd, description: MediaDescription): Promise<Readonly<Record<MediaEnd, string>>> {
    return this.#inTurn(async () => {
      const offer = await this.#speaker(from, description).read(description);
      const { exchange, a, b } = accepted(crossed(this.#exchange, from, offer));
      const wordings = { a: await this.#endAt("a").write(a), b: await this.#endAt("b").write(b) };
      await this.#follow({ a: wordings.a.remote, b: wordings.b.remote }, exchange);
      return { a: wordings.a.sdp, b: wordings.b.sdp };
    });
  }

  async ring(end: MediaEnd): Promise<void> {
    const ringing = this.#inTurn(async () => {
      const { agreed, offered: ours } = this.#exchange;
      const voices = (ours?.formats ?? []).filter(isKnownCodec).map(({ name }) => name);
      const remote = agreed === undefined ? this.#endAt(end).arrive(voices) : undefined;
      if (remote === undefined) return;
      if (remote !== "there") await this.#engine.follow({ remotes: { [end]: remote }, flows: undefined });
      await this.#engine.ring(end);
    });
    await ringing.catch((error: unknown) => {
      this.#log.warn("media engine does not play the ringing tone", { error });
    });
  }

  async prompt(prompt: Prompt): Promise<void> {
    await this.#inTurn(async () => this.#engine.prompt(prompt)).catch((error: unknown) => {
      this.#log.warn("media engine does not play a tone", { prompt, error });
    });
  }

  async sendDtmf(to: MediaEnd, digit: string, durationMs: number): Promise<boolean> {
    return this.#after(() => {
      const { agreed } = this.#exchange;
      if (this.#isLost || agreed === undefined || digitFormat(agreed, to) === undefined) return false;
      return this.#isTaken("key", () => this.#engine.sendDtmf(to, digit, durationMs));
    });
  }

  addCandidates(candidates: readonly IceCandidate[]): void {
    void this.#after(() => this.#isTaken("candidates", () => this.#engine.addCandidates(candidates)));
  }

  async stats(): Promise<MediaStats> {
    return this.#inTurn(async () => this.#engine.stats());
  }

  async unheard(): Promise<readonly MediaEnd[]> {
    return this.#inTurn(async () => this.#engine.unheard());
  }

  async handOver(end: MediaEnd): Promise<void> {
    await this.#after(async () => {
      // A client's end has no dialog that could go on.
      if (this.#exchange.ends[end].kind !== "trunk") return;
      delete this.#ends[end];
      this.#holder.handedOver(end);
      await this.#engine.handOver(end);
    });
  }

  async close(): Promise<MediaStats> {
    return this.#after(async () => {
      this.#holder.closed();
      return this.#engine.close();
    });
  }

  /** An order that nobody hears of again: that an engine could not take it is for the log. */
  #isTaken(what: "key" | "candidates", work: () => void): boolean {
    try {
      work();
      return true;
    } catch (error) {
      this.#log.warn("media engine did not take what was sent to it", { what, error });
      return false;
    }
  }

  async #write(turn: OfferTurn | AnswerTurn): Promise<string> {
    const { sdp, remote } = await this.#endAt(turn.to).write(turn);
    await this.#follow({ [turn.to]: remote }, turn.exchange);
    return sdp;
  }

  /** Once it is written, the engine follows, and it is the present state. An offer of ours alone moves nothing. */
  async #follow(remotes: Partial<Record<MediaEnd, RemoteEnd | undefined>>, exchange: Exchange): Promise<void> {
    const { agreed, offered: ours } = exchange;
    if (agreed === undefined && ours !== undefined) this.#engine.expect(ours.mostPrice);
    const known: Partial<Record<MediaEnd, RemoteEnd>> = {};
    for (const end of mediaEnds) {
      const remote = remotes[end];
      if (remote !== undefined) known[end] = remote;
    }
    const isNews = agreed !== this.#exchange.agreed || Object.keys(known).length > 0;
    const formats = { a: this.#ends.a?.unasked, b: this.#ends.b?.unasked };
    const flows = agreed && flowsOf(agreed, { formats, conversions: exchange.conversions });
    if (isNews) await this.#engine.follow({ remotes: known, flows });
    this.#exchange = exchange;
  }

  #endAt(end: MediaEnd): NegotiatedEnd {
    const found = this.#ends[end];
    if (found === undefined) throw new MediaError("engine", "the session has let go of that end");
    return found;
  }

  /** Whom a new call rings may answer in a conference instead: then that is what stands at the end. */
  #speaker(from: MediaEnd, description: MediaDescription): NegotiatedEnd {
    const end = this.#endAt(from);
    if (seatIn(description) === undefined || end instanceof ConferenceNegotiation) return end;
    const conference = this.#exchange.agreed === undefined ? this.#holder.newConference() : undefined;
    if (conference !== undefined) this.#ends[from] = conference;
    return conference ?? end;
  }

  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#after(async () => {
      if (this.#isLost) throw new MediaError("engine", "the media worker is gone");
      return work();
    });
  }

  async #after<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#tail.then(work);
    this.#tail = result.catch(() => undefined);
    return result;
  }
}

function accepted<Step extends Turn | CrossedTurn>(step: Step | Refusal): Step {
  if (step.kind === "refusal") throw new MediaError(step.fault, step.message);
  return step;
}

/** A step that has something to write. */
function written(step: Turn | Refusal): OfferTurn | AnswerTurn {
  const turn = accepted(step);
  if (turn.kind === "settled") throw new MediaError("engine", "nothing to say");
  return turn;
}
