// Our binding at the registrar as data: what each event makes of it, and what is to be done then. No timers and no
// messages here; registration.ts carries the effects out.
import { isSameEndpoint, targetKey, type Endpoint, type Target } from "../transport/sockets/target.ts";
import { refreshAfterMs, retryAfterFailureMs, retryAfterRefusalMs, SHORTEST_BINDING_MS } from "./registration-times.ts";

/** What an operator sees. */
export interface RegistrationStatus {
  /** Undefined: the first REGISTER is not answered yet. */
  readonly registered: boolean | undefined;
  /** "registered for 300 s", "REGISTER answered 403 Forbidden". */
  readonly detail: string;
}

/** What holds whether we are asking or not. */
interface Standing {
  readonly status: RegistrationStatus;
  /** Undefined: we are not bound, or the way to the binding is lost. */
  readonly binding: { readonly at: Target; readonly sinceMs: number } | undefined;
  /** What is asked for: the setting, or what a 423 made of it. */
  readonly expiresMs: number;
  readonly serviceRoute: readonly string[];
  /** In a row, of all registrars together. */
  readonly failures: number;
  readonly refusals: number;
  /** Bindings in a row whose connection was closed at once. */
  readonly shortLived: number;
}

/**
 * ```
 * stopped --start--> asking --bound, refused, failed--> waiting
 *    ^                 ^                                   |
 *    |                 '--time, lost connection, new way---'
 *    '--stop-- asking or waiting
 * ```
 * A binding stands beside this: it begins with `bound` and ends when it is refused, runs out, or its connection is lost.
 */
export type RegistrationState =
  | { readonly phase: "stopped"; readonly standing: Standing }
  /** `asked`: the registrar that has the REGISTER now. One REGISTER at a time (RFC 3261 s10.2). */
  | { readonly phase: "asking"; readonly standing: Standing; readonly asked: Target | undefined }
  | { readonly phase: "waiting"; readonly standing: Standing };

/** How one attempt ended, all registrars together. `expiresMs` as last asked for. */
export type RegistrationOutcome = { readonly expiresMs: number } & (
  | {
      readonly kind: "bound";
      readonly at: Target;
      readonly grantedMs: number;
      readonly serviceRoute: readonly string[];
    }
  | { readonly kind: "refused"; readonly detail: string }
  /** `restMs`: for how long they want to be left alone, where they say so. */
  | { readonly kind: "failed"; readonly detail: string; readonly restMs: number | undefined }
);

export type RegistrationEvent =
  /** The start, the time of the next REGISTER, or another way to the registrar. */
  | { readonly kind: "due" }
  | { readonly kind: "asks"; readonly target: Target }
  | { readonly kind: "outcome"; readonly outcome: RegistrationOutcome }
  | { readonly kind: "ranOut" }
  | { readonly kind: "connectionLost"; readonly remote: Endpoint }
  /** The trunk answers again after it did not: a registrar that was started anew knows nothing of us. */
  | { readonly kind: "trunkBack" }
  | { readonly kind: "stop" };

export type RegistrationEffect =
  | { readonly kind: "register" }
  /** The next REGISTER, unless something calls for an earlier one. */
  | { readonly kind: "wait"; readonly ms: number }
  /** The binding ends then by itself; undefined: there is none that could. */
  | { readonly kind: "bindingEnds"; readonly ms: number | undefined }
  | { readonly kind: "changed" }
  | { readonly kind: "log"; readonly level: "info" | "warn"; readonly message: string; readonly fields?: object };

export interface RegistrationStep {
  readonly state: RegistrationState;
  readonly effects: readonly RegistrationEffect[];
}

/** The time, and a number in [0, 1) for backoffs. */
export interface RegistrationNow {
  readonly nowMs: number;
  readonly chance: () => number;
}

/** A connection that held so long was lost by chance; one that did not is not opened again at once. */
const HELD_MS = 5_000;
const MAX_SHORT_LIVED = 2;

export function unregistered(expiresMs: number): RegistrationState {
  const standing: Standing = {
    status: { registered: undefined, detail: "not registered yet" },
    binding: undefined,
    expiresMs: Math.max(expiresMs, SHORTEST_BINDING_MS),
    serviceRoute: [],
    failures: 0,
    refusals: 0,
    shortLived: 0,
  };
  return { phase: "stopped", standing };
}

/** `due` starts it; once it has stopped only that does anything. */
export function stepRegistration(
  state: RegistrationState,
  event: RegistrationEvent,
  now: RegistrationNow,
): RegistrationStep {
  const { standing } = state;
  if (event.kind === "due") return register(state);
  if (state.phase === "stopped") return same(state);
  switch (event.kind) {
    case "stop":
      return same({ phase: "stopped", standing });
    case "asks":
      return same(state.phase === "asking" ? { ...state, asked: event.target } : state);
    case "outcome":
      return ended(standing, event.outcome, now);
    case "ranOut":
      return tell({ ...state, standing: { ...standing, binding: undefined } }, false, "registration ran out");
    case "connectionLost":
      return connectionLost(state, event.remote, now);
    case "trunkBack": {
      const { status, refusals, shortLived } = standing;
      if (status.registered === undefined || refusals > 0 || shortLived > MAX_SHORT_LIVED) return same(state);
      return isFresh(standing, now) ? same(state) : register(state);
    }
  }
}

export function isBoundAt({ standing: { binding } }: RegistrationState, target: Target): boolean {
  return binding !== undefined && targetKey(binding.at) === targetKey(target);
}

function isFresh({ binding }: Standing, { nowMs }: RegistrationNow): boolean {
  return binding !== undefined && nowMs - binding.sinceMs < HELD_MS;
}

function register(state: RegistrationState): RegistrationStep {
  if (state.phase === "asking") return same(state);
  return { state: { phase: "asking", standing: state.standing, asked: undefined }, effects: [{ kind: "register" }] };
}

/** The binding over it leads nowhere now: another is made at once, unless registrars keep closing it. */
function connectionLost(state: RegistrationState, remote: Endpoint, now: RegistrationNow): RegistrationStep {
  const { standing } = state;
  const { binding, shortLived } = standing;
  if (binding === undefined || !isSameEndpoint(remote, binding.at)) return same(state);
  const held = !isFresh(standing, now);
  const lost = { ...state, standing: { ...standing, binding: undefined, shortLived: held ? 0 : shortLived + 1 } };
  const log: RegistrationEffect = { kind: "log", level: "info", message: "lost the connection of the registration" };
  if (held) return after([log], register(lost));
  if (state.phase === "asking") return { state: lost, effects: [log] };
  return after([log], failed(lost.standing, "connection closed by the registrar", undefined, now));
}

function ended(before: Standing, outcome: RegistrationOutcome, now: RegistrationNow): RegistrationStep {
  const standing = { ...before, expiresMs: outcome.expiresMs };
  switch (outcome.kind) {
    case "refused":
      return refused(standing, outcome.detail, now);
    case "failed":
      return failed(standing, outcome.detail, outcome.restMs, now);
    case "bound":
      if (outcome.grantedMs > 0) return bound(standing, outcome, now);
      return failed(
        { ...standing, binding: undefined },
        "REGISTER answered 200, but not with our Contact",
        undefined,
        now,
      );
  }
}

function bound(
  standing: Standing,
  { at, grantedMs, serviceRoute }: Extract<RegistrationOutcome, { kind: "bound" }>,
  { nowMs, chance }: RegistrationNow,
): RegistrationStep {
  const binding = { at, sinceMs: nowMs };
  const next: RegistrationState = {
    phase: "waiting",
    standing: { ...standing, binding, serviceRoute, failures: 0, refusals: 0 },
  };
  const log: RegistrationEffect = {
    kind: "log",
    level: "info",
    message: "registered",
    fields: { expiresMs: grantedMs },
  };
  const news = standing.status.registered === true ? [] : [log];
  const { state, effects } = tell(next, true, `registered for ${Math.round(grantedMs / 1_000)} s`);
  const waitMs = Math.max(refreshAfterMs(grantedMs, chance()), SHORTEST_BINDING_MS / 2);
  return {
    state,
    effects: [...news, { kind: "bindingEnds", ms: grantedMs }, ...effects, { kind: "wait", ms: waitMs }],
  };
}

/** Nobody took it. The binding there is lasts until it ends, unless the way to it is lost. */
function failed(
  standing: Standing,
  detail: string,
  restMs: number | undefined,
  { chance }: RegistrationNow,
): RegistrationStep {
  const { failures, shortLived, binding } = standing;
  const next: RegistrationState = { phase: "waiting", standing: { ...standing, failures: failures + 1 } };
  const { state, effects } = tell(next, binding !== undefined, detail);
  const ms = restMs === undefined ? retryAfterFailureMs(failures + shortLived, chance()) : restMs + chance() * 1_000;
  const log: RegistrationEffect = { kind: "log", level: "warn", message: "registration failed", fields: { detail } };
  return { state, effects: [log, ...effects, { kind: "wait", ms }] };
}

/** The registrar does not want us. */
function refused(standing: Standing, detail: string, { chance }: RegistrationNow): RegistrationStep {
  const { refusals } = standing;
  const next: RegistrationState = {
    phase: "waiting",
    standing: { ...standing, binding: undefined, refusals: refusals + 1 },
  };
  const { state, effects } = tell(next, false, detail);
  const ms = retryAfterRefusalMs(refusals, chance());
  const log: RegistrationEffect = { kind: "log", level: "warn", message: "registration refused", fields: { detail } };
  return { state, effects: [log, { kind: "bindingEnds", ms: undefined }, ...effects, { kind: "wait", ms }] };
}

function tell(state: RegistrationState, registered: boolean, detail: string): RegistrationStep {
  const { status } = state.standing;
  const changed = status.registered !== registered || status.detail !== detail;
  return {
    state: { ...state, standing: { ...state.standing, status: { registered, detail } } },
    effects: changed ? [{ kind: "changed" }] : [],
  };
}

function same(state: RegistrationState): RegistrationStep {
  return { state, effects: [] };
}

function after(effects: readonly RegistrationEffect[], step: RegistrationStep): RegistrationStep {
  return { state: step.state, effects: [...effects, ...step.effects] };
}
