// The worker processes: where each has its place, which one is asked next, and how one that dies is replaced.
import type { Clock } from "../../../ports/clock.ts";
import type { Log } from "../../../ports/telemetry.ts";
import type { WorkerSettings } from "../base/settings.ts";
import { WorkerLink, type WorkerWatch } from "./worker-link.ts";

export interface Place {
  worker: WorkerLink | undefined;
  readonly sessions: Set<number>;
  /** What they cost, in sessions that pass packets as they are. */
  load: number;
  /** Deaths in a row. */
  deaths: number;
  startedAtMs: number;
}

export interface PlacesOptions {
  readonly workers: number;
  readonly sessionsPerWorker: number;
  readonly log: Log;
  readonly clock: Clock;
}

export interface PlacesWatch extends Omit<WorkerWatch, "ended"> {
  /** The sessions were in a worker that has died. */
  lost(sessions: readonly number[]): void;
}

const backoffMs = { first: 500, most: 30_000 };
/** A worker that ran for so long has not died of its start. */
const settledAfterMs = 60_000;

export class Places {
  readonly #options: PlacesOptions;
  readonly #watch: PlacesWatch;
  readonly #places: readonly Place[];
  readonly #restarts = new Set<() => void>();
  #isStopping = false;

  constructor(options: PlacesOptions, watch: PlacesWatch) {
    this.#options = options;
    this.#watch = watch;
    this.#places = Array.from({ length: options.workers }, () => ({
      worker: undefined,
      sessions: new Set(),
      load: 0,
      deaths: 0,
      startedAtMs: 0,
    }));
  }

  get isStopping(): boolean {
    return this.#isStopping;
  }

  get running(): readonly Place[] {
    return this.#places.filter((place) => place.worker !== undefined);
  }

  /** All of them. Throws why one did not start. */
  async start(settings: WorkerSettings): Promise<void> {
    const started = await Promise.allSettled(this.#places.map(async (place) => this.#start(place, settings)));
    const failed = started.find((each) => each.status === "rejected");
    if (failed === undefined) return;
    await this.stop();
    throw failed.reason;
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    for (const cancel of this.#restarts) cancel();
    this.#restarts.clear();
    await Promise.all(this.#places.map(async (place) => place.worker?.stop()));
  }

  /** Undefined: every one is full or gone. */
  freest(): Place | undefined {
    let freest: Place | undefined;
    for (const place of this.running) {
      if (place.load >= this.#options.sessionsPerWorker) continue;
      if (freest === undefined || place.load < freest.load) freest = place;
    }
    return freest;
  }

  async #start(place: Place, settings: WorkerSettings): Promise<void> {
    const { log, clock } = this.#options;
    place.startedAtMs = clock.nowMs();
    const worker = await WorkerLink.start(settings, log, {
      ...this.#watch,
      ended: (detail) => this.#ended(place, settings, detail),
    });
    if (this.#isStopping) {
      await worker.stop();
      return;
    }
    place.worker = worker;
    log.info("media worker started", { pid: worker.pid });
  }

  #ended(place: Place, settings: WorkerSettings, detail: string): void {
    const { log, clock } = this.#options;
    const wasRunning = place.worker !== undefined;
    place.worker = undefined;
    const lost = [...place.sessions];
    this.#watch.lost(lost);
    if (this.#isStopping) return;
    log.error("media worker ended", { detail, sessions: lost.length });
    // One that never came up fails `start`, or the restart that wanted it.
    if (wasRunning) this.#restart(place, settings, clock.nowMs());
  }

  #restart(place: Place, settings: WorkerSettings, nowMs: number): void {
    const { clock, log } = this.#options;
    place.deaths = nowMs - place.startedAtMs >= settledAfterMs ? 1 : place.deaths + 1;
    const delayMs = Math.min(backoffMs.most, backoffMs.first * 2 ** (place.deaths - 1));
    const cancel = clock.at(nowMs + delayMs, () => {
      this.#restarts.delete(cancel);
      this.#start(place, settings).catch((error: unknown) => {
        log.error("media worker did not start", { error: String(error) });
        if (!this.#isStopping) this.#restart(place, settings, clock.nowMs());
      });
    });
    this.#restarts.add(cancel);
  }
}
