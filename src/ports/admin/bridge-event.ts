// What happens in the bridge, for whoever watches it. Telephone numbers are masked as in the log.
import type { MediaEnd } from "../../core/media-end.ts";
import type { TrunkName, UserId } from "../../core/ids.ts";
import type { Scope } from "../../core/policy/spending/allowance.ts";
import type { Suspicion } from "../../core/policy/spending/patterns.ts";
import type { Span } from "../../core/policy/spending/calendar.ts";
import type { TextDirection } from "../telemetry.ts";
import type { EndedCall, LiveCall } from "./observed-call.ts";

/** 80 % of a limit are used, or all of it; once in each day or month. */
export interface LimitEvent {
  readonly kind: "limit.warned" | "limit.reached";
  readonly scope: Scope;
  readonly span: Span;
  readonly of: "seconds" | "money";
  /** Seconds, or millionths of the currency's unit. */
  readonly limit: number;
  readonly used: number;
  readonly currency: string;
  /** Whose call it was. */
  readonly person: UserId;
}

/** Calls of a person to one range of numbers look like fraud. They are held until an admin allows them. */
export interface PatternEvent {
  readonly kind: "pattern.held";
  readonly person: UserId;
  /** First digits of E.164 numbers, without a plus; too few to be anybody's number. */
  readonly prefix: string;
  readonly shape: Suspicion["shape"];
  readonly why: string;
}

export type BridgeEvent = {
  /** ms since the epoch. */
  readonly atMs: number;
} & (
  | { readonly kind: "call.began" | "call.rang" | "call.connected"; readonly call: LiveCall }
  /** Nothing of that end had reached the other one 10 s after the answer. */
  | { readonly kind: "call.one-way-audio"; readonly call: LiveCall; readonly silent: MediaEnd }
  /** Also of a call that was refused, which never began. */
  | { readonly kind: "call.ended"; readonly record: EndedCall }
  | { readonly kind: "trunk.up" | "trunk.down"; readonly trunk: TrunkName; readonly detail: string }
  | { readonly kind: "trunk.paused" | "trunk.resumed"; readonly trunk: TrunkName }
  /** The bridge's own, with which it meets that trunk; `endsAtMs` is in ms since the epoch. */
  | { readonly kind: "certificate.ending"; readonly trunk: TrunkName; readonly endsAtMs: number }
  | { readonly kind: "message.delivered" | "message.failed"; readonly direction: TextDirection }
  | { readonly kind: "store.failed"; readonly reason: string }
  | { readonly kind: "store.mended" }
  | { readonly kind: "bridge.draining" }
  | LimitEvent
  | PatternEvent
  | { readonly kind: "calls.stopped"; readonly scope: Scope; readonly inbound: boolean; readonly who: string }
  | { readonly kind: "calls.started"; readonly scope: Scope }
);

/** Those that a webhook may be told. What the store cannot write, say, cannot be kept for it either. */
export const webhookEvents = [
  "call.began",
  "call.rang",
  "call.connected",
  "call.ended",
  "call.one-way-audio",
  "trunk.up",
  "trunk.down",
  "trunk.paused",
  "trunk.resumed",
  "certificate.ending",
  "limit.warned",
  "limit.reached",
  "calls.stopped",
  "calls.started",
  "pattern.held",
  "message.delivered",
  "message.failed",
  "bridge.draining",
] as const satisfies readonly BridgeEvent["kind"][];

/** The listener was too slow: so many events before the next one were dropped. */
export interface Overrun {
  readonly kind: "feed.overrun";
  readonly missed: number;
}

/** The next one is told when the promise, if there is one, is settled. */
export type Listener<Event> = (event: Event) => void | Promise<void>;
