// What was agreed, as the engine that carries the packets has to know it: by payload type, without SDP.
import type { MediaEnd } from "../../media-end.ts";
import { crossingsWithDigits, spokenCodec, type Crossing } from "./agreement.ts";
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
  /** What is spoken, for statistics. */
  readonly codec: string | undefined;
  /** Either end is on hold, so that silence means nothing. */
  readonly isHeld: boolean;
}

export function flowsOf(agreed: Agreed): Flows {
  const flowFrom = (end: MediaEnd): Flow => {
    const digits = digitFormat(agreed, end);
    return {
      crossings: crossingsWithDigits(agreed.passages, end, agreed.formats[end]),
      isOpen: isOpen(agreed, end),
      digits: digits && { payloadType: digits.payloadType, clockRate: digits.clockRate },
    };
  };
  return {
    a: flowFrom("a"),
    b: flowFrom("b"),
    codec: spokenCodec(agreed.passages),
    isHeld: isHeld(agreed),
  };
}
