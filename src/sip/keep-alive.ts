// Whether a trunk answers: OPTIONS at intervals (RFC 3261 s11), the connection it needs, and what calls meet.
import type { Clock } from "../ports/clock.ts";
import type { TrunkHealth } from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import { retryAfterMs } from "./retry-after.ts";
import type { Answer } from "./sipjs/question.ts";
import type { Endpoint, Target } from "./transport/target.ts";

export interface KeepAliveOptions {
  readonly name: TrunkHealth["name"];
  readonly clock: Clock;
  /** 0: no OPTIONS. */
  readonly intervalMs: number;
  readonly answerWithinMs: number;
  /** The transport keeps a connection to the server. */
  readonly connected: boolean;
  readonly pick: () => Promise<Target | undefined>;
  /** `restMs`: for how long it wants to be left alone, where it says so. */
  readonly failed: (target: Target, restMs?: number) => void;
  readonly answered: (target: Target) => void;
  readonly connect: (target: Target) => Promise<void>;
  readonly ask: (target: Target, done: (answer: Answer) => void) => void;
  readonly onHealth: (health: TrunkHealth) => void;
  readonly log: Log;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** A connection that held so long and ends was idle or its server restarted: no reason to call the trunk down. */
const HELD_MS = 5_000;

export class KeepAlive {
  readonly #options: KeepAliveOptions;
  #health: TrunkHealth;
  #cancelNext: () => void = () => {};
  /** Of the question that waits for its answer. */
  #cancelGiveUp: () => void = () => {};
  #failures = 0;
  #round = 0;
  #running = false;
  #connectedTo: Endpoint | undefined;
  #connectedAtMs = 0;

  constructor(options: KeepAliveOptions) {
    this.#options = options;
    const { name, clock } = options;
    this.#health = { name, state: "unknown", detail: "not asked yet", sinceMs: clock.nowMs() };
  }

  get health(): TrunkHealth {
    return this.#health;
  }

  start(): void {
    this.#running = true;
    if (this.#options.intervalMs > 0 || this.#options.connected) this.#begin();
  }

  stop(): void {
    this.#running = false;
    this.#cancelNext();
    this.#cancelGiveUp();
  }

  /** A connection of ours ended. If it was the one to the server it is opened again: at once when it had held, else later and later. */
  connectionLost(remote: Endpoint, reason: string): void {
    const server = this.#connectedTo;
    if (!this.#running || server === undefined) return;
    if (remote.address !== server.address || remote.port !== server.port) return;
    this.#connectedTo = undefined;
    if (this.#options.clock.nowMs() - this.#connectedAtMs >= HELD_MS) {
      this.#begin();
      return;
    }
    this.#down(reason);
    this.#again(this.#backoffMs());
  }

  /** Without OPTIONS the calls themselves tell. */
  callAnswered(): void {
    if (this.#options.intervalMs === 0) this.#up("INVITE answered");
  }

  callFailed(reason: string): void {
    if (this.#options.intervalMs === 0) this.#down(reason);
  }

  #begin(): void {
    this.#probe().catch((error: unknown) => {
      this.#options.log.error("trunk could not be asked", { error });
      this.#again(this.#backoffMs());
    });
  }

  async #probe(): Promise<void> {
    const { pick, connect, connected, intervalMs, ask, failed, answered, answerWithinMs, clock } = this.#options;
    this.#round += 1;
    const round = this.#round;
    const current = (): boolean => this.#running && round === this.#round;
    let target: Target | undefined;
    try {
      target = await pick();
      if (target === undefined) throw new Error("no server to ask");
      if (connected) await connect(target);
      if (connected && this.#connectedTo === undefined) this.#connectedAtMs = clock.nowMs();
      if (connected) this.#connectedTo = target;
    } catch (error) {
      if (!current()) return;
      if (target !== undefined) failed(target);
      this.#down(error instanceof Error ? error.message : String(error));
      this.#again(this.#backoffMs());
      return;
    }
    if (!current()) return;
    if (intervalMs === 0) {
      this.#up("connected");
      return;
    }
    const asked = target;
    this.#cancelGiveUp();
    const giveUp = clock.at(clock.nowMs() + answerWithinMs, () => {
      if (!current()) return;
      failed(asked);
      this.#down(`OPTIONS not answered within ${answerWithinMs} ms`);
      this.#again(this.#backoffMs());
    });
    this.#cancelGiveUp = giveUp;
    ask(asked, (answer) => {
      giveUp();
      if (!this.#running) return;
      if (answer.kind === "none" || answer.statusCode === 408 || answer.statusCode === 503) {
        if (!current()) return;
        failed(asked, answer.kind === "none" ? undefined : retryAfterMs(answer));
        this.#down(answer.kind === "none" ? answer.message : `OPTIONS answered ${answer.statusCode}`);
        this.#again(this.#backoffMs());
        return;
      }
      // Any other answer, a refusal too, shows a server that works.
      answered(asked);
      this.#up(`OPTIONS answered ${answer.statusCode}`);
      this.#again(intervalMs);
    });
  }

  #backoffMs(): number {
    const doubledMs = Math.min(FIRST_RETRY_MS * 2 ** this.#failures, LONGEST_RETRY_MS);
    this.#failures += 1;
    // Many trunks behind one server must not come back in step.
    return doubledMs * (0.75 + Math.random() / 2);
  }

  #again(afterMs: number): void {
    const { clock } = this.#options;
    this.#cancelNext();
    if (this.#running) this.#cancelNext = clock.at(clock.nowMs() + afterMs, () => this.#begin());
  }

  #up(detail: string): void {
    this.#failures = 0;
    this.#tell("up", detail);
  }

  #down(detail: string): void {
    this.#tell("down", detail);
  }

  #tell(state: "up" | "down", detail: string): void {
    const { name, clock, onHealth, log } = this.#options;
    const changed = this.#health.state !== state;
    const sinceMs = changed ? clock.nowMs() : this.#health.sinceMs;
    const same = !changed && this.#health.detail === detail;
    this.#health = { name, state, detail, sinceMs };
    if (changed && state === "up") log.info("trunk is up", { detail });
    if (changed && state === "down") log.warn("trunk is down", { detail });
    if (!same) onHealth(this.#health);
  }
}
