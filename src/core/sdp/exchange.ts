// Offer and answer between a client and a trunk with us in the middle (RFC 3264), as pure data: what is agreed, what is
// pending, and what has to be written next. Transports, keys and texts are the engine's affair.
import type { MediaFault, MediaSide } from "../call/media-side.ts";
import {
  allowedFormats,
  answeredFormats,
  clientCapability,
  pairFormats,
  rememberOurNumbers,
  trunkCapability,
  writtenFormats,
  type Passage,
} from "./agreement.ts";
import type { Description } from "./description.ts";
import { answerTo, receives, sends, type Direction } from "./direction.ts";
import { isSameCodec, type Format } from "./format.ts";

/** What the call's audio is now. */
export interface Agreed {
  readonly passages: readonly Passage[];
  /** What was agreed with the client when it was last spoken to. An offer of the trunk may leave some of it unused for a while. */
  readonly clientFormats: readonly Passage["matrix"][];
  /** Each party's own word on its direction. */
  readonly directions: Readonly<Record<MediaSide, Direction>>;
  /** The last description of each side. */
  readonly matrix: Description;
  readonly trunk: Description;
}

/** An offer of ours that waits for its answer. */
interface Pending {
  readonly to: MediaSide;
  readonly formats: readonly Format[];
  /** Whose offer it passes on; undefined if the trunk wanted ours (INVITE without SDP). */
  readonly behind: Description | undefined;
}

export interface Exchange {
  /** Codecs of the trunk, in its order of preference. */
  readonly codecs: readonly string[];
  readonly agreed: Agreed | undefined;
  readonly pending: Pending | undefined;
  /** The formats of our last offer to the trunk: a second answer to it is read by them. */
  readonly offeredToTrunk: readonly Format[];
}

/** What has to be written to one side. */
export type Turn =
  | {
      readonly kind: "offer";
      readonly to: MediaSide;
      readonly formats: readonly Format[];
      readonly direction: Direction;
      readonly exchange: Exchange;
    }
  | {
      readonly kind: "answer";
      readonly to: MediaSide;
      readonly formats: readonly Format[];
      readonly direction: Direction;
      /** The offer that is answered. */
      readonly offer: Description;
      readonly exchange: Exchange;
    };

/** The exchange stays as it was. */
export interface Refusal {
  readonly kind: "refusal";
  readonly fault: MediaFault;
  readonly message: string;
}

/**
 * What the client is told in our offers and answers. A hold of the trunk is kept from it: the end of the hold is answered
 * without the client, and one that had been told to be silent would stay so.
 */
const toldClient: Direction = "sendrecv";

export function newExchange(codecs: readonly string[]): Exchange {
  return { codecs, agreed: undefined, pending: undefined, offeredToTrunk: [] };
}

/** Does audio of `from` reach the other side now? */
export function isOpen(agreed: Agreed, from: MediaSide): boolean {
  const { directions } = agreed;
  return from === "matrix"
    ? sends(directions.matrix) && receives(directions.trunk)
    : sends(directions.trunk) && receives(directions.matrix);
}

/** Is either side on hold, so that silence means nothing? */
export function isHeld(agreed: Agreed): boolean {
  return agreed.directions.matrix !== "sendrecv" || agreed.directions.trunk !== "sendrecv";
}

/** An offer of the client: passed on to the trunk, or answered at once where the trunk need not hear of it. */
export function clientOffered(exchange: Exchange, offer: Description): Turn | Refusal {
  const { agreed, codecs } = exchange;
  const { formats, direction } = offer.audio;
  const kept = agreed === undefined ? [] : keptPassages(agreed, formats);
  if (agreed !== undefined && kept.length > 0 && direction === agreed.directions.matrix)
    return answerClient({ ...exchange, pending: undefined }, { ...agreed, passages: kept, matrix: offer }, offer);
  const passages = kept.length > 0 ? kept : pairFormats(formats, trunkCapability(codecs), "trunk");
  if (passages.length === 0) return noCommonCodec(formats);
  return offerTrunk(exchange, passages, direction, offer);
}

/** The trunk's answer, also a second one to the same offer (a later provisional or final response). */
export function trunkAnswered(exchange: Exchange, answer: Description): Turn | Refusal {
  const { agreed, pending, offeredToTrunk } = exchange;
  const offer = (pending?.to === "trunk" ? pending.behind : undefined) ?? agreed?.matrix;
  if (offer === undefined || offeredToTrunk.length === 0) return outOfTurn("an answer of the trunk without an offer");
  const formats = answeredFormats(answer.audio.formats, offeredToTrunk);
  const passages = pairFormats(offer.audio.formats, formats, "trunk");
  if (passages.length === 0) return noCommonCodec(answer.audio.formats);
  return answerClient(
    { ...exchange, pending: undefined },
    {
      passages: rememberOurNumbers(passages, "trunk", offeredToTrunk),
      directions: { matrix: offer.audio.direction, trunk: answer.audio.direction },
      matrix: offer,
      trunk: answer,
    },
    offer,
  );
}

/**
 * An offer of the trunk: a new call's, which becomes our offer to the client; or one inside the call, which is answered
 * without the client as long as the codec it speaks stays, and becomes our offer to it where that has to change.
 */
export function trunkOffered(exchange: Exchange, offer: Description): Turn | Refusal {
  const { agreed, codecs } = exchange;
  const formats = allowedFormats(offer.audio.formats, codecs);
  if (agreed === undefined) {
    if (exchange.pending?.to === "trunk") return outOfTurn("an offer of the trunk while ours is pending");
    return offerClient(exchange, clientCapability(codecs), formats, offer);
  }
  const { clientFormats } = agreed;
  const told = clientFormats.map(({ ours, ...format }) => ({ ...format, payloadType: ours }));
  const spoken = clientFormats[0];
  const passages = pairFormats(clientFormats, formats, "matrix");
  const next = passages[0]?.matrix;
  // The client goes on speaking what it was told to, so the trunk must still take it.
  if (next === undefined || spoken === undefined || !isSameCodec(next, spoken))
    return offerClient(exchange, agreed.matrix.audio.formats, formats, offer);
  return answerTrunk(
    exchange,
    {
      ...agreed,
      passages: rememberOurNumbers(passages, "matrix", told),
      directions: { ...agreed.directions, trunk: offer.audio.direction },
      trunk: offer,
    },
    offer,
  );
}

/** The client's answer to our offer, which answers the trunk's. */
export function clientAnswered(exchange: Exchange, answer: Description): Turn | Refusal {
  const { pending, codecs } = exchange;
  if (pending?.to !== "matrix" || pending.behind === undefined)
    return outOfTurn("an answer of the client without an offer");
  const offer = pending.behind;
  const formats = answeredFormats(answer.audio.formats, pending.formats);
  const passages = pairFormats(formats, allowedFormats(offer.audio.formats, codecs), "matrix");
  if (passages.length === 0) return noCommonCodec(answer.audio.formats);
  const agreed = rememberOurNumbers(passages, "matrix", pending.formats);
  return answerTrunk(
    { ...exchange, pending: undefined },
    {
      passages: agreed,
      clientFormats: agreed.map((each) => each.matrix),
      directions: { matrix: answer.audio.direction, trunk: offer.audio.direction },
      matrix: answer,
      trunk: offer,
    },
    offer,
  );
}

/** The trunk refused what the client offers: the client is answered by us alone, the trunk's media stays as it was. */
export function clientSettled(exchange: Exchange): Turn | Refusal {
  const { agreed, pending } = exchange;
  if (agreed === undefined || pending?.to !== "trunk" || pending.behind === undefined)
    return outOfTurn("no offer of the client to settle");
  const offer = pending.behind;
  const passages = keptPassages(agreed, offer.audio.formats);
  if (passages.length === 0) return noCommonCodec(offer.audio.formats);
  const directions = { ...agreed.directions, matrix: offer.audio.direction };
  return answerClient({ ...exchange, pending: undefined }, { ...agreed, passages, directions, matrix: offer }, offer);
}

/** What we have, as an offer for a trunk that asked for one. */
export function trunkDescribed(exchange: Exchange): Turn | Refusal {
  const { agreed } = exchange;
  if (agreed === undefined) return outOfTurn("nothing agreed to describe");
  return offerTrunk(exchange, agreed.passages, agreed.directions.matrix, undefined);
}

/** The agreed passages that the client still has, if the codec that is spoken is among them; else none. */
function keptPassages(agreed: Agreed, formats: readonly Format[]): readonly Passage[] {
  const trunkFormats = agreed.passages.map((each) => each.trunk);
  const kept = pairFormats(formats, trunkFormats, "trunk");
  const spoken = agreed.passages[0]?.trunk;
  if (spoken === undefined || kept[0] === undefined || !isSameCodec(kept[0].trunk, spoken)) return [];
  return rememberOurNumbers(kept, "trunk", writtenFormats(agreed.passages, "trunk"));
}

function offerTrunk(
  exchange: Exchange,
  passages: readonly Passage[],
  direction: Direction,
  behind: Description | undefined,
): Turn {
  const formats = writtenFormats(passages, "trunk");
  const pending: Pending = { to: "trunk", formats, behind };
  return {
    kind: "offer",
    to: "trunk",
    formats,
    direction,
    exchange: { ...exchange, pending, offeredToTrunk: formats },
  };
}

function offerClient(
  exchange: Exchange,
  clientFormats: readonly Format[],
  trunkFormats: readonly Format[],
  offer: Description,
): Turn | Refusal {
  const passages = pairFormats(clientFormats, trunkFormats, "trunk");
  if (passages.length === 0) return noCommonCodec(offer.audio.formats);
  const formats = writtenFormats(passages, "matrix");
  const pending: Pending = { to: "matrix", formats, behind: offer };
  return { kind: "offer", to: "matrix", formats, direction: toldClient, exchange: { ...exchange, pending } };
}

function answerClient(exchange: Exchange, agreed: Omit<Agreed, "clientFormats">, offer: Description): Turn {
  const clientFormats = agreed.passages.map((each) => each.matrix);
  return {
    kind: "answer",
    to: "matrix",
    formats: writtenFormats(agreed.passages, "matrix"),
    direction: answerTo(offer.audio.direction, toldClient),
    offer,
    exchange: { ...exchange, agreed: { ...agreed, clientFormats } },
  };
}

function answerTrunk(exchange: Exchange, agreed: Agreed, offer: Description): Turn {
  return {
    kind: "answer",
    to: "trunk",
    formats: writtenFormats(agreed.passages, "trunk"),
    direction: answerTo(offer.audio.direction, agreed.directions.matrix),
    offer,
    exchange: { ...exchange, agreed },
  };
}

function noCommonCodec(formats: readonly Format[]): Refusal {
  const names = formats.map((format) => format.name).join(" ");
  return { kind: "refusal", fault: "no-common-codec", message: `none of its formats goes through: ${names}` };
}

function outOfTurn(message: string): Refusal {
  return { kind: "refusal", fault: "bad-description", message };
}
