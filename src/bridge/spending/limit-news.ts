// Tells of limits that are nearly used up, and of those that are: admins by an event, a metric and a line of the log, and the
// person whose limit it is in their room with the bot. Once for each limit and window.
import type { UserId } from "../../core/ids.ts";
import type { Account, Shortage, Told } from "../../core/policy/spending/account.ts";
import { spans, type Allowance, type Scope } from "../../core/policy/spending/allowance.ts";
import type { Windows } from "../../core/policy/spending/calendar.ts";
import type { SpendingPolicy } from "../../core/policy/spending/spending-policy.ts";
import { warningWords } from "../../core/policy/spending/words.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

/** What it asks of whoever keeps the account. */
interface Books {
  readonly account: Account;
  readonly windows: Windows;
  allowance(scope: Scope): Allowance;
  talkedS(charge: string): number;
}

export interface LimitNewsParts {
  readonly books: () => Books;
  readonly spending: () => SpendingPolicy;
  readonly emit: (event: BridgeEvent) => void;
  /** Writes to the person, in their room with the bot. Never rejects. */
  readonly tell: (person: UserId, words: string) => void;
  readonly telemetry: Pick<Telemetry, "log" | "limitTold">;
  readonly clock: Clock;
}

/** From which part of a limit on it is told. */
const warnedAt = 0.8;

export class LimitNews {
  readonly #parts: LimitNewsParts;

  constructor(parts: LimitNewsParts) {
    this.#parts = parts;
  }

  /** These have used more than before. */
  changed(scopes: readonly Scope[], person: UserId): void {
    const { account, windows, allowance, talkedS } = bound(this.#parts.books());
    for (const scope of scopes) {
      const allowed = allowance(scope);
      for (const span of spans) {
        const bounds = allowed[span];
        if (bounds.seconds === undefined && bounds.money === undefined) continue;
        const used = account.consumed(scope, windows[span], talkedS);
        for (const measure of ["seconds", "money"] as const) {
          const limit = bounds[measure];
          if (limit === undefined || limit === 0 || used[measure] < limit * warnedAt) continue;
          this.#tell("warned", { scope, span, of: measure, limit, used: used[measure], held: 0 }, person);
        }
      }
    }
  }

  /** A call could not go out, or not go on. */
  refused(shortage: Shortage, person: UserId): void {
    this.#tell("reached", shortage, person);
  }

  #tell(what: Exclude<Told, "nothing">, shortage: Shortage, person: UserId): void {
    const { emit, tell, telemetry, clock, spending } = this.#parts;
    const { account, windows } = this.#parts.books();
    const { scope, span, of, limit, used } = shortage;
    if (!account.tell(scope, windows[span], what)) return;
    const { zone, currency } = spending();
    const atMs = clock.wallMs();
    const figures = { scope, span, of, limit, used, currency, person };
    telemetry.limitTold(scope.kind, what);
    telemetry.log.warn(what === "warned" ? "limit nearly used up" : "limit used up", {
      scope: scope.kind,
      of: scope.name,
      span,
      measure: of,
      limit,
      used,
      person,
    });
    emit({ kind: what === "warned" ? "limit.warned" : "limit.reached", atMs, ...figures });
    if (what === "warned" && scope.kind === "user") tell(scope.name, warningWords(shortage, { zone, currency, atMs }));
  }
}

function bound(books: Books) {
  return {
    account: books.account,
    windows: books.windows,
    allowance: (scope: Scope) => books.allowance(scope),
    talkedS: (charge: string) => books.talkedS(charge),
  };
}
