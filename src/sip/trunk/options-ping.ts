// Whether a trunk answers: OPTIONS to its gateways at intervals (RFC 3261 s11), the connection it needs, and what
// calls meet. One gateway that answers is enough for the trunk to be up.
import type { Clock } from "../../ports/clock.ts";
import type { TrunkHealth } from "../../ports/sip.ts";
import type { Log } from "../../ports/telemetry.ts";
import { retryAfterMs } from "../headers/retry-after.ts";
import type { FinalResponse } from "../user-agent/peer-request.ts";
import { bracketed, targetKey, type Endpoint, type Target } from "../transport/sockets/target.ts";

export interface OptionsPingOptions {
  readonly name: TrunkHealth["name"];
  readonly clock: Clock;
  /** 0: no OPTIONS. */
  readonly intervalMs: number;
  readonly answerWithinMs: number;
  /** The transport keeps a connection to the server. */
  readonly connected: boolean;
  /** The gateway to use, none of `tried`. */
  readonly pick: (tried: ReadonlySet<string>) => Promise<Target | undefined>;
  readonly all: () => Promise<readonly Target[]>;
  /** Gateways that failed and have not answered since. */
  readonly down: () => readonly Target[];
  /** `restMs`: for how long it wants to be left alone, where it says so. */
  readonly failed: (target: Target, restMs?: number) => void;
  readonly answered: (target: Target) => void;
  readonly connect: (target: Target) => Promise<void>;
  readonly ask: (target: Target, done: (answer: FinalResponse) => void) => void;
  readonly onHealth: (health: TrunkHealth) => void;
  readonly log: Log;
}

const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 30_000;
/** A connection that held so long and ends was idle or its server restarted: no reason to call the trunk down. */
const HELD_MS = 5_000;

export class OptionsPing {
  readonly #options: OptionsPingOptions;
  #health: TrunkHealth;
  #cancelNext: () => void = () => {};
  /** Of the questions that wait for their answers, by the gateway asked. */
  readonly #giveUps = new Map<string, () => void>();
  /** What the health says, without the gateways that are down. */
  #detail = "";
  #failures = 0;
  #round = 0;
  #running = false;
  #connectedTo: Endpoint | undefined;
  #connectedAtMs = 0;

  constructor(options: OptionsPingOptions) {
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
    for (const cancel of this.#giveUps.values()) cancel();
    this.#giveUps.clear();
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
    this.#round += 1;
    const round = this.#round;
    const current = (): boolean => this.#running && round === this.#round;
    const tried = new Set<string>();
    let reason = "no server to ask";
    for (;;) {
      let target: Target | undefined;
      try {
        target = await this.#options.pick(tried);
        if (!current()) return;
        if (target === undefined) break;
        tried.add(targetKey(target));
        reason = await this.#try(target);
      } catch (error) {
        reason = error instanceof Error ? error.message : String(error);
        if (target === undefined) break;
        if (current()) this.#options.failed(target);
      }
      if (!current()) return;
      if (reason === "") {
        this.#askOthers(tried);
        return;
      }
    }
    this.#down(reason);
    this.#again(this.#backoffMs());
  }

  /** Empty where that gateway works; else why not. Rejects when it cannot be connected to. */
  async #try(target: Target): Promise<string> {
    const { connect, connected, intervalMs, clock } = this.#options;
    if (connected) {
      await connect(target);
      const { address, port } = this.#connectedTo ?? {};
      if (address !== target.address || port !== target.port) this.#connectedAtMs = clock.nowMs();
      this.#connectedTo = target;
    }
    if (intervalMs === 0) {
      this.#up("connected");
      return "";
    }
    const asked = await this.#ask(target);
    if (!asked.works) return asked.detail;
    this.#up(asked.detail);
    this.#again(intervalMs);
    return "";
  }

  /** The gateways that are not used now, so that it is known which of them could be. */
  #askOthers(tried: ReadonlySet<string>): void {
    const { all, intervalMs, log } = this.#options;
    if (intervalMs === 0) return;
    const askAll = async (): Promise<void> => {
      const others = (await all()).filter((target) => !tried.has(targetKey(target)));
      await Promise.all(others.map((target) => this.#ask(target)));
      if (this.#running && others.length > 0) this.#tell(this.#health.state, this.#detail);
    };
    askAll().catch((error: unknown) => log.error("could not check the trunk's gateways", { error }));
  }

  /** OPTIONS to that gateway. Never settles once the trunk has stopped. */
  #ask(target: Target): Promise<{ readonly works: boolean; readonly detail: string }> {
    const { clock, ask, failed, answered, answerWithinMs } = this.#options;
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
        if (!this.#running) return;
        if (answer.kind === "none" || answer.statusCode === 408 || answer.statusCode === 503) {
          failed(target, answer.kind === "none" ? undefined : retryAfterMs(answer));
          const detail = answer.kind === "none" ? answer.message : `OPTIONS answered ${answer.statusCode}`;
          resolve({ works: false, detail });
          return;
        }
        // Any other answer, a refusal too, shows a server that works.
        answered(target);
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

  #tell(state: TrunkHealth["state"], said: string): void {
    const { name, clock, onHealth, log, down } = this.#options;
    this.#detail = said;
    const others = state === "up" ? down().map(({ address, port }) => `${bracketed(address)}:${port}`) : [];
    const detail = others.length === 0 ? said : `${said}; down: ${others.join(", ")}`;
    const changed = this.#health.state !== state;
    const sinceMs = changed ? clock.nowMs() : this.#health.sinceMs;
    const same = !changed && this.#health.detail === detail;
    this.#health = { name, state, detail, sinceMs };
    if (changed && state === "up") log.info("trunk is up", { detail });
    if (changed && state === "down") log.warn("trunk is down", { detail });
    if (!same) onHealth(this.#health);
  }
}
