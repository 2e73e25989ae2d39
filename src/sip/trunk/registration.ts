// Our binding at the trunk's registrar (RFC 3261 s10): made, refreshed, mended when its connection or the registrar
// is lost, taken back at the end. What each event makes of it is in registration-state.ts.
import type { GatewayPool } from "./gateway-pool.ts";
import type { Clock } from "../../ports/clock.ts";
import { doneWithin } from "../../ports/done-within.ts";
import type { Log } from "../../ports/telemetry.ts";
import { grantedMs as grantedTo, serviceRouteOf } from "./registration-answer.ts";
import {
  isBoundAt,
  stepRegistration,
  unregistered,
  type RegistrationEffect,
  type RegistrationEvent,
  type RegistrationOutcome,
  type RegistrationState,
  type RegistrationStatus,
} from "./registration-state.ts";
import { chanceOf, minExpiresMs } from "./registration-times.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import { Alarm } from "../transport/alarm.ts";
import { targetKey, type Endpoint, type Target } from "../transport/sockets/target.ts";
import type { SipResponse } from "../wire/message.ts";
import type { SipUri } from "../../core/address/uri.ts";

/** One REGISTER as it is to be sent; the rest of it is the trunk's. */
export interface RegisterParts {
  readonly sipCallId: string;
  readonly cseq: number;
  /** 0 takes the binding back. */
  readonly expiresSeconds: number;
}

export interface RegistrationOptions {
  readonly expiresMs: number;
  /** The Contact that we bind. */
  readonly contact: SipUri;
  readonly answerWithinMs: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The registrars. */
  readonly pool: Pick<GatewayPool, "pick" | "failed" | "answered">;
  /** `cseq` as last sent: answers to challenges raise it. */
  readonly ask: (target: Target, parts: RegisterParts, done: (answer: FinalResponse, cseq: number) => void) => void;
  /** Told of each change of `status`. */
  readonly onChange: () => void;
}

/** A registrar that finds every interval too brief is not asked for ever. */
const MAX_ROUNDS = 5;

export class Registration {
  readonly #options: RegistrationOptions;
  /** RFC 3261 s10.2: one Call-ID for all, and a CSeq that grows. */
  readonly #sipCallId: string;
  #cseq = 0;
  #state: RegistrationState;
  readonly #next: Alarm;
  readonly #bindingEnd: Alarm;
  #cancelGiveUp: () => void = () => {};

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#sipCallId = options.clock.newId();
    this.#state = unregistered(options.expiresMs);
    this.#next = new Alarm(options.clock);
    this.#bindingEnd = new Alarm(options.clock);
  }

  get status(): RegistrationStatus {
    return this.#state.standing.status;
  }

  /** Route for our requests outside of dialogs (RFC 3608 s5). */
  get serviceRoute(): readonly string[] {
    return this.#state.standing.serviceRoute;
  }

  start(): void {
    this.#step({ kind: "due" });
  }

  /** A connection of ours ended. */
  connectionLost(remote: Endpoint): void {
    this.#step({ kind: "connectionLost", remote });
  }

  /** A gateway does not answer. If it is the one that knows us, another one is told where we are. */
  gatewayFailed(target: Target): void {
    if (!isBoundAt(this.#state, target) || this.#state.standing.failures > 0) return;
    this.#options.pool
      .pick(new Set())
      .then((other) => {
        if (other === undefined || isBoundAt(this.#state, other) || this.#state.phase === "stopped") return;
        this.#step({ kind: "due" });
      })
      // Nowhere to go: the refresh will say so.
      .catch(() => {});
  }

  /** The trunk answers again after it did not. */
  trunkBack(): void {
    this.#step({ kind: "trunkBack" });
  }

  /** Takes the binding back; over when that is answered, or after `patienceMs`. */
  async stop(patienceMs: number): Promise<void> {
    const before = this.#state;
    const asked = before.phase === "asking" ? before.asked : undefined;
    const target = before.standing.binding?.at ?? asked;
    this.#step({ kind: "stop" });
    this.#next.stop();
    this.#bindingEnd.stop();
    this.#cancelGiveUp();
    if (before.phase === "stopped" || target === undefined) return;
    if (before.phase === "asking") this.#skipCSeq();
    const answered = new Promise<unknown>((resolve) => this.#send(target, 0, resolve));
    await doneWithin(patienceMs, answered, this.#options.clock);
  }

  #step(event: RegistrationEvent): void {
    const { clock } = this.#options;
    const now = { nowMs: clock.nowMs(), chance: () => chanceOf(clock.newId()) };
    const { state, effects } = stepRegistration(this.#state, event, now);
    this.#state = state;
    for (const effect of effects) this.#do(effect);
  }

  #do(effect: RegistrationEffect): void {
    const { log, onChange } = this.#options;
    switch (effect.kind) {
      case "register":
        this.#next.stop();
        this.#register();
        return;
      case "wait":
        this.#next.set(effect.ms, () => this.#step({ kind: "due" }));
        return;
      case "bindingEnds":
        if (effect.ms === undefined) this.#bindingEnd.stop();
        else this.#bindingEnd.set(effect.ms, () => this.#step({ kind: "ranOut" }));
        return;
      case "changed":
        onChange();
        return;
      case "log":
        log[effect.level](effect.message, { ...effect.fields });
    }
  }

  #register(): void {
    const { expiresMs } = this.#state.standing;
    this.#attempt()
      .catch((error: unknown): RegistrationOutcome => {
        const detail = error instanceof Error ? error.message : String(error);
        return { kind: "failed", detail, restMs: undefined, expiresMs };
      })
      .then((outcome) => this.#step({ kind: "outcome", outcome }))
      .catch((error: unknown) => this.#options.log.error("registration stopped because of an error", { error }));
  }

  /** Registrars in their order until one has an answer (RFC 3263 s4.3). */
  async #attempt(): Promise<RegistrationOutcome> {
    const { pool, contact } = this.#options;
    const tried = new Set<string>();
    let { expiresMs } = this.#state.standing;
    let target: Target | undefined;
    let outcome: RegistrationOutcome = { kind: "failed", detail: "no registrar to ask", restMs: undefined, expiresMs };
    for (let round = 0; ;) {
      if (round === 0) target = await pool.pick(tried);
      if (target === undefined || this.#state.phase === "stopped") return outcome;
      tried.add(targetKey(target));
      const response = await this.#ask(target, expiresMs);
      const detail = response.kind === "none" ? response.message : described(response);
      if (response.kind === "none" || isNoAnswer(response.statusCode)) {
        const restMs = response.kind === "none" ? undefined : retryAfterMs(response);
        pool.failed(target, restMs);
        outcome = { kind: "failed", detail, restMs, expiresMs };
        round = 0;
        continue;
      }
      pool.answered(target);
      const { statusCode } = response;
      if (statusCode >= 200 && statusCode < 300) {
        const grantedMs = grantedTo(response, contact, expiresMs);
        return { kind: "bound", at: target, grantedMs, serviceRoute: serviceRouteOf(response), expiresMs };
      }
      const leastMs = statusCode === 423 ? minExpiresMs(response) : undefined;
      round += 1;
      if (leastMs === undefined || leastMs <= expiresMs || round > MAX_ROUNDS) {
        return { kind: "refused", detail, expiresMs };
      }
      expiresMs = leastMs;
    }
  }

  /** Never settles once the trunk has stopped. */
  #ask(target: Target, expiresMs: number): Promise<FinalResponse> {
    const { clock, answerWithinMs } = this.#options;
    this.#step({ kind: "asks", target });
    return new Promise((resolve) => {
      const giveUp = clock.at(clock.nowMs() + answerWithinMs, () => {
        this.#skipCSeq();
        resolve({ kind: "none", fault: "timeout", message: `REGISTER not answered within ${answerWithinMs} ms` });
      });
      this.#cancelGiveUp = giveUp;
      this.#send(target, expiresMs, (response) => {
        giveUp();
        resolve(response);
      });
    });
  }

  #send(target: Target, expiresMs: number, done: (response: FinalResponse) => void): void {
    this.#cseq += 1;
    const parts = { sipCallId: this.#sipCallId, cseq: this.#cseq, expiresSeconds: Math.ceil(expiresMs / 1_000) };
    this.#options.ask(target, parts, (response, cseq) => {
      this.#cseq = Math.max(this.#cseq, cseq);
      done(response);
    });
  }

  /** Answers to challenges may have raised the CSeq of a request that is not waited for any more. */
  #skipCSeq(): void {
    this.#cseq += 10;
  }
}

function described({ statusCode, reasonPhrase }: SipResponse): string {
  return `REGISTER answered ${statusCode} ${reasonPhrase}`.trim();
}

/** The registrar cannot say: another one may. */
function isNoAnswer(statusCode: number): boolean {
  return statusCode === 408 || (statusCode >= 500 && statusCode < 600);
}
