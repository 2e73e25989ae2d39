// Which PINs are right, and how many wrong ones are listened to: counted for each caller, and for each room or person behind a
// PIN, over all calls. Whoever has used up theirs is told nothing more, not even that a PIN is right. Counts live as long as the
// process.
import type { CallOrder } from "../../core/call/model/order.ts";
import type { PinName, UserId } from "../../core/ids.ts";
import { isSamePin } from "../../core/pin-entry.ts";
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import { RecentIds } from "../limits/recent-ids.ts";

interface Pin {
  /** Secret. */
  readonly digits: string;
  /** Whom it keeps from being called: numbers that ring the same people are guessed at together. */
  readonly protects: string;
}

export type Pins = ReadonlyMap<PinName, Pin>;

export interface PinGuardParts {
  readonly pins: () => Pins;
  /** Of all who withhold their number: nobody is known by it. */
  readonly withheld: UserId;
  readonly clock: Clock;
  readonly log: Log;
}

export type PinVerdict = "right" | "wrong" | "barred";

const hourMs = 3_600_000;
/** Two calls' worth. */
const wrongByCaller = 6;
/** A PIN of four digits withstands a night of ten hours with 1.3 %, whatever numbers the calls come from. */
const wrongInAll = 12;
/** Callers who have entered a PIN are let try while others guess at it. */
const remembered = 1_000;

export class PinGuard {
  readonly #pins: () => Pins;
  readonly #withheld: UserId;
  readonly #byCaller: RateLimit;
  readonly #inAll: RateLimit;
  readonly #known = new RecentIds(remembered);
  readonly #callerBarred: Tally;
  readonly #pinBarred: Tally;
  readonly #gone: Tally;

  constructor({ pins, withheld, clock, log }: PinGuardParts) {
    this.#pins = pins;
    this.#withheld = withheld;
    this.#byCaller = new RateLimit(wrongByCaller, clock, hourMs);
    this.#inAll = new RateLimit(wrongInAll, clock, hourMs);
    this.#callerBarred = new Tally(log, clock, "call refused: too many wrong PINs from this caller within an hour");
    this.#gone = new Tally(log, clock, "call refused: the configuration has this PIN no more");
    this.#pinBarred = new Tally(
      log,
      clock,
      "call refused: too many wrong PINs within an hour, somebody may be guessing; callers who entered it before are still let in",
    );
  }

  /** Whether a call of theirs is not even picked up. */
  isBarred(name: PinName, caller: UserId): boolean {
    const pin = this.#pins().get(name);
    // A reload took the number's entry away while its caller was entering the PIN.
    if (pin === undefined) return this.#refused(this.#gone, name, caller);
    const { protects } = pin;
    if (this.#byCaller.isSpent(`${protects} ${caller}`)) return this.#refused(this.#callerBarred, name, caller);
    const isSpent = !this.#isKnown(protects, caller) && this.#inAll.isSpent(protects);
    return isSpent && this.#refused(this.#pinBarred, name, caller);
  }

  /** Each try counts before it is looked at, so that many calls at once gain nothing. Those of a caller who has it right do not. */
  check({ pin: name, caller, keys, wrong }: Extract<CallOrder, { kind: "pin.check" }>): PinVerdict {
    const pin = this.#pins().get(name);
    if (pin === undefined || this.isBarred(name, caller)) return "barred";
    const { digits, protects } = pin;
    const one = `${protects} ${caller}`;
    const isKnown = this.#isKnown(protects, caller);
    this.#byCaller.allows(one);
    if (!isKnown) this.#inAll.allows(protects);
    if (!isSamePin(keys, digits)) return "wrong";
    this.#byCaller.forgive(one, wrong + 1);
    if (!isKnown) this.#inAll.forgive(protects, wrong + 1);
    if (caller !== this.#withheld) this.#known.add(one);
    return "right";
  }

  #isKnown(protects: string, caller: UserId): boolean {
    return this.#known.has(`${protects} ${caller}`);
  }

  #refused(tally: Tally, setting: PinName, ghost: UserId): true {
    tally.add({ setting, ghost });
    return true;
  }
}
