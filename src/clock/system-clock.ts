// The real clock and real randomness. Tests use a virtual clock instead.
import { randomInt } from "node:crypto";
import type { Clock } from "../ports/clock.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62^20 is 119 bits. */
const idLength = 20;
/** The longest delay setTimeout keeps (2^31 - 1 ms); anything later is waited for in parts. */
const longestDelayMs = 0x7fffffff;

/** Begins at the time of day at which the process started, so that a number in a log can be placed, and never steps. */
function nowMs(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

export const systemClock: Clock = {
  nowMs,
  wallMs: () => Date.now(),

  at(atMs, then) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      const leftMs = Math.max(0, atMs - nowMs());
      // setTimeout may call back up to a millisecond early.
      const due = (): void => (nowMs() < atMs ? wait() : then());
      timer = setTimeout(due, Math.min(leftMs, longestDelayMs));
    };
    wait();
    return () => clearTimeout(timer);
  },

  newId() {
    let id = "";
    for (let i = 0; i < idLength; i++) id += alphabet[randomInt(alphabet.length)];
    return id;
  },
};
