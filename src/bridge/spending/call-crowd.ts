// How many calls there may be at once, and how many may be tried in a minute: of a person, to a country, over a trunk, in all.
import type { Account } from "../../core/policy/spending/account.ts";
import { scopeKey, type Allowance, type Scope } from "../../core/policy/spending/allowance.ts";
import { crowdedWords, tooOftenWords } from "../../core/policy/spending/words.ts";
import type { Clock } from "../../ports/clock.ts";
import { RateLimit } from "../limits/rate-limit.ts";
import type { PricedTrunks } from "./first-share.ts";

export class CallCrowd {
  readonly #account: Pick<Account, "countOf">;
  readonly #allowanceOf: (scope: Scope) => Allowance;
  readonly #clock: Clock;
  readonly #attempts = new Map<string, { readonly perMinute: number; readonly limit: RateLimit }>();

  constructor(account: Pick<Account, "countOf">, allowanceOf: (scope: Scope) => Allowance, clock: Clock) {
    this.#account = account;
    this.#allowanceOf = allowanceOf;
    this.#clock = clock;
  }

  /** One call more is tried: over which of the trunks it can be, or what the person reads. */
  enter(shared: readonly Scope[], open: PricedTrunks): PricedTrunks | string {
    for (const scope of shared) {
      const words = this.#whyNotNow(scope);
      if (words !== undefined) return words;
    }
    const words: string[] = [];
    const left = open.filter(([name]) => {
      const why = this.#whyNotNow({ kind: "trunk", name });
      if (why !== undefined) words.push(why);
      return why === undefined;
    });
    const [first] = left;
    if (first === undefined) return words[0] ?? "";
    const tried: readonly Scope[] = [...shared, { kind: "trunk", name: first[0] }];
    for (const scope of tried) this.#attemptsOf(scope)?.allows(scopeKey(scope));
    return left;
  }

  #whyNotNow(scope: Scope): string | undefined {
    const { callsAtOnce, attemptsPerMinute } = this.#allowanceOf(scope);
    if (callsAtOnce !== undefined && this.#account.countOf(scope) >= callsAtOnce)
      return crowdedWords(scope, callsAtOnce);
    if (attemptsPerMinute !== undefined && this.#attemptsOf(scope)?.isSpent(scopeKey(scope)) === true)
      return tooOftenWords(scope, attemptsPerMinute);
    return undefined;
  }

  #attemptsOf(scope: Scope): RateLimit | undefined {
    const perMinute = this.#allowanceOf(scope).attemptsPerMinute;
    if (perMinute === undefined) return undefined;
    const known = this.#attempts.get(scopeKey(scope));
    if (known?.perMinute === perMinute) return known.limit;
    const limit = new RateLimit(perMinute, this.#clock);
    this.#attempts.set(scopeKey(scope), { perMinute, limit });
    return limit;
  }
}
