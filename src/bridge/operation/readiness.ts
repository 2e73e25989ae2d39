// Whether the bridge could carry a call now, part by part: the answer of `/ready`.
import type { PartReadiness } from "../../ports/admin/admin-door.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver, HomeserverProblem, PingOutcome } from "../../ports/homeserver.ts";
import type { CallMedia } from "../../ports/media.ts";
import type { SipTrunks } from "../../ports/sip.ts";
import { StoreError, type Store } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import type { TrunkName } from "../../core/ids.ts";
import type { StoreWatch } from "./store-watch.ts";
import { pingProblem } from "./homeserver-problem.ts";
import { Reminder } from "./reminder.ts";

export interface ReadinessParts {
  readonly store: Pick<Store, "check">;
  readonly storeWatch: Pick<StoreWatch, "failed" | "failure">;
  readonly homeserver: Pick<Homeserver, "ping">;
  readonly media: Pick<CallMedia, "health">;
  readonly sip: Pick<SipTrunks, "health">;
  /** What keeps calls from beginning. */
  readonly gate: {
    readonly closed: string | undefined;
    isPaused(trunk: TrunkName): boolean;
  };
  readonly clock: Clock;
  readonly log: Log;
  readonly pingIntervalMs: number;
}

/** Whoever mends it should not wait long for the bridge to notice. */
const failedPingIntervalMs = 10_000;

export class Readiness {
  readonly #parts: ReadinessParts;
  readonly #reminder: Reminder;
  #homeserver: PartReadiness = { ready: false, detail: "no answer yet" };
  #cancelPing: () => void = () => {};
  #mediaNotes: readonly string[] = [];
  #complained = false;
  #stopped = false;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
    this.#reminder = new Reminder(parts.clock, parts.log);
  }

  /** By name, to be asked each on its own. One that throws is not ready. */
  readonly parts = {
    store: async (): Promise<PartReadiness> => {
      const { store, storeWatch } = this.#parts;
      try {
        // While it fails, the watch tries it again and again by itself.
        if (storeWatch.failure === undefined) await store.check();
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
        storeWatch.failed(error);
      }
      const { failure } = storeWatch;
      return { ready: failure === undefined, detail: failure?.message ?? "can be written" };
    },
    homeserver: (): PartReadiness => this.#homeserver,
    media: (): PartReadiness => {
      const { ready, free, sessions, detail } = this.#parts.media.health();
      const state = `${sessions} calls, ${free} more possible. ${detail}`;
      return { ready: ready && free > 0, detail: [state, ...this.#mediaNotes].join(". ") };
    },
    /** One trunk that works and is not paused is enough for calls; which ones do not is in the detail. None is while the bridge drains or stops. */
    trunks: (): PartReadiness => {
      const { sip, gate } = this.#parts;
      const shut = gate.closed === "draining" || gate.closed === "restarting";
      const trunks = sip.health();
      const states = trunks.map(({ name, state, detail }) => {
        return `${name} ${gate.isPaused(name) ? "paused, " : ""}${state}: ${detail}`;
      });
      return {
        ready: !shut && trunks.some(({ name, state }) => state !== "down" && !gate.isPaused(name)),
        detail: [...(shut ? ["no new calls begin: the bridge is about to stop"] : []), ...states].join("; "),
      };
    },
  };

  /** Why the homeserver does not work with the bridge yet. */
  homeserverMissing({ line, reason }: HomeserverProblem): void {
    this.#homeserver = { ready: false, detail: `${line} (${reason})` };
  }

  /** What the homeserver said to the first ping; from here on it is pinged again and again. */
  homeserverAnswered(ping: PingOutcome): void {
    const { clock, log, pingIntervalMs } = this.#parts;
    if (ping.kind === "failed") {
      const problem = pingProblem(ping);
      this.homeserverMissing(problem);
      this.#reminder.say(problem.line, { reason: problem.reason });
    } else {
      if (this.#complained) log.info("homeserver and bridge reach each other again");
      this.#homeserver = { ready: true, detail: describePing(ping) };
      this.#reminder.settle();
    }
    this.#complained = ping.kind === "failed";
    const waitMs = ping.kind === "failed" ? failedPingIntervalMs : pingIntervalMs;
    this.#cancelPing = clock.at(clock.nowMs() + waitMs, () => void this.#ping());
  }

  /** Something that some calls will suffer from, and others not. */
  noteMedia(note: string): void {
    this.#mediaNotes = [...this.#mediaNotes, note];
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPing();
  }

  async #ping(): Promise<void> {
    const ping = await this.#parts.homeserver.ping().catch((error: unknown): PingOutcome => ({
      kind: "failed",
      why: "unanswered",
      message: error instanceof Error ? error.message : "no answer",
    }));
    if (!this.#stopped) this.homeserverAnswered(ping);
  }
}

function describePing(ping: Exclude<PingOutcome, { kind: "failed" }>): string {
  if (ping.kind === "unsupported") return "answers, but does not support pings";
  return `answered the ping in ${Math.round(ping.durationMs)} ms`;
}
