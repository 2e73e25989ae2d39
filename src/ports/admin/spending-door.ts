// Limits of minutes and money, and the switch that stops calls, for an admin's tools and for the bot.
import type { UserId } from "../../core/ids.ts";
import type { Scope } from "../../core/policy/spending/allowance.ts";
import type { Bar } from "../../core/policy/spending/bar.ts";
import type { Span } from "../../core/policy/spending/calendar.ts";

/** What one scope has used of one limit today or this month. */
export interface LimitUse {
  readonly scope: Scope;
  readonly span: Span;
  readonly of: "seconds" | "money";
  /** Seconds, or millionths of the currency's unit; undefined: no limit. */
  readonly limit: number | undefined;
  /** Of calls in progress what they have lasted until now. */
  readonly used: number;
}

export interface StopOrder {
  /** Whose calls: all, those of a person, or those over a trunk. */
  readonly scope: Extract<Scope, { kind: "bridge" | "user" | "trunk" }>;
  /** Incoming calls too; only of all calls. */
  readonly inbound: boolean;
  readonly who: string;
  readonly why: string | undefined;
}

/** Calls of a person to one range of numbers, which look like fraud. */
export interface HeldCalls {
  readonly person: UserId;
  /** First digits of E.164 numbers, without a plus; too few to be anybody's number. */
  readonly prefix: string;
  readonly why: string;
  /** ms since the epoch. */
  readonly atMs: number;
}

interface AllowOrder {
  readonly person: UserId;
  /** Undefined: all that is held of the person. */
  readonly prefix: string | undefined;
  readonly who: string;
}

export interface SpendingDoor {
  readonly currency: string;
  /** The time zone in which days and months are counted. */
  readonly zone: string;
  /** Everything that is limited, and everybody who has called. */
  uses(): readonly LimitUse[];
  /** What one person has used, of their own limits. */
  usesOf(person: UserId): readonly LimitUse[];
  /** The latest first. */
  stops(): readonly Bar[];
  /** Ends the calls and lets none begin, calls to emergency numbers excepted, until `start`. Gives how many ended. */
  stop(order: StopOrder): Promise<number>;
  /** False: there was no such stop. Rejects with StoreError if it would be there again after a restart. */
  start(scope: StopOrder["scope"]): Promise<boolean>;
  /** The latest first. */
  held(): readonly HeldCalls[];
  /** Gives the prefixes that were held. They are not held again for some days. Rejects with StoreError if it cannot be kept. */
  allow(order: AllowOrder): Promise<readonly string[]>;
}
