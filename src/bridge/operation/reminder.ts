// A log line about something that lasts: logged at once, and again at growing intervals for as long as it is true.
import type { Clock } from "../../ports/clock.ts";
import type { Log, LogFields } from "../../ports/telemetry.ts";

const firstIntervalMs = 60_000;
const longestIntervalMs = 3_600_000;

export class Reminder {
  readonly #clock: Pick<Clock, "nowMs">;
  readonly #log: Log;
  /** By line, when it is due again. */
  readonly #said = new Map<string, { dueMs: number; intervalMs: number }>();

  constructor(clock: Pick<Clock, "nowMs">, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** `line` is a constant string. */
  say(line: string, fields: LogFields): void {
    const nowMs = this.#clock.nowMs();
    const said = this.#said.get(line);
    if (said !== undefined && nowMs < said.dueMs) return;
    const intervalMs = said === undefined ? firstIntervalMs : Math.min(said.intervalMs * 2, longestIntervalMs);
    this.#said.set(line, { dueMs: nowMs + intervalMs, intervalMs });
    this.#log.warn(line, fields);
  }

  /** It is not true any more: the next time is a first time. */
  settle(): void {
    this.#said.clear();
  }
}
