// Offer and answer between two legs with us in the middle (RFC 3264), as pure data: what is agreed, what is pending, and
// what has to be written next. A leg is a WebRTC client or a trunk. Transports, keys and texts are the engine's affair.
import type { MediaEnd } from "../../media-end.ts";
import { mediaEnds, otherEnd } from "../../media-end.ts";
import {
  allowedFormats,
  answeredFormats,
  pairFormats,
  pairForOffer,
  rememberOurNumbers,
  endFormats,
  isConverted,
  spokenPassages,
  withOthers,
  toldFormats,
  type LegFormat,
  type Passage,
} from "./agreement.ts";
import type { Description } from "../description.ts";
import { receives, sends, type Direction } from "../direction.ts";
import { isKnownCodec, isSameCodec, isTelephoneEvent, type Format } from "../format.ts";
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
  type EndTerms,
  type Turn,
} from "./turn.ts";

export function newExchange(ends: Exchange["ends"], conversions: Exchange["conversions"] = []): Exchange {
  return { ends, conversions, agreed: undefined, offered: undefined, isPending: false, told: toldAtFirst };
}

/**
 * Our direction, as the client should be offered it: it has not been told of the telephone's hold, or its end, or it may say
 * digits that nobody can read.
 */
export function untold({ ends, agreed, told }: Exchange): Direction | undefined {
  const client = mediaEnds.find((end) => ends[end].kind === "client");
  if (client === undefined || agreed === undefined) return undefined;
  const shown = shownToClient(agreed.directions[otherEnd(client)]);
  return shown === told && !mistakesClocks(agreed, client) ? undefined : shown;
}

/**
 * Of all clocks that it has agreed on for digits, a Chromium (156) takes the slowest, also when it speaks a codec of another: with
 * Opus, 160 ms are said as 240. It has to be offered the codec that it speaks, and that one's clock alone.
 */
function mistakesClocks({ passages, formats }: Agreed, client: MediaEnd): boolean {
  const clockRate = passages[0]?.[client].clockRate;
  const clocks = formats[client].filter(isTelephoneEvent).map((event) => event.clockRate);
  return clockRate !== undefined && clocks.includes(clockRate) && clocks.some((each) => each < clockRate);
}

/** Does audio of `from` reach the other end now? */
export function isOpen({ directions }: Agreed, from: MediaEnd): boolean {
  return sends(directions[from]) && receives(directions[otherEnd(from)]);
}

/** Is either end on hold, so that silence means nothing? */
export function isHeld({ directions }: Agreed): boolean {
  return mediaEnds.some((end) => directions[end] !== "sendrecv");
}

/** How a digit is told to `to`: the number it wants it under, and the clock of its duration. Undefined: it takes none. */
export function digitFormat(agreed: Agreed, to: MediaEnd): Format | undefined {
  const clockRate = agreed.passages[0]?.[to].clockRate;
  const events = agreed.formats[to].filter(isTelephoneEvent);
  return events.find((each) => each.clockRate === clockRate) ?? events[0];
}

/**
 * An offer of `from`: passed on to the other end, or answered at once where that need not hear of it. A trunk hears of
 * every change of direction; a client of a new codec only.
 */
export function offered(exchange: Exchange, from: MediaEnd, offer: Description): Turn | Refusal {
  const { agreed, ends } = exchange;
  const to = otherEnd(from);
  const formats = usable(ends[from], offer.audio.formats);
  const behind = { description: offer, isOffer: true, offered: [] };
  if (agreed === undefined) {
    if (exchange.isPending && exchange.offered?.to === from) return outOfTurn("an offer while ours is pending");
    const passages = pairForOfferTo(
      exchange,
      to,
      capability(ends[to]),
      formats,
      ends[from].kind === "trunk" ? from : to,
    );
    return passages.length === 0
      ? noCommonCodec(offer.audio.formats)
      : offerTurn(exchange, to, passages, offer.audio.direction, behind);
  }
  const before = agreed.directions[from];
  const direction = wordInOffer(offer.audio.direction, before, agreed.directions[to]);
  const kept = keptPassages(exchange, agreed, from, formats);
  if (kept.length > 0 && (ends[to].kind === "client" || direction === before))
    return answerAlone(exchange, agreed, from, kept, offer);
  const others = ends[to].kind === "client" ? agreed[to].audio.formats : capability(ends[to]);
  const leader = ends[from].kind === "trunk" ? from : to;
  const passages = kept.length > 0 ? kept : pairForOfferTo(exchange, to, others, formats, leader);
  return passages.length === 0
    ? noCommonCodec(offer.audio.formats)
    : offerTurn(exchange, to, passages, direction, behind);
}

/** The answer of `from` to our offer, which answers the other end's; or which becomes our offer to that, where we had begun. */
export function answered(exchange: Exchange, from: MediaEnd, answer: Description): Turn | Refusal {
  const { agreed, ends, offered: ours, isPending } = exchange;
  if (ours?.to !== from || (!isPending && ends[from].kind === "client")) return outOfTurn("an answer without an offer");
  const other = otherEnd(from);
  const { behind } = ours;
  const formats = answeredFormats(usable(ends[from], answer.audio.formats), ours.formats);
  if (behind === undefined && agreed === undefined) {
    const passages = pairForOfferTo(exchange, other, capability(ends[other]), formats, from);
    if (passages.length === 0) return noCommonCodec(answer.audio.formats);
    const word = { description: answer, isOffer: false, offered: ours.formats };
    return offerTurn(exchange, other, passages, answer.audio.direction, word);
  }
  const last = isPending ? (behind?.description ?? agreed?.[other]) : agreed?.[other];
  if (last === undefined) return outOfTurn("an answer without an offer");
  // Where we described ourselves inside a call, the other end goes on as it was agreed with it, number by number.
  const kept = agreed?.formats[other] ?? [];
  const listed = behind === undefined ? kept : usable(ends[other], last.audio.formats);
  const paired = pair(exchange, from, formats, listed, from);
  const chosen = ends[other].kind === "trunk" ? spokenPassages(paired) : paired;
  const passages = rememberOurNumbers(withOthers(chosen, from, formats, exchange.conversions), from, ours.formats);
  if (passages.length === 0) return noCommonCodec(answer.audio.formats);
  const numbered = rememberOurNumbers(passages, other, behind === undefined ? toldFormats(kept) : behind.offered);
  const next: Agreed = {
    ...pairOf(from, answer, last),
    passages: numbered,
    formats: pairOf(
      from,
      withOurs(endFormats(numbered, from, formats), ours.formats),
      behind === undefined ? kept : withOurs(endFormats(numbered, other, listed), behind.offered),
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

/** The other end refused what `from` offers: `from` is answered by us alone, the other's media stays as it was. */
export function settled(exchange: Exchange, from: MediaEnd): Turn | Refusal {
  const { agreed, offered: ours, isPending, ends } = exchange;
  const offer = ours?.behind?.description;
  if (agreed === undefined || !isPending || ours?.to === from || offer === undefined)
    return outOfTurn("no offer to settle");
  const kept = keptPassages(exchange, agreed, from, usable(ends[from], offer.audio.formats));
  return kept.length === 0 ? noCommonCodec(offer.audio.formats) : answerAlone(exchange, agreed, from, kept, offer);
}

/**
 * Ourselves, as an offer for `to`: in a new session all that may be spoken; in a running one the codec in use, which
 * whoever answers (another peer perhaps) has to speak as the other end does.
 */
export function described(exchange: Exchange, to: MediaEnd): Turn | Refusal {
  const { agreed, ends } = exchange;
  if (agreed === undefined) {
    if (exchange.offered !== undefined) return outOfTurn("an offer is on its way");
    const all = capability(ends[to]);
    const clocks = new Set(all.filter(isKnownCodec).map(({ clockRate }) => clockRate));
    const formats = all.filter(({ clockRate }) => clocks.has(clockRate));
    return {
      kind: "offer",
      to,
      formats,
      direction: toldAtFirst,
      exchange: {
        ...exchange,
        offered: { to, formats, direction: toldAtFirst, behind: undefined, mostPrice: 1 },
        isPending: true,
      },
    };
  }
  const other = otherEnd(to);
  const known = toldTo(agreed, to);
  const others = toldTo(agreed, other);
  // A client answers what it has answered before. At a trunk another peer may, with other codecs.
  const all =
    ends[to].kind === "client"
      ? spokenPassages(pair(exchange, to, known, others, other))
      : pairForOfferTo(exchange, to, [...known, ...unknown(capability(ends[to]), known)], others, other);
  const passages = all.some(isConverted) ? all : spokenPassages(all);
  if (passages.length === 0) return outOfTurn("nothing agreed to describe");
  return offerTurn(exchange, to, passages, agreed.directions[other], undefined);
}

/** Those of `formats` that a peer has neither been told nor been told others under their numbers. */
function unknown(formats: readonly Format[], known: readonly Format[]): Format[] {
  return formats.filter((each) => !known.some((one) => one.payloadType === each.payloadType || isSameCodec(one, each)));
}

/** Glare: the other end has offered, and `from`, instead of answering what we made of it, offers by itself. */
export function crossed(exchange: Exchange, from: MediaEnd, offer: Description): CrossedTurn | Refusal {
  const { offered: ours, ends, agreed } = exchange;
  const behind = ours?.behind;
  if (agreed !== undefined || !exchange.isPending || ours?.to !== from || behind?.isOffer !== true)
    return outOfTurn("no offer of the other end to cross");
  const other = otherEnd(from);
  const own = usable(ends[from], offer.audio.formats);
  const others = usable(ends[other], behind.description.audio.formats);
  const passages = spokenPassages(pair(exchange, from, own, others, other));
  if (passages.length === 0) return noCommonCodec(offer.audio.formats);
  const next: Agreed = {
    ...pairOf(from, offer, behind.description),
    passages,
    formats: pairOf(from, endFormats(passages, from, own), endFormats(passages, other, others)),
    directions: pairOf(from, offer.audio.direction, behind.description.audio.direction),
  };
  const after = { ...exchange, agreed: next, isPending: false };
  const one = answerTurn(after, next, from, offer, undefined);
  const two = answerTurn(one.exchange, next, other, behind.description, undefined);
  return { kind: "crossed", ...pairOf(from, one, two), exchange: two.exchange };
}

/** A trunk may speak what it is configured for; of a client all that it lists, as the trunk limits it. */
function usable({ kind, codecs, events }: EndTerms, formats: readonly Format[]): readonly Format[] {
  return kind === "client" ? formats : withEvents(allowedFormats(formats, codecs), events);
}

function toldTo(agreed: Agreed | undefined, end: MediaEnd): Format[] {
  return toldFormats(agreed?.formats[end] ?? []);
}

function pairOf<Value>(end: MediaEnd, own: Value, others: Value): Record<MediaEnd, Value> {
  return end === "a" ? { a: own, b: others } : { a: others, b: own };
}

function pair(
  { conversions }: Exchange,
  end: MediaEnd,
  own: readonly Format[],
  others: readonly Format[],
  leader: MediaEnd,
): readonly Passage[] {
  return pairFormats(pairOf(end, own, others), leader, conversions);
}

/** What `to`, which may speak `own`, is offered of it where the other end has listed `others`. */
function pairForOfferTo(
  { conversions, ends }: Exchange,
  to: MediaEnd,
  own: readonly Format[],
  others: readonly Format[],
  leader: MediaEnd,
): readonly Passage[] {
  return pairForOffer(pairOf(to, own, others), leader, conversions, { end: to, kind: ends[to].kind });
}

/** After an answer to our offer of `offered`: the number under which it sends each format. */
function withOurs(formats: readonly LegFormat[], numbers: readonly Format[]): readonly LegFormat[] {
  return formats.map((each) => ({
    ...each,
    ours: numbers.find((format) => isSameCodec(format, each))?.payloadType ?? each.ours,
  }));
}

/** The passages that stay as `from` lists `formats`, if the codec that the other end speaks is among them; else none. */
function keptPassages(
  exchange: Exchange,
  agreed: Agreed,
  from: MediaEnd,
  formats: readonly Format[],
): readonly Passage[] {
  const other = otherEnd(from);
  const kept = pair(exchange, from, formats, agreed.formats[other], other);
  // One that both have is better than to convert, although the other end has to be asked for it.
  const listed = usable(exchange.ends[other], agreed[other].audio.formats);
  if (kept[0] !== undefined && isConverted(kept[0]) && pairFormats(pairOf(from, formats, listed), from, []).length > 0)
    return [];
  const spoken = agreed.formats[other].find(isKnownCodec);
  if (spoken === undefined || kept[0] === undefined || !isSameCodec(kept[0][other], spoken)) return [];
  return rememberOurNumbers(kept, other, toldTo(agreed, other));
}

/** Whoever answers has taken our offer. */
function toldNow({ ends }: Exchange, from: MediaEnd, direction: Direction): Partial<Exchange> {
  return ends[from].kind === "client" ? { told: direction } : {};
}

/** `from` offered what needs nothing of the other end. */
function answerAlone(
  exchange: Exchange,
  agreed: Agreed,
  from: MediaEnd,
  kept: readonly Passage[],
  offer: Description,
): AnswerTurn {
  const passages = exchange.ends[from].kind === "trunk" ? spokenPassages(kept) : kept;
  const listed = usable(exchange.ends[from], offer.audio.formats);
  const next: Agreed = {
    ...agreed,
    [from]: offer,
    passages,
    formats: { ...agreed.formats, [from]: endFormats(passages, from, listed) },
    directions: {
      ...agreed.directions,
      [from]: wordInOffer(offer.audio.direction, agreed.directions[from], agreed.directions[otherEnd(from)]),
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
