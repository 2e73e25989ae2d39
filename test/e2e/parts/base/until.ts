// Waiting for the thing itself: a condition is looked at again and again until it holds.
import { patienceMs } from "../../../../dev/loopback/patience.ts";

const EVERY_MS = 25;

/** A condition that did not come to hold in time; the message says which, and what was seen last. */
export class NotInTime extends Error {
  readonly code = "not_in_time";
  constructor(what: string, timeoutMs: number, options?: ErrorOptions) {
    super(`waited ${timeoutMs} ms for ${what}`, options);
    this.name = "NotInTime";
  }
}

/** A moment in which the event loop does other things. */
export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * The first value of `probe` that is neither undefined, null nor false.
 * A probe that throws is asked again; its last error is the cause of the timeout.
 * @param what names the condition in the error
 * @throws {NotInTime}
 */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  { timeoutMs = patienceMs }: { timeoutMs?: number } = {},
): Promise<NonNullable<Exclude<T, false>>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let cause: unknown;
    let seen: T | undefined;
    try {
      seen = await probe();
      if (seen !== undefined && seen !== null && seen !== false) {
        return seen as NonNullable<Exclude<T, false>>;
      }
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) throw new NotInTime(what, timeoutMs, { cause });
    await pause(EVERY_MS);
  }
}

/** What `promise` brings, or a {@link NotInTime} after `timeoutMs`. */
export async function within<T>(what: string, timeoutMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NotInTime(what, timeoutMs)), timeoutMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
