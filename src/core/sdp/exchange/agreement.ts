// Which formats go through a call, as pure functions over what the two ends listed: nothing is transcoded, so a
// codec passes only if both have it, under the payload type each of them chose.
import type { MediaEnd } from "../../media-end.ts";
import { otherEnd } from "../../media-end.ts";
import {
  canonicalName,
  isKnownCodec,
  isSameCodec,
  isTelephoneEvent,
  offeredCodecs,
  telephoneEventName,
  type Format,
} from "../format.ts";

/** A format as one leg knows it: `payloadType` is what the peer wants to get, `ours` what we asked it to send. */
export interface LegFormat extends Format {
  readonly ours: number;
}

/** One format on both legs. */
export type Passage = Readonly<Record<MediaEnd, LegFormat>>;

/** How a packet of one payload type leaves on the other leg. */
export interface Crossing {
  readonly payloadType: number;
  readonly name: string;
  readonly isEvent: boolean;
  /** False: only listened to, as the other leg does not take it. */
  readonly isRelayed: boolean;
  /** Hz of the format on the leg it comes from, and on the one it goes to. They differ for events at most. */
  readonly fromClockRate: number;
  readonly toClockRate: number;
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

/**
 * Pairs what both ends list. Codecs come in the order of `leader`'s list; events follow, matched by the clock of the
 * codecs (RFC 4733 s2.1: with G.711 the 48 kHz event is six times too long). Without a codec in common: empty.
 */
export function pairFormats(a: readonly Format[], b: readonly Format[], leader: MediaEnd): readonly Passage[] {
  const lists = { a, b };
  const codecs: Passage[] = [];
  for (const format of lists[leader].filter(isKnownCodec)) {
    const other = lists[otherEnd(leader)].find((each) => isSameCodec(each, format));
    if (other !== undefined) codecs.push(passage(leader === "a" ? [format, other] : [other, format]));
  }
  return codecs.length === 0 ? [] : [...codecs, ...eventPassages(codecs, a, b)];
}

function passage([a, b]: readonly [Format, Format]): Passage {
  return { a: { ...a, ours: a.payloadType }, b: { ...b, ours: b.payloadType } };
}

function eventOf(formats: readonly Format[], clockRate: number): Format | undefined {
  return formats.find((format) => isTelephoneEvent(format) && format.clockRate === clockRate);
}

function eventPassages(codecs: readonly Passage[], a: readonly Format[], b: readonly Format[]): Passage[] {
  const passages: Passage[] = [];
  const clocks = [...new Set(codecs.map((codec) => codec.a.clockRate))];
  for (const [index, clockRate] of clocks.entries()) {
    const exact = [eventOf(a, clockRate), eventOf(b, clockRate)] as const;
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
  const passing = passages.map((each) => each[end]);
  const clockRate = passing[0]?.clockRate;
  if (clockRate === undefined || passing.some(isTelephoneEvent)) return passing;
  const event = eventOf(formats, clockRate) ?? formats.find(isTelephoneEvent);
  return event === undefined ? passing : [...passing, { ...event, ours: event.payloadType }];
}

/** What to write of `formats` to `end`, under our numbers. Opus parameters are the other end's wishes, passed on. */
export function writtenFormats(
  formats: readonly LegFormat[],
  passages: readonly Passage[],
  end: MediaEnd,
  events: string,
): Format[] {
  const written = new Map<number, Format>();
  for (const { ours: payloadType, name, clockRate, channels } of formats) {
    if (written.has(payloadType)) continue;
    const wish = name === "opus" ? passages.find((each) => each[end].name === "opus") : undefined;
    const parameters = name === telephoneEventName ? events : (wish?.[otherEnd(end)].parameters ?? "");
    written.set(payloadType, { payloadType, name, clockRate, channels, parameters });
  }
  return [...written.values()];
}

/** By payload type: how packets that come from `from` leave on the other end. What is not in it is not forwarded. */
export function crossings(passages: readonly Passage[], from: MediaEnd): ReadonlyMap<number, Crossing> {
  const map = new Map<number, Crossing>();
  const take = (number: number, each: Passage): void => {
    if (map.has(number)) return;
    const to = each[otherEnd(from)];
    map.set(number, {
      payloadType: to.payloadType,
      name: to.name,
      isEvent: isTelephoneEvent(to),
      isRelayed: true,
      fromClockRate: each[from].clockRate,
      toClockRate: to.clockRate,
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
): ReadonlyMap<number, Crossing> {
  const map = new Map(crossings(passages, from));
  for (const { ours, payloadType, name, clockRate } of formats.filter(isTelephoneEvent)) {
    const listened = { name, isEvent: true, isRelayed: false, fromClockRate: clockRate, toClockRate: clockRate };
    for (const number of [ours, payloadType])
      if (!map.has(number)) map.set(number, { payloadType: number, ...listened });
  }
  return map;
}

/** Name of the codec that is spoken, for logs and statistics. */
export function spokenCodec(passages: readonly Passage[]): string | undefined {
  return passages[0]?.b.name;
}
