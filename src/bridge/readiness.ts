// Whether the bridge could carry a call now, part by part. Asked by the operator's readiness check.
import type { Clock } from "../ports/clock.ts";
import type { Homeserver, PingOutcome } from "../ports/homeserver.ts";
import type { MediaEngine } from "../ports/media.ts";
import type { SipTrunks } from "../ports/sip.ts";
import type { Store } from "../ports/store.ts";
import type { Log } from "../ports/telemetry.ts";

export interface PartReadiness {
  readonly ready: boolean;
  /** In plain words; never a secret. */
  readonly detail: string;
}

export interface ReadinessParts {
  readonly store: Pick<Store, "check">;
  readonly homeserver: Pick<Homeserver, "ping">;
  readonly media: Pick<MediaEngine, "health">;
  readonly sip: Pick<SipTrunks, "health">;
  readonly clock: Clock;
  readonly log: Log;
  readonly pingIntervalMs: number;
}

export class Readiness {
  readonly #parts: ReadinessParts;
  #homeserver: PartReadiness = { ready: false, detail: "not heard from yet" };
  #cancelPing: () => void = () => {};
  #stopped = false;

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
  }

  /** By name, to be asked each on its own. One that throws is not ready. */
  readonly parts = {
    store: async (): Promise<PartReadiness> => {
      await this.#parts.store.check();
      return { ready: true, detail: "can be written" };
    },
    homeserver: (): PartReadiness => this.#homeserver,
    media: (): PartReadiness => {
      const { ready, free, sessions, detail } = this.#parts.media.health();
      return { ready: ready && free > 0, detail: `${sessions} calls, ${free} more possible. ${detail}` };
    },
    /** One trunk that works is enough for calls; which ones do not is in the detail. */
    trunks: (): PartReadiness => {
      const trunks = this.#parts.sip.health();
      return {
        ready: trunks.some((trunk) => trunk.state !== "down"),
        detail: trunks.map((trunk) => `${trunk.name} ${trunk.state}: ${trunk.detail}`).join("; "),
      };
    },
  };

  /** What the homeserver said to the first ping; from here on it is pinged again and again. */
  homeserverAnswered(ping: PingOutcome): void {
    const { clock, log, pingIntervalMs } = this.#parts;
    const before = this.#homeserver;
    this.#homeserver = describePing(ping);
    if (before.ready && !this.#homeserver.ready)
      log.warn("homeserver does not answer", { detail: this.#homeserver.detail });
    this.#cancelPing = clock.at(clock.nowMs() + pingIntervalMs, () => void this.#ping());
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelPing();
  }

  async #ping(): Promise<void> {
    const ping = await this.#parts.homeserver.ping().catch((error: unknown): PingOutcome => ({
      kind: "failed",
      message: error instanceof Error ? error.message : "no answer",
    }));
    if (!this.#stopped) this.homeserverAnswered(ping);
  }
}

function describePing(ping: PingOutcome): PartReadiness {
  switch (ping.kind) {
    case "answered":
      return { ready: true, detail: `answered the ping in ${Math.round(ping.durationMs)} ms` };
    case "unsupported":
      return { ready: true, detail: "answers, but knows no ping" };
    case "failed":
      return { ready: false, detail: ping.message };
  }
}
