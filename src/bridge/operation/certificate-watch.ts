// Looks twice a day how long the bridge's own certificates are still good.
import type { TrunkName } from "../../core/ids.ts";
import type { BridgeEvent } from "../../ports/admin/bridge-event.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Log, Telemetry } from "../../ports/telemetry.ts";

export interface CertificateWatchParts {
  /** Of each trunk that has one, when its certificate ends (ms since the epoch). */
  readonly ends: () => ReadonlyMap<TrunkName, number>;
  readonly emit: (event: BridgeEvent) => void;
  readonly telemetry: Pick<Telemetry, "certificateEnds">;
  readonly clock: Clock;
  readonly log: Log;
}

const hourMs = 3_600_000;
const intervalMs = 12 * hourMs;
const dayMs = 24 * hourMs;
const toldAtDays = [21, 14, 7];
/** From here on it is told each day. */
const lastDays = 3;

export class CertificateWatch {
  readonly #parts: CertificateWatchParts;
  /** By trunk, which end was told, and at which step. */
  readonly #told = new Map<TrunkName, string>();
  #cancel: () => void = () => {};

  constructor(parts: CertificateWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.look();
    const { clock } = this.#parts;
    this.#cancel = clock.at(clock.nowMs() + intervalMs, () => this.start());
  }

  stop(): void {
    this.#cancel();
  }

  /** Also when the configuration has changed. */
  look(): void {
    const { ends, emit, telemetry, clock, log } = this.#parts;
    const atMs = clock.wallMs();
    for (const [trunk, endsAtMs] of ends()) {
      telemetry.certificateEnds(trunk, endsAtMs);
      const daysLeft = Math.floor((endsAtMs - atMs) / dayMs);
      const step = daysLeft <= lastDays ? daysLeft : toldAtDays.findLast((days) => daysLeft <= days);
      const told = `${endsAtMs} ${step}`;
      if (step === undefined || this.#told.get(trunk) === told) continue;
      this.#told.set(trunk, told);
      log.warn("the certificate for a trunk nears its end: renew it", { trunk, daysLeft });
      emit({ kind: "certificate.ending", atMs, trunk, endsAtMs });
    }
  }
}
