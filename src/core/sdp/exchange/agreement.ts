// Which formats go through a call, as pure functions over what the two ends listed: a codec that both have, under the
// payload type each of them chose; and only where there is none, two codecs that can be turned into each other.
import type { MediaEnd } from "../../media-end.ts";
import { mediaEnds, otherEnd } from "../../media-end.ts";
import {
  canonicalName,
  isKnownCodec,
  isSameCodec,
  isTelephoneEvent,
  isWideband,
  offeredCodecs,
  opusName,
  telephoneEventName,
  type Format,
} from "../format.ts";
import { isCertain, priceOf, type Conversion } from "./conversion.ts";

/** A format as one leg knows it: `payloadType` is what the peer wants to get, `ours` what we asked it to send. */
export interface LegFormat extends Format {
  readonly ours: number;
}

/** One format on both legs, or two that the engine turns into each other. */
export type Passage = Readonly<Record<MediaEnd, LegFormat>>;

export function isConverted({ a, b }: Passage): boolean {
  return a.name !== b.name;
}

/** How a packet of one payload type leaves on the other leg. */
export interface Crossing {
  readonly payloadType: number;
  readonly name: string;
  readonly isEvent: boolean;
  /** False: only listened to, as the other leg does not take it. */
  readonly isRelayed: boolean;
  /** Hz of the format on the leg it comes from, and on the one it goes to. They differ for events and converted audio. */
  readonly fromClockRate: number;
  readonly toClockRate: number;
  /** The codec that has to be turned into `name`; undefined: packets pass as they are. */
  readonly converts?: Converted | undefined;
}

interface Converted {
  readonly from: string;
  /** What the receiver wishes of the codec that it gets: its `a=fmtp`, and its `a=ptime` where it said one. */
  readonly wishes: string;
  readonly ptimeMs: number | undefined;
}

function event(payloadType: number, clockRate: number): Format {
  return { payloadType, name: telephoneEventName, clockRate, channels: 1, parameters: "" };
}

/** What we can offer a trunk: its codecs in its order, and telephone-event in the clocks of both kinds of codec. */
export function trunkCapability(codecs: readonly string[]): Format[] {
  return [...offeredCodecs(codecs), event(101, 8000), event(102, 48_000)];
}

/** What we can offer a client; the numbers are those that browsers use themselves. */
export function clientCapability(codecs: readonly string[]): Format[] {
  return [...offeredCodecs(codecs), event(126, 8000), event(110, 48_000)];
}

/** `formats` under the numbers that they have in `known` already; no number of another codec's is used again. */
export function underNumbers(formats: readonly Format[], known: readonly Format[]): Format[] {
  if (known.length === 0) return [...formats];
  const taken = new Set(known.map(({ payloadType }) => payloadType));
  return formats.map((format) => {
    const before = known.find((each) => isSameCodec(each, format));
    if (before !== undefined) return { ...format, payloadType: before.payloadType };
    const payloadType = taken.has(format.payloadType) ? (firstFree(taken) ?? format.payloadType) : format.payloadType;
    taken.add(payloadType);
    return { ...format, payloadType };
  });
}

/** Of the dynamic numbers (RFC 3551 s6). */
function firstFree(taken: ReadonlySet<number>): number | undefined {
  for (let number = 96; number <= 127; number += 1) if (!taken.has(number)) return number;
  return undefined;
}

/** Only the formats whose codec the trunk is configured for, and events. */
export function allowedFormats(formats: readonly Format[], codecs: readonly string[]): Format[] {
  const names = new Set(codecs.map(canonicalName));
  return formats.filter((format) => names.has(format.name) || isTelephoneEvent(format));
}

/** What both ends list. */
export type Lists = Readonly<Record<MediaEnd, readonly Format[]>>;

/**
 * Pairs what both ends list. Codecs come in the order of `leader`'s list; events follow, matched by the clocks of the
 * codecs (RFC 4733 s2.1: with G.711 the 48 kHz event is six times too long). Codecs are converted only where none is in
 * common. Empty: there is no way.
 */
export function pairFormats(lists: Lists, leader: MediaEnd, conversions: readonly Conversion[]): readonly Passage[] {
  const common = commonPassages(lists, leader);
  if (common.length > 0) return withEventPassages(common, lists);
  return withEventPassages(convertedPassages(lists, leader, conversions), lists);
}

/**
 * The same for an offer to `to`, which may not take what is in common: unless a codec that it takes for certain is, those
 * follow that can be converted. A client has Opus, so that it is offered none of the others.
 */
export function pairForOffer(
  lists: Lists,
  leader: MediaEnd,
  conversions: readonly Conversion[],
  to: { readonly end: MediaEnd; readonly kind: "client" | "trunk" },
): readonly Passage[] {
  const common = commonPassages(lists, leader);
  const sure = lists[to.end].filter(({ name }) => isCertain(to.kind, name));
  const listed = (formats: readonly Format[], each: Passage): boolean =>
    formats.some((format) => isSameCodec(format, each[to.end]));
  if (common.some((each) => listed(sure, each))) return withEventPassages(common, lists);
  const taken = common.map((each) => each[to.end]);
  const converted = convertedPassages(to.kind === "client" ? { ...lists, [to.end]: sure } : lists, leader, conversions);
  return withEventPassages([...common, ...converted.filter((each) => !listed(taken, each))], lists);
}

function commonPassages(lists: Lists, leader: MediaEnd): Passage[] {
  return lists[leader].filter(isKnownCodec).flatMap((format) => {
    const other = lists[otherEnd(leader)].find((each) => isSameCodec(each, format));
    return other === undefined ? [] : [passageOf(leader, format, other)];
  });
}

/** The cheapest first; wideband before or behind all others, as the ends list the codecs. */
function convertedPassages(lists: Lists, leader: MediaEnd, conversions: readonly Conversion[]): readonly Passage[] {
  const others = lists[otherEnd(leader)].filter(isKnownCodec);
  const all = lists[leader]
    .filter(isKnownCodec)
    .flatMap((format) =>
      others.flatMap((other) => {
        const price = priceOf(conversions, format.name, other.name);
        return price === undefined ? [] : [{ price, passage: passageOf(leader, format, other) }];
      }),
    )
    .toSorted((one, other) => one.price - other.price)
    .map(({ passage }) => passage);
  const [wide, narrow] = [all.filter(isWide), all.filter((each) => !isWide(each))];
  const first = (passages: readonly Passage[], end: MediaEnd): number =>
    lists[end].findIndex((format) => passages.some((each) => isSameCodec(each[end], format)));
  const isGain = mediaEnds.every((end) => first(wide, end) <= first(narrow, end));
  return isGain ? [...wide, ...narrow] : [...narrow, ...wide];
}

function isWide({ a, b }: Passage): boolean {
  return isWideband(a) && isWideband(b);
}

function withEventPassages(codecs: readonly Passage[], { a, b }: Lists): readonly Passage[] {
  return codecs.length === 0 ? [] : [...codecs, ...eventPassages(codecs, a, b)];
}

/**
 * `end` may speak any codec that it has listed in its answer: those that have no passage are turned into what is spoken at the
 * other end, if they can be. It may say digits in any clock of its answer, whichever codec it speaks.
 */
export function withOthers(
  passages: readonly Passage[],
  end: MediaEnd,
  formats: readonly Format[],
  conversions: readonly Conversion[],
): readonly Passage[] {
  const [spoken] = passages;
  if (spoken === undefined) return [];
  const { [otherEnd(end)]: to } = spoken;
  const event = passages.find((each) => isTelephoneEvent(each[end]));
  const others = formats
    .filter((format) => !passages.some((each) => isSameCodec(each[end], format)))
    .flatMap((format) => {
      if (isTelephoneEvent(format)) return event === undefined ? [] : [passageOf(end, format, event[otherEnd(end)])];
      const isAble =
        isSameCodec(format, to) || (isKnownCodec(format) && priceOf(conversions, format.name, to.name) !== undefined);
      return isAble ? [passageOf(end, format, to)] : [];
    });
  return [...passages, ...others];
}

function passageOf(end: MediaEnd, own: Format, other: Format): Passage {
  return passage(end === "a" ? [own, other] : [other, own]);
}

function passage([a, b]: readonly [Format, Format]): Passage {
  return { a: { ...a, ours: a.payloadType }, b: { ...b, ours: b.payloadType } };
}

function eventOf(formats: readonly Format[], clockRate: number): Format | undefined {
  return formats.find((format) => isTelephoneEvent(format) && format.clockRate === clockRate);
}

function eventPassages(codecs: readonly Passage[], a: readonly Format[], b: readonly Format[]): Passage[] {
  const passages: Passage[] = [];
  const clocks = new Map(codecs.map((codec) => [`${codec.a.clockRate} ${codec.b.clockRate}`, codec]));
  for (const [index, codec] of [...clocks.values()].entries()) {
    const exact = [eventOf(a, codec.a.clockRate), eventOf(b, codec.b.clockRate)] as const;
    // Digits of the codec that will be spoken must get through, if need be with their durations converted.
    const [one, other] =
      index > 0 ? exact : [exact[0] ?? a.find(isTelephoneEvent), exact[1] ?? b.find(isTelephoneEvent)];
    if (one !== undefined && other !== undefined) passages.push(passage([one, other]));
  }
  return passages;
}

/** After `end` answered an offer of ours: it sends by the numbers of that offer, whatever it wrote itself. */
export function rememberOurNumbers(
  passages: readonly Passage[],
  end: MediaEnd,
  offered: readonly Format[],
): readonly Passage[] {
  return passages.map((each) => {
    const ours = offered.find((format) => isSameCodec(format, each[end]))?.payloadType ?? each[end].payloadType;
    return { ...each, [end]: { ...each[end], ours } };
  });
}

/** An answer may only take from the offer (RFC 3264 s6.1): what else it lists is dropped. */
export function answeredFormats(answer: readonly Format[], offered: readonly Format[]): Format[] {
  return answer.filter((format) => offered.some((each) => isSameCodec(each, format)));
}

/** The same by hand: numbers that a end was told before. */
export function toldFormats(formats: readonly LegFormat[]): Format[] {
  return formats.map(({ ours, ...format }) => ({ ...format, payloadType: ours }));
}

/** The first codec and its events: what is really spoken. */
export function spokenPassages(passages: readonly Passage[]): readonly Passage[] {
  const [spoken] = passages;
  if (spoken === undefined) return [];
  const events = passages.filter((each) => isTelephoneEvent(each.a));
  const exact = events.filter((each) => each.a.clockRate === spoken.a.clockRate);
  return [spoken, ...(exact.length > 0 ? exact : events.slice(0, 1))];
}

/**
 * All that `end` may send: its part of the passages, and an event of `formats` in the clock of the codec even where the
 * other end takes none, so that a digit is known and can be told in another way.
 */
export function endFormats(
  passages: readonly Passage[],
  end: MediaEnd,
  formats: readonly Format[],
): readonly LegFormat[] {
  const passing = passages
    .map((each) => each[end])
    .filter((each, index, all) => all.findIndex((one) => isSameCodec(one, each)) === index);
  const clockRate = passing[0]?.clockRate;
  if (clockRate === undefined || passing.some(isTelephoneEvent)) return passing;
  const event = eventOf(formats, clockRate) ?? formats.find(isTelephoneEvent);
  return event === undefined ? passing : [...passing, { ...event, ours: event.payloadType }];
}

/** What to write of `formats` to `end`, under our numbers. Opus parameters are the other end's wishes, or ours where we decode. */
export function writtenFormats(
  formats: readonly LegFormat[],
  passages: readonly Passage[],
  end: MediaEnd,
  events: string,
): Format[] {
  const written = new Map<number, Format>();
  for (const { ours: payloadType, name, clockRate, channels } of formats) {
    if (written.has(payloadType)) continue;
    const parameters = name === telephoneEventName ? events : name === opusName ? opusParameters(passages, end) : "";
    written.set(payloadType, { payloadType, name, clockRate, channels, parameters });
  }
  return [...written.values()];
}

/** For what is turned into another codec and back, of which no more is heard (RFC 7587 s6.1). */
const limitedTo = (rate: number): string => `maxplaybackrate=${rate};sprop-maxcapturerate=${rate};useinbandfec=1`;

function opusParameters(passages: readonly Passage[], end: MediaEnd): string {
  const other = passages.find((each) => each[end].name === opusName)?.[otherEnd(end)];
  return other === undefined || other.name === opusName
    ? (other?.parameters ?? "")
    : limitedTo(other.name === "G722" ? 16_000 : 8000);
}

/**
 * By payload type: how packets that come from `from` leave on the other end. What is not in it is not forwarded.
 * @param ptimeMs what the other end wishes
 */
export function crossings(
  passages: readonly Passage[],
  from: MediaEnd,
  ptimeMs?: number,
): ReadonlyMap<number, Crossing> {
  const map = new Map<number, Crossing>();
  const take = (number: number, each: Passage): void => {
    if (map.has(number)) return;
    const { [from]: own, [otherEnd(from)]: to } = each;
    map.set(number, {
      payloadType: to.payloadType,
      name: to.name,
      isEvent: isTelephoneEvent(to),
      isRelayed: true,
      fromClockRate: own.clockRate,
      toClockRate: to.clockRate,
      converts: own.name === to.name ? undefined : { from: own.name, wishes: to.parameters, ptimeMs },
    });
  };
  for (const each of passages) take(each[from].ours, each);
  // Some answerers send by the number they wrote instead of the one they were offered.
  for (const each of passages) take(each[from].payloadType, each);
  return map;
}

/** The same with the events of `formats` that end here: they are listened to. */
export function crossingsWithDigits(
  passages: readonly Passage[],
  from: MediaEnd,
  formats: readonly LegFormat[],
  ptimeMs?: number,
): ReadonlyMap<number, Crossing> {
  const map = new Map(crossings(passages, from, ptimeMs));
  for (const { ours, payloadType, name, clockRate } of formats.filter(isTelephoneEvent)) {
    const listened = { name, isEvent: true, isRelayed: false, fromClockRate: clockRate, toClockRate: clockRate };
    for (const number of [ours, payloadType])
      if (!map.has(number)) map.set(number, { payloadType: number, ...listened });
  }
  return map;
}

/** The codec that is spoken at each end, for logs and statistics. */
export function spokenCodecs(passages: readonly Passage[]): Readonly<Record<MediaEnd, string>> | undefined {
  const [spoken] = passages;
  return spoken && { a: spoken.a.name, b: spoken.b.name };
}
