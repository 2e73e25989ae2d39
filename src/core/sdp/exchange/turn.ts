// The state of an exchange of offers and answers, and what of it is written to one end: an offer or an answer.
// What leads from one state to the next stands in exchange.ts.
import type { MediaFault, MediaEnd } from "../../media-end.ts";
import { otherEnd } from "../../media-end.ts";
import {
  clientCapability,
  endFormats,
  toldFormats,
  trunkCapability,
  underNumbers,
  writtenFormats,
  type LegFormat,
  type Passage,
} from "./agreement.ts";
import { callPrice, type Conversion } from "./conversion.ts";
import type { Description } from "../description.ts";
import { answerTo, type Direction } from "../direction.ts";
import { isTelephoneEvent, type Format } from "../format.ts";
import { shownToClient } from "./hold.ts";

/** What stands on one end, and the codecs that it may speak, in the order of preference. */
export interface EndTerms {
  readonly kind: "client" | "trunk";
  readonly codecs: readonly string[];
  /** False: digits are not said in RTP there, whatever it lists. */
  readonly events?: boolean;
  /** Payload types that have a meaning in its dialog already, from a session before (RFC 3264 s8.3.2). */
  readonly numbers?: readonly Format[];
}

/** What the call's audio is now; under each end's name its last description. */
export interface Agreed extends Readonly<Record<MediaEnd, Description>> {
  readonly passages: readonly Passage[];
  /** What was agreed with each end when it was last spoken to. The other end's offers may leave some unused for a while. */
  readonly formats: Readonly<Record<MediaEnd, readonly LegFormat[]>>;
  /** Each party's own word on its direction. */
  readonly directions: Readonly<Record<MediaEnd, Direction>>;
}

/** An offer of ours, and on whose behalf it was made. */
interface Offered {
  readonly to: MediaEnd;
  readonly formats: readonly Format[];
  readonly direction: Direction;
  /** The other end's word behind it; undefined if we described ourselves. */
  readonly behind: Behind | undefined;
  /** What the call may come to cost by the answer, in calls that pass as they are. 1 while no end has said what it has. */
  readonly mostPrice: number;
}

export interface Behind {
  readonly description: Description;
  /** It is an offer, and so has to be answered. */
  readonly isOffer: boolean;
  /** What we had offered that end, where its word is an answer. */
  readonly offered: readonly Format[];
}

export interface Exchange {
  readonly ends: Readonly<Record<MediaEnd, EndTerms>>;
  /** What whoever carries the packets can do where no codec is in common. */
  readonly conversions: readonly Conversion[];
  readonly agreed: Agreed | undefined;
  /** Our last offer; a trunk may answer it more than once (provisional and final responses). */
  readonly offered: Offered | undefined;
  readonly isPending: boolean;
  /** Our direction as the client knows it; undefined while it may or may not have taken an offer of ours. */
  readonly told: Direction | undefined;
}

/** What has to be written to one end, if anything. */
export type Turn = OfferTurn | AnswerTurn | SettledTurn;

export interface OfferTurn {
  readonly kind: "offer";
  readonly to: MediaEnd;
  readonly formats: readonly Format[];
  readonly direction: Direction;
  readonly exchange: Exchange;
}

export interface AnswerTurn {
  readonly kind: "answer";
  readonly to: MediaEnd;
  readonly formats: readonly Format[];
  readonly direction: Direction;
  /** The offer that is answered. */
  readonly offer: Description;
  readonly exchange: Exchange;
}

/** All is agreed, and nobody waits for a word. */
interface SettledTurn {
  readonly kind: "settled";
  readonly exchange: Exchange;
}

/** Both ends had offered: an answer for each. */
export interface CrossedTurn extends Readonly<Record<MediaEnd, AnswerTurn>> {
  readonly kind: "crossed";
  readonly exchange: Exchange;
}

/** The exchange stays as it was. */
export interface Refusal {
  readonly kind: "refusal";
  readonly fault: MediaFault;
  readonly message: string;
}

/**
 * What a client is told in a new call, hold or not: one that cannot renegotiate would be silent for good. Inside the call
 * it is offered what `untold` gives.
 */
export const toldAtFirst: Direction = "sendrecv";

export function offerTurn(
  exchange: Exchange,
  to: MediaEnd,
  passages: readonly Passage[],
  direction: Direction,
  behind: Behind | undefined,
): OfferTurn {
  const { kind } = exchange.ends[to];
  const isClient = kind === "client";
  // A client is asked for digits also where the trunk takes none: they can be told to it in another way.
  const listed = exchange.agreed?.[to].audio.formats ?? capability(exchange.ends[to]);
  const own = isClient ? endFormats(passages, to, listed) : withEventsOf(exchange, to, passages);
  const formats = writtenFormats(own, passages, to, eventsOf(kind));
  const isInCall = exchange.agreed !== undefined;
  const said = isClient ? (isInCall ? shownToClient(direction) : toldAtFirst) : direction;
  return {
    kind: "offer",
    to,
    formats,
    direction: said,
    exchange: {
      ...exchange,
      offered: { to, formats, direction: said, behind, mostPrice: mostPrice(passages, exchange.conversions) },
      isPending: true,
      ...(isClient && isInCall ? { told: undefined } : {}),
    },
  };
}

/**
 * A trunk is asked for digits also where a client takes none: those of a person go to it all the same. Another trunk that takes
 * none has to hear them as tones.
 */
function withEventsOf(exchange: Exchange, to: MediaEnd, passages: readonly Passage[]): readonly LegFormat[] {
  const passing = passages.map((each) => each[to]);
  if (passing.some(isTelephoneEvent) || exchange.ends[otherEnd(to)].kind === "trunk") return passing;
  const clocks = new Set(passing.map(({ clockRate }) => clockRate));
  const { agreed } = exchange;
  const known = agreed === undefined ? capability(exchange.ends[to]) : toldFormats(agreed.formats[to]);
  const events = known.filter((format) => isTelephoneEvent(format) && clocks.has(format.clockRate));
  return [...passing, ...events.map(underItsNumber)];
}

function underItsNumber(format: Format): LegFormat {
  return { ...format, ours: format.payloadType };
}

function mostPrice(passages: readonly Passage[], conversions: readonly Conversion[]): number {
  return Math.max(...passages.map(({ a, b }) => callPrice(conversions, { a: a.name, b: b.name })));
}

/** `before`: what was agreed until now. */
export function answerTurn(
  exchange: Exchange,
  agreed: Agreed,
  to: MediaEnd,
  offer: Description,
  before: Agreed | undefined,
): AnswerTurn {
  const { kind } = exchange.ends[to];
  // The offer that began the call may be answered more than once, by several responses of the trunk.
  const isInCall = before !== undefined && before[to] !== offer;
  const other = agreed.directions[otherEnd(to)];
  const wanted = kind === "trunk" ? other : isInCall ? shownToClient(other) : toldAtFirst;
  return {
    kind: "answer",
    to,
    formats: writtenFormats(agreed.formats[to], agreed.passages, to, eventsOf(kind)),
    direction: answerTo(offer.audio.direction, wanted),
    offer,
    exchange: kind === "client" ? { ...exchange, told: wanted } : exchange,
  };
}

/** The digits of `a=fmtp`; browsers take all without a word (RFC 4733 s2.4.1). */
function eventsOf(kind: EndTerms["kind"]): string {
  return kind === "trunk" ? "0-15" : "";
}

export function capability({ kind, codecs, events, numbers = [] }: EndTerms): Format[] {
  const all = kind === "client" ? clientCapability(codecs) : trunkCapability(codecs);
  return underNumbers(withEvents(all, events), numbers);
}

export function withEvents(formats: Format[], events: boolean | undefined): Format[] {
  return events === false ? formats.filter((format) => !isTelephoneEvent(format)) : formats;
}
