// Measures the audio of calls that are up, every few seconds, and keeps the last ten minutes of each.
import type { Call } from "../../core/call/model/call.ts";
import { noMediaStats, type MediaStats } from "../../core/call/model/media-stats.ts";
import type { CallId } from "../../core/ids.ts";
import { qualityBetween } from "../../core/quality/direction-quality.ts";
import {
  measuredEveryMs,
  type CallMeasured,
  type QualityDoor,
  type QualitySample,
} from "../../ports/admin/quality-door.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/telemetry.ts";
import { EventFeed } from "./event-feed.ts";
import { livePhaseOf } from "./live-call.ts";

export interface QualityWatchParts {
  /** Undefined where the call has no media. Never rejects. */
  readonly stats: (call: CallId) => Promise<MediaStats | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Ten minutes. */
const mostSamples = 120;

interface Series {
  readonly samples: QualitySample[];
  before: MediaStats;
  cancel: () => void;
}

export class QualityWatch implements QualityDoor {
  readonly #parts: QualityWatchParts;
  readonly #feed: EventFeed<CallMeasured>;
  readonly #series = new Map<CallId, Series>();

  constructor(parts: QualityWatchParts) {
    this.#parts = parts;
    this.#feed = new EventFeed(parts.clock, parts.log);
  }

  of(call: CallId): readonly QualitySample[] | undefined {
    return this.#series.get(call)?.samples;
  }

  subscribe: QualityDoor["subscribe"] = (listener) => this.#feed.subscribe(listener);

  /** It has come into another phase. */
  changed(call: Call): void {
    const phase = livePhaseOf(call);
    if (phase === "ending") this.#end(call.id);
    else if (phase === "connected" && !this.#series.has(call.id)) this.#begin(call.id);
  }

  #begin(call: CallId): void {
    const series: Series = { samples: [], before: noMediaStats, cancel: () => {} };
    this.#series.set(call, series);
    this.#wait(call, series);
  }

  #end(call: CallId): void {
    this.#series.get(call)?.cancel();
    this.#series.delete(call);
  }

  #wait(call: CallId, series: Series): void {
    const { clock } = this.#parts;
    series.cancel = clock.at(clock.nowMs() + measuredEveryMs, () => void this.#measure(call, series));
  }

  /** The next one waits for it, so that a slow engine is not asked again and again. */
  async #measure(call: CallId, series: Series): Promise<void> {
    const now = await this.#parts.stats(call);
    if (this.#series.get(call) !== series) return;
    if (now !== undefined) {
      const sample = { atMs: this.#parts.clock.wallMs(), quality: qualityBetween(series.before, now) };
      series.before = now;
      series.samples.push(sample);
      if (series.samples.length > mostSamples) series.samples.shift();
      this.#feed.emit({ kind: "call.measured", call, ...sample });
    }
    this.#wait(call, series);
  }
}
