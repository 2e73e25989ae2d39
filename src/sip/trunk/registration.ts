// Our binding at the trunk's registrar (RFC 3261 s10): made, refreshed, mended when its connection or the registrar
// is lost, taken back at the end. How requests reach us over it is the trunk's business.
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import { grantedMs, serviceRouteOf } from "./registration-answer.ts";
import {
  chanceOf,
  minExpiresMs,
  refreshAfterMs,
  retryAfterFailureMs,
  retryAfterRefusalMs,
  SHORTEST_BINDING_MS,
} from "./registration-times.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { FinalResponse } from "../sipjs/out-of-dialog-request.ts";
import { targetKey, type Endpoint, type Target } from "../transport/sockets/target.ts";
import type { SipResponse } from "../wire/message.ts";
import type { SipUri } from "../wire/fields/uri.ts";

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
  /** The registrar to ask, none of `tried`. Rejects with TransportError. */
  readonly pick: (tried: ReadonlySet<string>) => Promise<Target | undefined>;
  readonly failed: (target: Target, restMs?: number) => void;
  readonly answered: (target: Target) => void;
  /** `cseq` as last sent: answers to challenges raise it. */
  readonly ask: (target: Target, parts: RegisterParts, done: (answer: FinalResponse, cseq: number) => void) => void;
  /** Told of each change of `state`. */
  readonly onChange: () => void;
}

export interface RegistrationState {
  /** Undefined: the first REGISTER is not answered yet. */
  readonly registered: boolean | undefined;
  /** "registered for 300 s", "REGISTER answered 403 Forbidden". */
  readonly detail: string;
}

/** A registrar that finds every interval too brief is not asked for ever. */
const MAX_ROUNDS = 5;
/** A connection that held so long was lost by chance; one that did not is not opened again at once. */
const HELD_MS = 5_000;
const MAX_SHORT_LIVED = 2;

/** How one attempt ended, all registrars together. */
type Outcome =
  | { readonly kind: "bound"; readonly target: Target; readonly response: SipResponse }
  | { readonly kind: "refused"; readonly detail: string }
  | { readonly kind: "failed"; readonly detail: string; readonly restMs: number | undefined };

export class Registration {
  readonly #options: RegistrationOptions;
  /** RFC 3261 s10.2: one Call-ID for all, and a CSeq that grows. */
  readonly #sipCallId: string;
  #cseq = 0;
  #expiresMs: number;
  #state: RegistrationState = { registered: undefined, detail: "not registered yet" };
  #serviceRoute: readonly string[] = [];
  /** Where the binding stands. Undefined: none does, or the way to it is lost. */
  #boundAt: Target | undefined;
  #boundAtMs = 0;
  /** Who was asked last. */
  #asked: Target | undefined;
  #asking = false;
  #running = false;
  #failures = 0;
  /** Bindings in a row whose connection was closed at once. */
  #shortLived = 0;
  #refusals = 0;
  #cancelNext: () => void = () => {};
  #cancelEnd: () => void = () => {};
  #cancelGiveUp: () => void = () => {};

  constructor(options: RegistrationOptions) {
    this.#options = options;
    this.#sipCallId = options.clock.newId();
    this.#expiresMs = Math.max(options.expiresMs, SHORTEST_BINDING_MS);
  }

  get state(): RegistrationState {
    return this.#state;
  }

  /** Route for our requests outside of dialogs (RFC 3608 s5). */
  get serviceRoute(): readonly string[] {
    return this.#serviceRoute;
  }

  start(): void {
    this.#running = true;
    this.#register();
  }

  /** A connection of ours ended. The binding over it leads nowhere now: another is made at once. */
  connectionLost(remote: Endpoint): void {
    const target = this.#boundAt;
    if (!this.#running || target === undefined) return;
    if (remote.address !== target.address || remote.port !== target.port) return;
    this.#boundAt = undefined;
    this.#options.log.info("lost the connection of the registration");
    const held = this.#options.clock.nowMs() - this.#boundAtMs >= HELD_MS;
    this.#shortLived = held ? 0 : this.#shortLived + 1;
    if (held) this.#register();
    else if (!this.#asking) this.#failed("connection closed by the registrar", undefined);
  }

  /** A gateway does not answer. If it is the one that knows us, another one is told where we are. */
  gatewayFailed(target: Target): void {
    const isOurs = (other: Target | undefined): boolean =>
      other !== undefined && this.#boundAt !== undefined && targetKey(other) === targetKey(this.#boundAt);
    if (!isOurs(target) || this.#failures > 0) return;
    this.#options
      .pick(new Set())
      .then((other) => {
        if (other !== undefined && !isOurs(other)) this.#register();
      })
      // Nowhere to go: the refresh will say so.
      .catch(() => {});
  }

  /** The trunk answers again after it did not: a registrar that was started anew knows nothing of us. */
  trunkBack(): void {
    const fresh = this.#boundAt !== undefined && this.#options.clock.nowMs() - this.#boundAtMs < HELD_MS;
    if (this.#state.registered === undefined || this.#refusals > 0 || fresh) return;
    if (this.#shortLived <= MAX_SHORT_LIVED) this.#register();
  }

  /** Takes the binding back; over when that is answered, or after `patienceMs`. */
  stop(patienceMs: number): Promise<void> {
    const target = this.#boundAt ?? (this.#asking ? this.#asked : undefined);
    const owed = this.#running && target !== undefined;
    this.#running = false;
    this.#cancelNext();
    this.#cancelEnd();
    this.#cancelGiveUp();
    if (!owed) return Promise.resolve();
    if (this.#asking) this.#skipCSeq();
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const cancel = clock.at(clock.nowMs() + patienceMs, resolve);
      this.#send(target, 0, () => {
        cancel();
        resolve();
      });
    });
  }

  #register(): void {
    // One at a time (RFC 3261 s10.2).
    if (!this.#running || this.#asking) return;
    this.#asking = true;
    this.#cancelNext();
    this.#attempt()
      .catch((error: unknown): Outcome => {
        return { kind: "failed", detail: error instanceof Error ? error.message : String(error), restMs: undefined };
      })
      .then((outcome) => {
        this.#asking = false;
        if (!this.#running) return;
        if (outcome.kind === "bound") this.#bound(outcome.target, outcome.response);
        else if (outcome.kind === "refused") this.#refused(outcome.detail);
        else this.#failed(outcome.detail, outcome.restMs);
      })
      .catch((error: unknown) => this.#options.log.error("registration stopped because of an error", { error }));
  }

  /** Registrars in their order until one has an answer (RFC 3263 s4.3). */
  async #attempt(): Promise<Outcome> {
    const { pick, failed, answered } = this.#options;
    const tried = new Set<string>();
    let outcome: Outcome = { kind: "failed", detail: "no registrar to ask", restMs: undefined };
    for (let round = 0; ;) {
      const target = round > 0 ? this.#asked : await pick(tried);
      if (target === undefined || !this.#running) return outcome;
      tried.add(targetKey(target));
      const answer = await this.#ask(target);
      if (answer.kind === "none") {
        failed(target);
        outcome = { kind: "failed", detail: answer.message, restMs: undefined };
        round = 0;
        continue;
      }
      const { statusCode, reasonPhrase } = answer;
      const detail = `REGISTER answered ${statusCode} ${reasonPhrase}`.trim();
      if (statusCode === 408 || (statusCode >= 500 && statusCode < 600)) {
        const restMs = retryAfterMs(answer);
        failed(target, restMs);
        outcome = { kind: "failed", detail, restMs };
        round = 0;
        continue;
      }
      answered(target);
      if (statusCode >= 200 && statusCode < 300) return { kind: "bound", target, response: answer };
      const leastMs = statusCode === 423 ? minExpiresMs(answer) : undefined;
      round += 1;
      if (leastMs === undefined || leastMs <= this.#expiresMs || round > MAX_ROUNDS) return { kind: "refused", detail };
      this.#expiresMs = leastMs;
    }
  }

  /** Never settles once the trunk has stopped. */
  #ask(target: Target): Promise<FinalResponse> {
    const { clock, answerWithinMs } = this.#options;
    return new Promise((resolve) => {
      this.#asked = target;
      const giveUp = clock.at(clock.nowMs() + answerWithinMs, () => {
        this.#skipCSeq();
        resolve({ kind: "none", fault: "timeout", message: `REGISTER not answered within ${answerWithinMs} ms` });
      });
      this.#cancelGiveUp = giveUp;
      this.#send(target, this.#expiresMs, (answer) => {
        giveUp();
        resolve(answer);
      });
    });
  }

  #send(target: Target, expiresMs: number, done: (answer: FinalResponse) => void): void {
    this.#cseq += 1;
    const parts = { sipCallId: this.#sipCallId, cseq: this.#cseq, expiresSeconds: Math.ceil(expiresMs / 1_000) };
    this.#options.ask(target, parts, (answer, cseq) => {
      this.#cseq = Math.max(this.#cseq, cseq);
      done(answer);
    });
  }

  /** Answers to challenges may have raised the CSeq of a request that is not waited for any more. */
  #skipCSeq(): void {
    this.#cseq += 10;
  }

  #bound(target: Target, response: SipResponse): void {
    const { contact, clock, log } = this.#options;
    const expiresMs = grantedMs(response, contact, this.#expiresMs);
    if (expiresMs === 0) {
      this.#boundAt = undefined;
      this.#failed("REGISTER answered 200, but not with our Contact", undefined);
      return;
    }
    this.#failures = 0;
    this.#refusals = 0;
    this.#boundAt = target;
    this.#boundAtMs = clock.nowMs();
    this.#serviceRoute = serviceRouteOf(response);
    if (this.#state.registered !== true) log.info("registered", { expiresMs });
    this.#cancelEnd();
    this.#cancelEnd = clock.at(clock.nowMs() + expiresMs, () => {
      this.#boundAt = undefined;
      this.#tell({ registered: false, detail: "registration ran out" });
    });
    this.#tell({ registered: true, detail: `registered for ${Math.round(expiresMs / 1_000)} s` });
    this.#next(Math.max(refreshAfterMs(expiresMs, this.#chance()), SHORTEST_BINDING_MS / 2));
  }

  /** Nobody took it. The binding there is lasts until it ends, unless the way to it is lost. */
  #failed(detail: string, restMs: number | undefined): void {
    this.#options.log.warn("registration failed", { detail });
    this.#tell({ registered: this.#boundAt !== undefined, detail });
    const waitMs = retryAfterFailureMs(this.#failures + this.#shortLived, this.#chance());
    this.#failures += 1;
    this.#next(restMs === undefined ? waitMs : restMs + this.#chance() * 1_000);
  }

  /** The registrar does not want us. */
  #refused(detail: string): void {
    this.#options.log.warn("registration refused", { detail });
    this.#cancelEnd();
    this.#boundAt = undefined;
    this.#tell({ registered: false, detail });
    this.#next(retryAfterRefusalMs(this.#refusals, this.#chance()));
    this.#refusals += 1;
  }

  #next(afterMs: number): void {
    const { clock } = this.#options;
    this.#cancelNext();
    this.#cancelNext = clock.at(clock.nowMs() + afterMs, () => this.#register());
  }

  #chance(): number {
    return chanceOf(this.#options.clock.newId());
  }

  #tell(state: RegistrationState): void {
    const { registered, detail } = this.#state;
    this.#state = state;
    if (registered !== state.registered || detail !== state.detail) this.#options.onChange();
  }
}
