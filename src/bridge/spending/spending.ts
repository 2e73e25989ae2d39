// Who pays for which call, and whether there is something left to pay with. A call takes a share of what every limit leaves
// before it goes out, and further shares while it lasts; where nothing is left, it ends, in words. The arithmetic is the account's
// (core/policy/spending).
import type { Call } from "../../core/call/model/call.ts";
import type { Cause } from "../../core/call/model/cause.ts";
import type { CallFact } from "../../core/call/model/fact.ts";
import { trunkLegsOf } from "../../core/call/model/queries.ts";
import type { TrunkLeg } from "../../core/call/model/trunk-leg.ts";
import type { CallId, TrunkName, UserId } from "../../core/ids.ts";
import { Account, grantedS, type Charge, type Shortage } from "../../core/policy/spending/account.ts";
import { scopeKey, wholeBridge, type Allowance, type Scope } from "../../core/policy/spending/allowance.ts";
import { windowsAt, type Windows } from "../../core/policy/spending/calendar.ts";
import {
  allowanceOf,
  countryScope,
  isLimited,
  ratesFor,
  type Priced,
  type SpendingPolicy,
} from "../../core/policy/spending/spending-policy.ts";
import { endWords, nearWords, refusalWords, type Telling } from "../../core/policy/spending/words.ts";
import type { Policy } from "../../core/policy/permission.ts";
import type { Clock } from "../../ports/clock.ts";
import type { SpendingStore } from "../../ports/spending.ts";
import type { Log } from "../../ports/telemetry.ts";
import { CallCrowd } from "./call-crowd.ts";
import type { CallStops } from "./call-stops.ts";
import { Charges, type RunningLeg } from "./charges.ts";
import type { LimitNews } from "./limit-news.ts";
import type { PatternWatch } from "./pattern-watch.ts";
import { leastS, pricedTrunks, takeFirstShare } from "./first-share.ts";
import { SpendingLedger, type SpendingLedgerParts } from "./spending-ledger.ts";

export interface SpendingParts {
  readonly policy: () => Policy;
  readonly spending: () => SpendingPolicy;
  readonly store: SpendingStore;
  readonly watch: SpendingLedgerParts["watch"];
  /** Tells the call that has this leg of a trunk. */
  readonly post: (leg: CallId, fact: CallFact) => void;
  /** Whether a call has that leg. */
  readonly isHeld: (leg: CallId) => boolean;
  readonly news: Pick<LimitNews, "changed" | "refused">;
  readonly stops: Pick<CallStops, "whyNot" | "whyNotOver">;
  readonly patterns: Pick<PatternWatch, "whyNot" | "began" | "ended">;
  readonly clock: Clock;
  readonly log: Log;
}

export interface SpendingRequest {
  readonly person: UserId;
  /** Of the trunk; the charge's id too. */
  readonly leg: CallId;
  readonly number: Priced;
  /** Those that the call may be tried over, in their order. */
  readonly trunks: readonly TrunkName[];
  readonly longestMs: number;
}

export type Spent =
  /** Over these of the trunks. */
  | { readonly kind: "allowed"; readonly trunks: readonly TrunkName[] }
  | {
      readonly kind: "refused";
      readonly cause: Extract<Cause, "limit-reached" | "no-rate" | "calls-stopped" | "calls-held">;
      readonly words: string | undefined;
    };

/** What a call takes at once. Calls that share a limit get it in such parts, whoever asks first. */
const shareS = 300;
/** The bridge and the trunk do not begin and end to count at the same moment. */
const guardMs = 2_000;
/** When a call asks for its next share, and when the person reads that there is none, before the end. */
const renewMs = 90_000;
const warnMs = 60_000;

export class Spending {
  readonly #parts: SpendingParts;
  readonly #account: Account;
  readonly #charges = new Charges();
  readonly #ledger: SpendingLedger;
  readonly #crowd: CallCrowd;
  #referrals = 0;

  constructor(parts: SpendingParts) {
    this.#parts = parts;
    this.#account = new Account((scope) => this.allowance(scope));
    this.#ledger = new SpendingLedger(parts);
    this.#crowd = new CallCrowd(this.#account, (scope) => this.allowance(scope), parts.clock);
  }

  get account(): Account {
    return this.#account;
  }

  allowance(scope: Scope): Allowance {
    return allowanceOf(scope, this.#parts.spending(), this.#parts.policy());
  }

  get windows(): Windows {
    return windowsAt(this.#parts.clock.wallMs(), this.#parts.spending().zone);
  }

  /** How many seconds a call in progress has been paid for. */
  talkedS(charge: string): number {
    const one = this.#charges.get(charge);
    if (one?.answeredAtMs === undefined) return 0;
    return secondsBetween(one.answeredAtMs, one.endedAtMs ?? this.#parts.clock.nowMs());
  }

  /** What an earlier process left. Rejects with StoreError: without it nobody knows what is left. */
  async load(): Promise<void> {
    const { store, clock } = this.#parts;
    const { usages, running } = await store.load();
    const aheadMs = clock.wallMs() - clock.nowMs();
    this.#account.restore(
      usages,
      running.map(({ charge }) => charge),
    );
    for (const { charge, leg, person, longestMs, answeredAtMs } of running) {
      this.#charges.add({
        ...blank,
        id: charge.id,
        leg,
        person,
        longestMs,
        answeredAtMs: answeredAtMs === undefined ? undefined : answeredAtMs - aheadMs,
        isLeft: true,
      });
    }
  }

  /** Every call that an earlier process left has been taken up: charges without one are settled. */
  settleLeft(): void {
    for (const one of this.#charges.all) if (one.isLeft && !this.#parts.isHeld(one.leg)) this.#settle(one);
    this.#store();
  }

  /** What was used before the last month interests nobody. Rejects with StoreError. */
  async forgetOldMonths(): Promise<void> {
    const { month } = windowsAt(this.#parts.clock.wallMs() - longAgoMs, this.#parts.spending().zone);
    this.#account.forget((window) => window < month);
    await this.#parts.store.prune(month);
  }

  /** A call is to go out: takes its first share, or says why not. */
  begin(request: SpendingRequest): Spent {
    return this.#begin(request, request.leg, false);
  }

  /** A transfer is to call a number: `leg` is the one that is transferred. Until that call is placed it only holds its share. */
  beginTransfer(request: SpendingRequest): Spent {
    for (const one of this.#charges.of(request.leg)) if (one.awaited) this.#settle(one);
    this.#referrals += 1;
    return this.#begin(request, `${request.leg} ${this.#referrals} ${this.#parts.clock.newId()}`, true);
  }

  /** The trunk redirects a call that has not been answered to another number: false where that is too dear. */
  redirected(leg: CallId, number: Priced, trunk: TrunkName): boolean {
    const one = this.#charges.of(leg).find(({ awaited }) => !awaited);
    const charge = one && this.#account.get(one.id);
    if (one === undefined || charge === undefined) return true;
    const rates = ratesFor(number, trunk, this.#parts.spending());
    if (rates === undefined || this.#parts.patterns.whyNot(one.person, number.e164, rates) !== undefined) return false;
    const country = countryScope(number.e164);
    const scopes = [...charge.scopes, ...(country === undefined ? [] : [country])];
    const different = [...new Map(scopes.map((scope) => [scopeKey(scope), scope])).values()];
    const first = { windows: this.windows, wanted: shareS, least: leastS };
    const shortage = this.#account.rework(one.id, different, [...charge.rates, ...rates], first);
    this.#store();
    if (shortage !== undefined) this.#parts.news.refused(shortage, one.person);
    return shortage === undefined;
  }

  /** Whether somebody pays for that leg of a trunk, and it counts for that scope. */
  isCharged(leg: CallId, scope: Scope): boolean {
    const key = scopeKey(scope);
    return this.#charges.of(leg).some(({ id }) => this.#account.get(id)?.scopes.some((one) => scopeKey(one) === key));
  }

  /** Whether limits have to see how long calls of that person last. */
  watches(person: UserId): boolean {
    return isLimited(person, this.#parts.spending(), this.#parts.policy());
  }

  /** Of a call that nobody but an admin is in: it costs from now on, over that trunk. */
  answered(leg: CallId, trunk: TrunkName): void {
    for (const one of this.#charges.of(leg)) this.#answered(one, this.#parts.clock.nowMs(), trunk);
  }

  /** The far end of `from` goes on under another id. */
  moved(to: CallId, from: CallId): void {
    for (const one of this.#charges.of(from)) this.#charges.move(one, to);
    this.#store();
  }

  changed(call: Call, before: Call | undefined): void {
    const [first, second] = trunkLegsOf(call);
    if (call.direction === "joined" && first !== undefined && second !== undefined) this.#placed(first.id, second);
    for (const leg of [first, second]) if (leg !== undefined) this.#legChanged(leg, call, before);
  }

  /** Nobody has these legs any more. */
  gone(legs: readonly CallId[]): void {
    for (const leg of legs) for (const one of this.#charges.of(leg)) this.#settle(one);
    this.#store();
  }

  #begin({ person, leg, number, trunks, longestMs }: SpendingRequest, id: string, awaited: boolean): Spent {
    const { stops, patterns } = this.#parts;
    const stopped = stops.whyNot(person) ?? firstIfAll(trunks.map((trunk) => stops.whyNotOver(trunk)));
    if (stopped !== undefined) return { kind: "refused", cause: "calls-stopped", words: stopped };
    const going = trunks.filter((trunk) => stops.whyNotOver(trunk) === undefined);
    const open = pricedTrunks(number, going, this.#parts.spending());
    if (open.length === 0) {
      this.#parts.log.info("call refused: its number has no price", { person, setting: "limits.default_rate" });
      return { kind: "refused", cause: "no-rate", words: undefined };
    }
    const rates = open.flatMap(([, of]) => of);
    const held = patterns.whyNot(person, number.e164, rates);
    if (held !== undefined) return { kind: "refused", cause: "calls-held", words: held };
    const country = countryScope(number.e164);
    const shared: readonly Scope[] = [
      { kind: "user", name: person },
      ...(country === undefined ? [] : [country]),
      wholeBridge,
    ];
    const free = this.#crowd.enter(shared, open);
    if (typeof free === "string") return { kind: "refused", cause: "limit-reached", words: free };
    const wanted = Math.min(shareS, Math.ceil(longestMs / 1_000));
    const grant = takeFirstShare(this.#account, { id, shared, open: free, windows: this.windows, wanted });
    this.#store();
    if (grant.shortage !== undefined) {
      this.#parts.news.refused(grant.shortage, person);
      return { kind: "refused", cause: "limit-reached", words: refusalWords(grant.shortage, this.#telling) };
    }
    this.#charges.add({ ...blank, id, leg, person, longestMs, awaited });
    patterns.began(person, id, number.e164, rates);
    this.#store();
    this.#parts.news.changed(this.#account.get(id)?.scopes ?? [], person);
    return { kind: "allowed", trunks: grant.trunks };
  }

  #legChanged(leg: TrunkLeg, call: Call, before: Call | undefined): void {
    for (const one of this.#charges.of(leg.id)) {
      if (one.awaited) this.#referred(one, leg, call, before);
      else if (call.phase.kind === "ending") {
        // Of a call that an earlier process left, its own clock said when it was answered.
        if (one.isLeft && one.answeredAtMs === undefined) one.answeredAtMs = call.phase.answeredAtMs;
        one.endedAtMs ??= call.phase.endedAtMs;
      } else {
        one.endedAtMs = undefined;
        if (leg.state === "confirmed" && one.answeredAtMs === undefined)
          this.#answered(one, leg.answeredAtMs, leg.name);
      }
    }
  }

  /** The trunk wants its leg to call another number: the new call is up, or has come to nothing. */
  #referred(one: RunningLeg, leg: TrunkLeg, call: Call, before: Call | undefined): void {
    if (call.phase.kind !== "connected" || before?.phase.kind !== "connected") return;
    const { renegotiation } = call.phase;
    if (renegotiation.by !== "referral") {
      if (before.phase.renegotiation.by === "referral") this.#settle(one);
    } else if (renegotiation.awaiting === "media-answer") {
      for (const other of this.#charges.of(leg.id)) if (!other.awaited) this.#settle(other);
      one.awaited = false;
      this.#answered(one, this.#parts.clock.nowMs(), leg.name);
    }
    this.#store();
  }

  /** Two legs are joined: what was held for the second one is for its call now. */
  #placed(first: CallId, second: TrunkLeg): void {
    if (second.state !== "unsent" && second.state !== "inviting") return;
    const one = this.#charges.of(first).find(({ awaited }) => awaited);
    if (one === undefined) return;
    one.awaited = false;
    this.#charges.move(one, second.id);
    this.#store();
  }

  /** From now on it costs, over that trunk alone. */
  #answered(one: RunningLeg, atMs: number, trunk: TrunkName): void {
    one.answeredAtMs = atMs;
    const charge = this.#account.get(one.id);
    if (charge === undefined) return;
    const scopes = charge.scopes.filter(({ kind, name }) => kind !== "trunk" || name === trunk);
    if (scopes.length < charge.scopes.length) this.#account.rework(one.id, scopes, charge.rates);
    this.#keepRunning(one);
    this.#store(one);
  }

  /** Asks for more before what is left ends; says so where there is no more, and ends the call. */
  #keepRunning(one: RunningLeg): void {
    const { clock, post } = this.#parts;
    one.cancel();
    const charge = this.#account.get(one.id);
    if (charge === undefined || one.answeredAtMs === undefined || charge.shares.length === 0) return;
    const answeredAtMs = one.answeredAtMs;
    const endsAtMs = (seconds: number): number => answeredAtMs + seconds * 1_000 - guardMs;
    let granted = grantedS(charge);
    let shortage: Shortage | undefined;
    if (endsAtMs(granted) - clock.nowMs() <= renewMs) {
      const wanted = Math.min(shareS, Math.ceil((one.longestMs + guardMs) / 1_000) - granted);
      // The longest call ends by itself.
      if (wanted <= 0) return;
      ({ shortage } = this.#account.grow(one.id, this.windows, wanted));
      granted = grantedS(this.#account.get(one.id) ?? charge);
      this.#store(one);
      this.#parts.news.changed(charge.scopes, one.person);
    }
    const leftMs = endsAtMs(granted) - clock.nowMs();
    if (leftMs > renewMs) {
      one.warned = false;
      this.#wake(one, endsAtMs(granted) - renewMs);
    } else if (leftMs > warnMs || shortage === undefined) {
      this.#wake(one, Math.max(endsAtMs(granted) - warnMs, clock.nowMs() + 1_000));
    } else if (leftMs > 0) {
      const leftS = Math.ceil(leftMs / 1_000);
      if (!one.warned) post(one.leg, { kind: "limit.neared", words: nearWords(shortage, leftS, this.#telling) });
      one.warned = true;
      this.#wake(one, endsAtMs(granted));
    } else {
      this.#parts.news.refused(shortage, one.person);
      post(one.leg, { kind: "limit.reached", words: endWords(shortage, this.#telling) });
    }
  }

  #wake(one: RunningLeg, atMs: number): void {
    one.cancel = this.#parts.clock.at(atMs, () => this.#keepRunning(one));
  }

  #settle(one: RunningLeg): void {
    const { scopes = [] } = this.#account.get(one.id) ?? {};
    // Nobody knows how long a call of an earlier process went on; longer than the longest it was not to be.
    const talked = one.isLeft ? Math.min(this.talkedS(one.id), Math.ceil(one.longestMs / 1_000)) : this.talkedS(one.id);
    this.#account.settle(one.id, talked, this.#windowsOf(one));
    this.#charges.remove(one);
    this.#parts.patterns.ended(one.person, one.id, talked);
    if (talked > 0) this.#parts.news.changed(scopes, one.person);
  }

  /** Of the answer: what no limit counted while it lasted counts for the day on which it began. */
  #windowsOf({ answeredAtMs }: RunningLeg): Windows {
    const { clock, spending } = this.#parts;
    if (answeredAtMs === undefined) return this.windows;
    return windowsAt(answeredAtMs + clock.wallMs() - clock.nowMs(), spending().zone);
  }

  get #telling(): Telling {
    const { zone, currency } = this.#parts.spending();
    return { zone, currency, atMs: this.#parts.clock.wallMs() };
  }

  /** `besides`: it has changed in what the account does not know. */
  #store(besides?: RunningLeg): void {
    const { usages, charges, settled } = this.#account.takeChanges();
    const own = besides === undefined ? undefined : this.#account.get(besides.id);
    const all = new Map<string, Charge>([...charges, ...(own === undefined ? [] : [own])].map((one) => [one.id, one]));
    const aheadMs = this.#parts.clock.wallMs() - this.#parts.clock.nowMs();
    const running = [...all.values()].flatMap((charge) => {
      const one = this.#charges.get(charge.id);
      if (one === undefined) return [];
      const { leg, person, answeredAtMs, longestMs } = one;
      return {
        charge,
        leg,
        person,
        longestMs,
        answeredAtMs: answeredAtMs === undefined ? undefined : answeredAtMs + aheadMs,
      };
    });
    this.#ledger.take({ usages, running, settled });
  }
}

/** Undefined if one of them is. */
function firstIfAll(words: readonly (string | undefined)[]): string | undefined {
  return words.every((one) => one !== undefined) ? words[0] : undefined;
}

/** Longer than a month, so that the month before is still there. */
const longAgoMs = 40 * 24 * 3_600_000;

const blank = {
  awaited: false,
  answeredAtMs: undefined,
  endedAtMs: undefined,
  isLeft: false,
  warned: false,
  cancel: () => {},
} as const;

function secondsBetween(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil((toMs - fromMs) / 1_000));
}
