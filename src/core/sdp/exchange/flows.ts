// What was agreed, as the engine that carries the packets has to know it: by payload type, without SDP.
import { otherEnd, type MediaEnd } from "../../media-end.ts";
import type { MediaStats } from "../../call/model/media-stats.ts";
import { crossingsWithDigits, spokenCodecs, type Crossing } from "./agreement.ts";
import { digitFormat, isHeld, isOpen } from "./exchange.ts";
import type { Agreed } from "./turn.ts";

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

export interface Flows extends Readonly<Record<MediaEnd, Flow>> {
  /** What is spoken at each end. */
  readonly codecs: Readonly<Record<MediaEnd, string>> | undefined;
  /** Either end is on hold, so that silence means nothing. */
  readonly isHeld: boolean;
}

export function flowsOf(agreed: Agreed): Flows {
  const flowFrom = (end: MediaEnd): Flow => {
    const digits = digitFormat(agreed, end);
    return {
      crossings: crossingsWithDigits(agreed.passages, end, agreed.formats[end], agreed[otherEnd(end)].audio.ptimeMs),
      isOpen: isOpen(agreed, end),
      digits: digits && { payloadType: digits.payloadType, clockRate: digits.clockRate },
    };
  };
  return {
    a: flowFrom("a"),
    b: flowFrom("b"),
    codecs: spokenCodecs(agreed.passages),
    isHeld: isHeld(agreed),
  };
}

/** As a call's record shows it. */
export function codecStats(flows: Flows | undefined): Pick<MediaStats, "codec" | "converted"> {
  const codecs = flows?.codecs;
  return { codec: codecs?.b, ...(codecs !== undefined && codecs.a !== codecs.b ? { converted: codecs } : {}) };
}
