// What was agreed, as the engine that carries the packets has to know it: by payload type, without SDP.
import { mediaEnds, otherEnd, type MediaEnd } from "../../media-end.ts";
import type { MediaStats } from "../../call/model/media-stats.ts";
import { crossingsWithDigits, spokenCodecs, withOthers, type Crossing } from "./agreement.ts";
import type { Conversion } from "./conversion.ts";
import { digitFormat, isHeld, isOpen } from "./exchange.ts";
import type { Agreed } from "./turn.ts";
import type { Format } from "../format.ts";

/** How the peer at an end takes digits that are told to it (RFC 4733). */
export interface DigitFormat {
  readonly payloadType: number;
  /** Of the event's duration, in Hz. */
  readonly clockRate: number;
}

/** What comes from one end, and how digits are told to it. */
interface Flow {
  /** By payload type of the end: how its packets leave at the other one. What is not in it is not passed on. */
  readonly crossings: ReadonlyMap<number, Crossing>;
  /** False while somebody holds: nothing is passed on. */
  readonly isOpen: boolean;
  /** Undefined: it takes none. */
  readonly digits: DigitFormat | undefined;
}

/** A codec, and the one that it is turned into; the same where packets pass as they are. */
interface Way {
  readonly from: string;
  readonly to: string;
}

/** What an end may speak although nobody has agreed on it, and what it can be turned into. */
export interface Unasked {
  readonly formats: Partial<Record<MediaEnd, readonly Format[] | undefined>>;
  readonly conversions: readonly Conversion[];
}

export interface Flows extends Readonly<Record<MediaEnd, Flow>> {
  /** What is spoken at each end. */
  readonly codecs: Readonly<Record<MediaEnd, string>> | undefined;
  /** What the other end hears of it, by the end that speaks. */
  readonly ways: Readonly<Record<MediaEnd, Way>> | undefined;
  /** Either end is on hold, so that silence means nothing. */
  readonly isHeld: boolean;
}

export function flowsOf(agreed: Agreed, unasked: Unasked = { formats: {}, conversions: [] }): Flows {
  const codecs = spokenCodecs(agreed.passages);
  const flowFrom = (end: MediaEnd): Flow => {
    const digits = digitFormat(agreed, end);
    const passages = withOthers(agreed.passages, end, unasked.formats[end] ?? [], unasked.conversions);
    return {
      crossings: crossingsWithDigits(passages, end, agreed.formats[end], agreed[otherEnd(end)].audio.ptimeMs),
      isOpen: isOpen(agreed, end),
      digits: digits && { payloadType: digits.payloadType, clockRate: digits.clockRate },
    };
  };
  return {
    a: flowFrom("a"),
    b: flowFrom("b"),
    codecs,
    ways: codecs && { a: { from: codecs.a, to: codecs.b }, b: { from: codecs.b, to: codecs.a } },
    isHeld: isHeld(agreed),
  };
}

/** As a call's record shows it. */
export function codecStats(flows: Flows | undefined): Pick<MediaStats, "codec" | "converted"> {
  const codec = flows?.codecs?.b;
  const ways = flows?.ways;
  const [only, other] = ways === undefined ? [] : mediaEnds.filter((end) => ways[end].from !== ways[end].to);
  if (ways === undefined || only === undefined) return { codec };
  if (other !== undefined) return { codec, converted: { a: ways.a.from, b: ways.b.from } };
  const { from, to } = ways[only];
  return { codec, converted: only === "a" ? { a: from, b: to, only } : { a: to, b: from, only } };
}

/**
 * The same where the peer at `end` hears `format`, whatever was agreed: what is spoken in that codec passes as it is, and all
 * else is turned into it.
 */
export function heardIn(flows: Flows, end: MediaEnd, format: Format): Flows {
  const from = otherEnd(end);
  const flow = flows[from];
  const crossings = new Map<number, Crossing>();
  for (const [number, crossing] of flow.crossings)
    crossings.set(number, crossing.isEvent || crossing.name === format.name ? crossing : into(format, crossing));
  const { ways } = flows;
  const heard = ways && { ...ways, [from]: { ...ways[from], to: format.name } };
  return { ...flows, [from]: { ...flow, crossings }, ways: heard };
}

function into({ payloadType, name, clockRate }: Format, crossing: Crossing): Crossing {
  const { from, ptimeMs } = crossing.converts ?? { from: crossing.name, ptimeMs: undefined };
  const converts = from === name ? undefined : { from, wishes: "", ptimeMs };
  return { ...crossing, payloadType, name, toClockRate: clockRate, converts };
}
