// How often the peer of one call may have us change it, and whether it may send the call elsewhere at all. What a transfer
// costs is the bridge's to judge; this keeps a peer that repeats itself from costing work.
import { TokenBucket } from "../../core/policy/token-bucket.ts";
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log, LogFields } from "../../ports/telemetry.ts";
import { numberHeader, type HeaderLine } from "../wire/header-builder.ts";

export interface PeerLimitsOptions {
  /** Whether a REFER of the trunk is looked at. */
  readonly followsRefer: boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Which call, for the log. */
  readonly call: () => LogFields;
}

interface PeerRefusal {
  readonly status: number;
  readonly headers: readonly HeaderLine[];
}

/** More than any telephone or person does; then one every few seconds. */
const REFERS = { perSecond: 1 / 6, atOnce: 10 };
const OFFERS = { perSecond: 1, atOnce: 30 };
const RETRY_AFTER_S = 6;

export class PeerLimits {
  readonly #options: PeerLimitsOptions;
  readonly #refers = new TokenBucket(REFERS.perSecond, REFERS.atOnce);
  readonly #offers = new TokenBucket(OFFERS.perSecond, OFFERS.atOnce);
  readonly #unwanted: Tally;
  readonly #tooManyRefers: Tally;
  readonly #tooManyOffers: Tally;

  constructor(options: PeerLimitsOptions) {
    this.#options = options;
    const { log, clock } = options;
    this.#unwanted = new Tally(log, clock, "REFER refused: the trunk's setting refer says so");
    this.#tooManyRefers = new Tally(log, clock, "REFER refused: the trunk transfers one call too often");
    this.#tooManyOffers = new Tally(log, clock, "offer refused: the trunk changes one call too often");
  }

  /** Why a REFER is not looked at; undefined where it is. */
  refusesRefer(): PeerRefusal | undefined {
    if (!this.#options.followsRefer) {
      this.#unwanted.add(this.#options.call());
      // RFC 3515 s2.4.2: understood, and not wanted.
      return { status: 603, headers: [] };
    }
    return this.#refuses(this.#refers, this.#tooManyRefers, 503);
  }

  /** As `refusesRefer`, of re-INVITE and UPDATE with an offer; 500 asks for it again later (RFC 3261 s14.2). */
  refusesOffer(): PeerRefusal | undefined {
    return this.#refuses(this.#offers, this.#tooManyOffers, 500);
  }

  #refuses(bucket: TokenBucket, tally: Tally, status: number): PeerRefusal | undefined {
    if (bucket.take(this.#options.clock.nowMs())) return undefined;
    tally.add(this.#options.call());
    return { status, headers: [numberHeader("Retry-After", RETRY_AFTER_S)] };
  }
}
