// One end of a call as its offers and answers see it: what its peer has said, and what it was told. The ends of a call
// agree in core/sdp/exchange; the packets are the engine's.
import type { MediaDescription } from "../../core/media-description.ts";
import type { Description } from "../../core/sdp/description.ts";
import type { Format } from "../../core/sdp/format.ts";
import type { AnswerTurn, OfferTurn } from "../../core/sdp/exchange/turn.ts";
import type { RemoteEnd } from "../../ports/media-engine.ts";
import { MediaError } from "../../ports/media.ts";

/** What was written to the peer, and where the engine is to be aimed because of it. */
export interface Wording {
  /** Empty where nothing has to be said. */
  readonly sdp: string;
  readonly remote?: RemoteEnd | undefined;
}

/** What an answer of the peer means. `taken`: nothing has failed. */
export interface Reply {
  readonly remote: RemoteEnd | undefined;
  taken(): void;
}

export interface NegotiatedEnd {
  /** What its peer may speak although nobody has agreed on it. */
  readonly unasked?: readonly Format[];
  /** A description of the peer, checked for all that this end needs. Throws MediaError. */
  read(description: MediaDescription): Promise<Description>;
  /** Throws MediaError. */
  write(turn: OfferTurn | AnswerTurn): Promise<Wording>;
  /** The peer has offered and will be answered later. */
  prepare(offer: Description): void;
  /**
   * Where we have to be to be heard before anything is agreed; `there`: where a session before was; undefined: nobody hears us
   * then. `voices`: codecs that the other end may come to speak.
   */
  arrive(voices: readonly string[]): RemoteEnd | "there" | undefined;
  /** The peer's answer to our offer. Throws MediaError. */
  take(answer: Description): Reply;
}

/** The words of an end that speaks SDP. Throws MediaError. */
export function sdpOf(description: MediaDescription): string {
  if (typeof description === "string") return description;
  throw new MediaError("bad-description", "an end that speaks SDP was given a description without it");
}
