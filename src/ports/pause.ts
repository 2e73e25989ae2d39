import type { Clock } from "./clock.ts";

/** Resolves when so much time has passed, or at once when it is stopped meanwhile or was before. */
export function pause(forMs: number, clock: Clock, stopped?: AbortSignal): Promise<void> {
  if (stopped?.aborted === true) return Promise.resolve();
  return new Promise((resolve) => {
    const cancel = clock.at(clock.nowMs() + forMs, () => {
      stopped?.removeEventListener("abort", done);
      resolve();
    });
    const done = (): void => {
      cancel();
      resolve();
    };
    stopped?.addEventListener("abort", done, { once: true });
  });
}
