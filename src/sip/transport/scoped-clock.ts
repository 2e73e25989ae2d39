// A clock whose timers end with their owner: what is still waited for when the trunks close is waited for no longer.
import type { Clock } from "../../ports/clock.ts";

export interface ScopedClock extends Clock {
  close(): void;
}

export function scopedClock(clock: Clock): ScopedClock {
  const running = new Set<() => void>();
  let closed = false;
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    newId: () => clock.newId(),
    at: (atMs, then) => {
      if (closed) return () => {};
      const cancel = clock.at(atMs, () => {
        running.delete(stop);
        then();
      });
      const stop = (): void => {
        running.delete(stop);
        cancel();
      };
      running.add(stop);
      return stop;
    },
    close: () => {
      closed = true;
      for (const stop of running) stop();
    },
  };
}
