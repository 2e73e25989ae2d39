// Offer and answer between two legs with us in the middle (RFC 3264), as pure data: what is agreed, what is pending, and
// what has to be written next. A leg is a WebRTC client or a trunk. Transports, keys and texts are the engine's affair.
import type { MediaSide } from "../call/model/media-side.ts";
import { otherSide } from "../call/model/media-side.ts";
import {
  allowedFormats,
  answeredFormats,
  pairFormats,
  rememberOurNumbers,
  sideFormats,
  spokenPassages,
  toldFormats,
  type LegFormat,
  type Passage,
} from "./agreement.ts";
import type { Description } from "./description.ts";
import { receives, sends, type Direction } from "./direction.ts";
import { isKnownCodec, isSameCodec, isTelephoneEvent, type Format } from "./format.ts";
import { shownToClient, wordInAnswer, wordInOffer } from "./hold.ts";
import {
  answerTurn,
  capability,
  offerTurn,
  toldAtFirst,
  withEvents,
  type Agreed,
  type AnswerTurn,
  type CrossedTurn,
  type Exchange,
  type Refusal,
  type SideTerms,
  type Turn,
} from "./turn.ts";

export function newExchange(sides: Exchange["sides"]): Exchange {
  return { sides, agreed: undefined, offered: undefined, isPending: false, told: toldAtFirst };
}

/** What the client should be shown of the telephone's hold, or its end, and has not been told. */
export function untold({ sides, agreed, told }: Exchange): Direction | undefined {
  if (sides.matrix.kind !== "client" || agreed === undefined) return undefined;
  const shown = shownToClient(agreed.directions.trunk);
  return shown === told ? undefined : shown;
}

/** Does audio of `from` reach the other side now? */
export function isOpen({ directions }: Agreed, from: MediaSide): boolean {
  return sends(directions[from]) && receives(directions[otherSide(from)]);
}

/** Is either side on hold, so that silence means nothing? */
export function isHeld({ directions }: Agreed): boolean {
  return directions.matrix !== "sendrecv" || directions.trunk !== "sendrecv";
}

/** How a key is told to `to`: the number it wants it under, and the clock of its duration. Undefined: it takes none. */
export function keyFormat(agreed: Agreed, to: MediaSide): Format | undefined {
  const clockRate = agreed.passages[0]?.[to].clockRate;
  const events = agreed.formats[to].filter(isTelephoneEvent);
  return events.find((each) => each.clockRate === clockRate) ?? events[0];
}

/**
 * An offer of `from`: passed on to the other side, or answered at once where that need not hear of it. A trunk hears of
 * every change of direction; a client of a new codec only.
 */
export function offered(exchange: Exchange, from: MediaSide, offer: Description): Turn | Refusal {
  const { agreed, sides } = exchange;
  const to = otherSide(from);
  const formats = usable(sides[from], offer.audio.formats);
  const behind = { description: offer, isOffer: true, offered: [] };
  if (agreed === undefined) {
    if (exchange.isPending && exchange.offered?.to === from) return outOfTurn("an offer while ours is pending");
    const passages = pair(from, formats, capability(sides[to]), sides[from].kind === "trunk" ? from : to);
    return passages.length === 0
      ? noCommonCodec(offer.audio.formats)
      : offerTurn(exchange, to, passages, offer.audio.direction, behind);
  }
  const before = agreed.directions[from];
  const direction = wordInOffer(offer.audio.direction, before, agreed.directions[to]);
  const kept = keptPassages(agreed, from, formats);
  if (kept.length > 0 && (sides[to].kind === "client" || direction === before))
    return answerAlone(exchange, agreed, from, kept, offer);
  const others = sides[to].kind === "client" ? agreed[to].audio.formats : capability(sides[to]);
  const passages = kept.length > 0 ? kept : pair(from, formats, others, sides[from].kind === "trunk" ? from : to);
  return passages.length === 0
    ? noCommonCodec(offer.audio.formats)
    : offerTurn(exchange, to, passages, direction, behind);
}

/** The answer of `from` to our offer, which answers the other side's; or which becomes our offer to that, where we had begun. */
export function answered(exchange: Exchange, from: MediaSide, answer: Description): Turn | Refusal {
  const { agreed, sides, offered: ours, isPending } = exchange;
  if (ours?.to !== from || (!isPending && sides[from].kind === "client"))
    return outOfTurn("an answer without an offer");
  const other = otherSide(from);
  const { behind } = ours;
  const formats = answeredFormats(usable(sides[from], answer.audio.formats), ours.formats);
  if (behind === undefined && agreed === undefined) {
    const passages = pair(from, formats, capability(sides[other]), from);
    if (passages.length === 0) return noCommonCodec(answer.audio.formats);
    const word = { description: answer, isOffer: false, offered: ours.formats };
    return offerTurn(exchange, other, passages, answer.audio.direction, word);
  }
  const last = isPending ? (behind?.description ?? agreed?.[other]) : agreed?.[other];
  if (last === undefined) return outOfTurn("an answer without an offer");
  // Where we described ourselves inside a call, the other side goes on as it was agreed with it, number by number.
  const kept = agreed?.formats[other] ?? [];
  const listed = behind === undefined ? kept : usable(sides[other], last.audio.formats);
  const paired = rememberOurNumbers(pair(from, formats, listed, from), from, ours.formats);
  const passages = sides[other].kind === "trunk" ? spokenPassages(paired) : paired;
  if (passages.length === 0) return noCommonCodec(answer.audio.formats);
  const numbered = rememberOurNumbers(passages, other, behind === undefined ? toldFormats(kept) : behind.offered);
  const next: Agreed = {
    ...pairOf(from, answer, last),
    passages: numbered,
    formats: pairOf(
      from,
      withOurs(sideFormats(numbered, from, formats), ours.formats),
      behind === undefined ? kept : withOurs(sideFormats(numbered, other, listed), behind.offered),
    ),
    directions: pairOf(
      from,
      wordInAnswer(answer.audio.direction, ours.direction, agreed?.directions[from] ?? "sendrecv"),
      agreed !== undefined && last === agreed[other] ? agreed.directions[other] : last.audio.direction,
    ),
  };
  const after = { ...exchange, agreed: next, isPending: false, ...toldNow(exchange, from, ours.direction) };
  return behind?.isOffer === true ? answerTurn(after, next, other, last, agreed) : { kind: "settled", exchange: after };
}

/** The other side refused what `from` offers: `from` is answered by us alone, the other's media stays as it was. */
export function settled(exchange: Exchange, from: MediaSide): Turn | Refusal {
  const { agreed, offered: ours, isPending, sides } = exchange;
  const offer = ours?.behind?.description;
  if (agreed === undefined || !isPending || ours?.to === from || offer === undefined)
    return outOfTurn("no offer to settle");
  const kept = keptPassages(agreed, from, usable(sides[from], offer.audio.formats));
  return kept.length === 0 ? noCommonCodec(offer.audio.formats) : answerAlone(exchange, agreed, from, kept, offer);
}

/**
 * Ourselves, as an offer for `to`: in a new session all that may be spoken; in a running one the codec in use, which
 * whoever answers (another peer perhaps) has to speak as the other side does.
 */
export function described(exchange: Exchange, to: MediaSide): Turn | Refusal {
  const { agreed, sides } = exchange;
  if (agreed === undefined) {
    if (exchange.offered !== undefined) return outOfTurn("an offer is on its way");
    const all = capability(sides[to]);
    const clocks = new Set(all.filter(isKnownCodec).map(({ clockRate }) => clockRate));
    const formats = all.filter(({ clockRate }) => clocks.has(clockRate));
    return {
      kind: "offer",
      to,
      formats,
      direction: toldAtFirst,
      exchange: {
        ...exchange,
        offered: { to, formats, direction: toldAtFirst, behind: undefined },
        isPending: true,
      },
    };
  }
  const other = otherSide(to);
  const known = toldTo(agreed, to);
  const more = capability(sides[to]).filter(
    (each) => !known.some((one) => one.payloadType === each.payloadType || isSameCodec(one, each)),
  );
  const passages = spokenPassages(pair(to, [...known, ...more], toldTo(agreed, other), other));
  if (passages.length === 0) return outOfTurn("nothing agreed to describe");
  return offerTurn(exchange, to, passages, agreed.directions[other], undefined);
}

/** Glare: the trunk has offered, and the client, instead of answering what we made of it, offers by itself. */
export function crossed(exchange: Exchange, offer: Description): CrossedTurn | Refusal {
  const { offered: ours, sides, agreed } = exchange;
  const other = ours?.behind;
  if (agreed !== undefined || !exchange.isPending || ours?.to !== "matrix" || other?.isOffer !== true)
    return outOfTurn("no offer of the trunk to cross");
  const trunk = other.description;
  const formats = { matrix: offer.audio.formats, trunk: usable(sides.trunk, trunk.audio.formats) };
  const passages = spokenPassages(pairFormats(formats.matrix, formats.trunk, "trunk"));
  if (passages.length === 0) return noCommonCodec(offer.audio.formats);
  const next: Agreed = {
    matrix: offer,
    trunk,
    passages,
    formats: {
      matrix: sideFormats(passages, "matrix", formats.matrix),
      trunk: sideFormats(passages, "trunk", formats.trunk),
    },
    directions: { matrix: offer.audio.direction, trunk: trunk.audio.direction },
  };
  const after = { ...exchange, agreed: next, isPending: false };
  return {
    kind: "crossed",
    matrix: answerTurn(after, next, "matrix", offer, undefined),
    trunk: answerTurn(after, next, "trunk", trunk, undefined),
  };
}

/** A trunk may speak what it is configured for; of a client all that it lists, as the trunk limits it. */
function usable({ kind, codecs, events }: SideTerms, formats: readonly Format[]): readonly Format[] {
  return kind === "client" ? formats : withEvents(allowedFormats(formats, codecs), events);
}

function toldTo(agreed: Agreed | undefined, side: MediaSide): Format[] {
  return toldFormats(agreed?.formats[side] ?? []);
}

function pairOf<Value>(side: MediaSide, own: Value, others: Value): Record<MediaSide, Value> {
  return side === "matrix" ? { matrix: own, trunk: others } : { matrix: others, trunk: own };
}

function pair(
  side: MediaSide,
  own: readonly Format[],
  others: readonly Format[],
  leader: MediaSide,
): readonly Passage[] {
  const { matrix, trunk } = pairOf(side, own, others);
  return pairFormats(matrix, trunk, leader);
}

/** After an answer to our offer of `offered`: the number under which it sends each format. */
function withOurs(formats: readonly LegFormat[], numbers: readonly Format[]): readonly LegFormat[] {
  return formats.map((each) => ({
    ...each,
    ours: numbers.find((format) => isSameCodec(format, each))?.payloadType ?? each.ours,
  }));
}

/** The passages that stay as `from` lists `formats`, if the codec that the other side speaks is among them; else none. */
function keptPassages(agreed: Agreed, from: MediaSide, formats: readonly Format[]): readonly Passage[] {
  const other = otherSide(from);
  const kept = pair(from, formats, agreed.formats[other], other);
  const spoken = agreed.formats[other].find(isKnownCodec);
  if (spoken === undefined || kept[0] === undefined || !isSameCodec(kept[0][other], spoken)) return [];
  return rememberOurNumbers(kept, other, toldTo(agreed, other));
}

/** Whoever answers has taken our offer. */
function toldNow({ sides }: Exchange, from: MediaSide, direction: Direction): Partial<Exchange> {
  return sides[from].kind === "client" ? { told: direction } : {};
}

/** `from` offered what needs nothing of the other side. */
function answerAlone(
  exchange: Exchange,
  agreed: Agreed,
  from: MediaSide,
  kept: readonly Passage[],
  offer: Description,
): AnswerTurn {
  const passages = exchange.sides[from].kind === "trunk" ? spokenPassages(kept) : kept;
  const listed = usable(exchange.sides[from], offer.audio.formats);
  const next: Agreed = {
    ...agreed,
    ...(from === "matrix" ? { matrix: offer } : { trunk: offer }),
    passages,
    formats: { ...agreed.formats, [from]: sideFormats(passages, from, listed) },
    directions: {
      ...agreed.directions,
      [from]: wordInOffer(offer.audio.direction, agreed.directions[from], agreed.directions[otherSide(from)]),
    },
  };
  return answerTurn({ ...exchange, agreed: next, isPending: false }, next, from, offer, agreed);
}

function noCommonCodec(formats: readonly Format[]): Refusal {
  const names = formats.map((format) => format.name).join(" ");
  return { kind: "refusal", fault: "no-common-codec", message: `none of its formats goes through: ${names}` };
}

function outOfTurn(message: string): Refusal {
  return { kind: "refusal", fault: "bad-description", message };
}
