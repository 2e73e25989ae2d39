// Waiting for a tone, or for silence, at whichever end can be asked what it hears.
import { patienceMs } from "../../../../dev/loopback/patience.ts";
import { until } from "./until.ts";

/** As {@link import("../../../../dev/audio/goertzel.ts").Heard}, from this process or from a browser. */
export interface Sound {
  readonly hz: number | undefined;
  readonly ratio: number;
  readonly levelDb: number;
}

/** What an end has heard in its last `durationMs`; undefined while that is less. */
export type Hearing = (
  frequencies: readonly number[],
  durationMs: number,
) => Sound | undefined | Promise<Sound | undefined>;

/** So far above all else (as a ratio of powers) is a tone that came through codecs and jitter buffers. */
const CLEAR = 10;
/** What a codec and a comfort noise generator leave of silence, dB below full scale. */
const QUIET_DB = -50;
/** Tones that no part plays: what is found there is noise. */
const ABSENT_HZ = [620, 1300];

interface Patience {
  /** How much of the sound is judged: a second, if nothing else is said. */
  readonly durationMs?: number;
  readonly timeoutMs?: number;
}

async function hearing(
  what: string,
  ear: Hearing,
  frequencies: readonly number[],
  right: (sound: Sound) => boolean,
  { durationMs = 1000, timeoutMs = patienceMs }: Patience,
): Promise<Sound> {
  let last: Sound | undefined;
  try {
    return await until(
      what,
      async () => {
        last = await ear(frequencies, durationMs);
        return last !== undefined && right(last) && last;
      },
      { timeoutMs },
    );
  } catch (cause) {
    throw new Error(`waited ${timeoutMs} ms for ${what}, heard last: ${JSON.stringify(last)}`, { cause });
  }
}

/** The tone `hz`, and not one of `others`, for a whole second. */
export const toneAt = (ear: Hearing, hz: number, others: readonly number[], patience: Patience = {}): Promise<Sound> =>
  hearing(`${hz} Hz`, ear, [hz, ...others, ...ABSENT_HZ], (sound) => sound.hz === hz && sound.ratio > CLEAR, patience);

/** A second of silence, in a stream that goes on. */
export const silenceAt = (ear: Hearing, patience: Patience = {}): Promise<Sound> =>
  hearing("silence", ear, ABSENT_HZ, (sound) => sound.levelDb < QUIET_DB, patience);
