// The real clock and the real dice. Tests use a virtual clock in its place.
import { randomInt } from "node:crypto";
import type { Clock } from "../ports/clock.ts";

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/** 62^20 is 119 bits. */
const idLength = 20;
/** The longest delay setTimeout keeps (2^31 - 1 ms); anything later is waited for in parts. */
const longestDelayMs = 0x7fffffff;

export const systemClock: Clock = {
  nowMs: () => Date.now(),

  at(atMs, then) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (): void => {
      const leftMs = atMs - Date.now();
      timer = leftMs > longestDelayMs ? setTimeout(wait, longestDelayMs) : setTimeout(then, Math.max(0, leftMs));
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
