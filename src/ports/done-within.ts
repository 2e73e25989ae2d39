import type { Clock } from "./clock.ts";

/** Whether it was done before so much time had passed. Rejects where it does. */
export async function doneWithin(ms: number, work: Promise<unknown>, clock: Clock): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>();
  const cancel = clock.at(clock.nowMs() + ms, () => resolve(false));
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    cancel();
  }
}
