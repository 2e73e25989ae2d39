// Whether a trunk answers: OPTIONS to its gateways at intervals (RFC 3261 s11), the connection it needs, and what
// calls meet. One gateway that answers is enough for the trunk to be up.
import type { GatewayPool } from "./gateway-pool.ts";
import type { Clock } from "../../ports/clock.ts";
import type { TrunkAnswer, TrunkHealth } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import { Alarm } from "../transport/alarm.ts";
import { bracketed, isSameEndpoint, targetKey, type Endpoint, type Target } from "../transport/sockets/target.ts";

export interface OptionsPingOptions {
  readonly name: TrunkHealth["name"];
  readonly clock: Clock;
  /** 0: no OPTIONS. */
  readonly intervalMs: number;
  readonly answerWithinMs: number;
  /** The transport keeps a connection to the server. */
  readonly connected: boolean;
  readonly pool: Pick<GatewayPool, "pick" | "all" | "down" | "answered">;
  /** `restMs`: for how long it wants to be left alone, where it says so. */
  readonly failed: (target: Target, restMs?: number) => void;
  readonly connect: (target: Target) => Promise<void>;
  readonly ask: (target: Target, done: (answer: FinalResponse) => void) => void;
  readonly onHealth: (health: TrunkHealth, before: TrunkHealth) => void;
  readonly log: Log;
}

const mostAnswers = 100;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** A connection that held so long and ends was idle or its server restarted: no reason to call the trunk down. */
const HELD_MS = 5_000;

/**
 * RFC 3261 s11, RFC 3263 s4.3:
 *
 * ```
 * stopped --start--> asking --a gateway works, none does--> waiting --time, lost connection--> asking
 * ```
 * Each round of questions is an object of its own: what comes of an earlier one is too late.
 */
type State = { readonly phase: "stopped" } | { readonly phase: "asking" } | { readonly phase: "waiting" };

export class OptionsPing {
  readonly #options: OptionsPingOptions;
  readonly #next: Alarm;
  /** Of the questions that wait for their answers, by the gateway asked. */
  readonly #giveUps = new Map<string, () => void>();
  #state: State = { phase: "stopped" };
  /** `said`: its detail without the gateways that are down. */
  #told: { readonly health: TrunkHealth; readonly said: string };
  readonly #answers: TrunkAnswer[] = [];
  /** Rounds in a row that found nothing. */
  #failures = 0;
  /** The one to the server, where it was opened by us. */
  #connection: { readonly to: Endpoint; readonly sinceMs: number } | undefined;

  constructor(options: OptionsPingOptions) {
    this.#options = options;
    const { name, clock } = options;
    this.#next = new Alarm(clock);
    this.#told = { health: { name, state: "unknown", detail: "not asked yet", sinceMs: clock.nowMs() }, said: "" };
  }

  /** Of the gateway in use, the oldest first. */
  get answers(): readonly TrunkAnswer[] {
    return this.#answers;
  }

  get health(): TrunkHealth {
    return this.#told.health;
  }

  start(): void {
    this.#state = { phase: "waiting" };
    if (this.#options.intervalMs > 0 || this.#options.connected) this.#begin();
  }

  stop(): void {
    this.#state = { phase: "stopped" };
    this.#next.stop();
    for (const cancel of this.#giveUps.values()) cancel();
    this.#giveUps.clear();
  }

  /** A connection of ours ended. If it was the one to the server it is opened again: at once when it had held, else later and later. */
  connectionLost(remote: Endpoint, reason: string): void {
    const connection = this.#connection;
    if (this.#state.phase === "stopped" || connection === undefined || !isSameEndpoint(connection.to, remote)) return;
    this.#connection = undefined;
    if (this.#options.clock.nowMs() - connection.sinceMs >= HELD_MS) {
      this.#begin();
      return;
    }
    this.#down(reason);
    this.#again(this.#backoffMs());
  }

  /** Without OPTIONS other requests tell. */
  answered(detail: string): void {
    if (this.#options.intervalMs === 0) this.#up(detail);
  }

  callFailed(reason: string): void {
    if (this.#options.intervalMs === 0) this.#down(reason);
  }

  #begin(): void {
    this.#probe().catch((error: unknown) => {
      this.#options.log.error("could not check the trunk", { error });
      this.#again(this.#backoffMs());
    });
  }

  async #probe(): Promise<void> {
    const round: State = { phase: "asking" };
    this.#state = round;
    const current = (): boolean => this.#state === round;
    const tried = new Set<string>();
    let reason = "no server to ask";
    for (;;) {
      let target: Target | undefined;
      try {
        target = await this.#options.pool.pick(tried);
        if (!current()) return;
        if (target === undefined) break;
        tried.add(targetKey(target));
        reason = await this.#try(target);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        if (target === undefined) break;
        if (this.#options.intervalMs > 0) this.#note(this.#options.clock.nowMs(), undefined);
        if (current()) this.#options.failed(target);
      }
      if (!current()) return;
      if (reason === "") {
        this.#state = { phase: "waiting" };
        this.#askOthers(tried);
        return;
      }
    }
    this.#state = { phase: "waiting" };
    this.#down(reason);
    this.#again(this.#backoffMs());
  }

  /** Empty where that gateway works; else why not. Rejects when it cannot be connected to. */
  async #try(target: Target): Promise<string> {
    const { connect, connected, intervalMs, clock } = this.#options;
    if (connected) {
      await connect(target);
      const before = this.#connection;
      const isSame = before !== undefined && isSameEndpoint(before.to, target);
      this.#connection = { to: target, sinceMs: isSame ? before.sinceMs : clock.nowMs() };
    }
    if (intervalMs === 0) {
      this.#up("connected");
      return "";
    }
    const atMs = clock.nowMs();
    const asked = await this.#ask(target);
    this.#note(atMs, asked.works ? clock.nowMs() - atMs : undefined);
    if (!asked.works) return asked.detail;
    this.#up(asked.detail);
    this.#again(intervalMs);
    return "";
  }

  #note(atMs: number, tookMs: number | undefined): void {
    this.#answers.push({ atMs, tookMs });
    if (this.#answers.length > mostAnswers) this.#answers.shift();
  }

  /** The gateways that are not used now, so that it is known which of them could be. */
  #askOthers(tried: ReadonlySet<string>): void {
    const { pool, intervalMs, log } = this.#options;
    if (intervalMs === 0) return;
    const askAll = async (): Promise<void> => {
      const others = (await pool.all()).filter((target) => !tried.has(targetKey(target)));
      await Promise.all(others.map((target) => this.#ask(target)));
      if (this.#state.phase !== "stopped" && others.length > 0) this.#tell(this.#told.health.state, this.#told.said);
    };
    askAll().catch((error: unknown) => log.error("could not check the trunk's gateways", { error }));
  }

  /** OPTIONS to that gateway. Never settles once the trunk has stopped. */
  #ask(target: Target): Promise<{ readonly works: boolean; readonly detail: string }> {
    const { clock, ask, failed, pool, answerWithinMs } = this.#options;
    const key = targetKey(target);
    return new Promise((resolve) => {
      this.#giveUps.get(key)?.();
      const giveUp = clock.at(clock.nowMs() + answerWithinMs, () => {
        this.#giveUps.delete(key);
        failed(target);
        resolve({ works: false, detail: `OPTIONS not answered within ${answerWithinMs} ms` });
      });
      this.#giveUps.set(key, giveUp);
      ask(target, (answer) => {
        giveUp();
        if (this.#giveUps.get(key) === giveUp) this.#giveUps.delete(key);
        if (this.#state.phase === "stopped") return;
        if (answer.kind === "none" || answer.statusCode === 408 || answer.statusCode === 503) {
          failed(target, answer.kind === "none" ? undefined : retryAfterMs(answer));
          const detail = answer.kind === "none" ? answer.message : `OPTIONS answered ${answer.statusCode}`;
          resolve({ works: false, detail });
          return;
        }
        // Any other answer, a refusal too, shows a server that works.
        pool.answered(target);
        resolve({ works: true, detail: `OPTIONS answered ${answer.statusCode}` });
      });
    });
  }

  #backoffMs(): number {
    const doubledMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    // Many trunks behind one server must not come back in step.
    return doubledMs * (0.75 + Math.random() / 2);
  }

  #again(afterMs: number): void {
    if (this.#state.phase !== "stopped") this.#next.set(afterMs, () => this.#begin());
  }

  #up(detail: string): void {
    this.#failures = 0;
    this.#tell("up", detail);
  }

  #down(detail: string): void {
    this.#tell("down", detail);
  }

  #tell(state: TrunkHealth["state"], said: string): void {
    const { name, clock, onHealth, log, pool } = this.#options;
    const { health: before } = this.#told;
    const others = state === "up" ? pool.down.map(({ address, port }) => `${bracketed(address)}:${port}`) : [];
    const detail = others.length === 0 ? said : `${said}; down: ${others.join(", ")}`;
    const changed = before.state !== state;
    const health = { name, state, detail, sinceMs: changed ? clock.nowMs() : before.sinceMs };
    this.#told = { health, said };
    if (changed && state === "up") log.info("trunk is up", { detail });
    if (changed && state === "down") log.warn("trunk is down", { detail });
    if (changed || before.detail !== detail) onHealth(health, before);
  }
}
