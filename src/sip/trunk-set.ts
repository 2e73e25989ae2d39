// The trunks that there are: added, changed and taken away while calls are up. A trunk that goes takes no new call, and lives
// until its last one ends.
import { isDeepStrictEqual } from "node:util";
import type { TrunkName } from "../core/ids.ts";
import type { TrunkChange, TrunkSettings } from "../ports/sip.ts";
import type { Log } from "../ports/telemetry.ts";
import type { Calls, TrunkRecord } from "./call/calls.ts";

export interface TrunkSetParts {
  readonly make: (settings: TrunkSettings) => TrunkRecord;
  readonly calls: Pick<Calls, "isUsed" | "whenUnused">;
  /** It has taken its place among the trunks. */
  readonly began: (record: TrunkRecord) => void;
  readonly patienceMs: number;
  readonly log: Log;
}

/** What a trunk reads at the time of use. */
const inPlace = ["sessionTimer", "takesRefer", "followsRefer", "media", "credentials", "tls"] as const;

export class TrunkSet {
  readonly #parts: TrunkSetParts;
  readonly #live = new Map<TrunkName, TrunkRecord>();
  readonly #retired = new Set<TrunkRecord>();
  /** Settings that wait for the last call of their trunk. */
  readonly #waiting = new Map<TrunkName, TrunkSettings>();
  #isStopped = false;

  constructor(parts: TrunkSetParts, trunks: readonly TrunkSettings[]) {
    this.#parts = parts;
    for (const settings of trunks) this.#live.set(settings.name, parts.make(settings));
  }

  get live(): ReadonlyMap<TrunkName, TrunkRecord> {
    return this.#live;
  }

  /** Not one that is not ready yet, or is to go. */
  isLive(record: TrunkRecord): boolean {
    return this.#live.get(record.trunk.settings.name) === record;
  }

  /** Those too that only wait for their last call. From now on none is added. */
  stopped(): readonly TrunkRecord[] {
    this.#isStopped = true;
    return [...this.#live.values(), ...this.#retired];
  }

  /** As `SipTrunks.prepare`. */
  async prepare(next: readonly TrunkSettings[]): Promise<TrunkChange> {
    const { make, calls, patienceMs } = this.#parts;
    const steps = next.map((settings) => ({ settings, old: this.#live.get(settings.name) }));
    const fresh = steps
      .filter(({ settings, old }) => old === undefined || isBeside(old.trunk.settings, settings))
      .map(({ settings }) => make(settings));
    const abort = async (): Promise<void> => {
      await Promise.all(fresh.map((record) => stop(record, patienceMs)));
    };
    const started = await Promise.allSettled(fresh.map(({ trunk }) => trunk.start()));
    const failed = started.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      await abort();
      throw failed.reason;
    }
    const busy = steps.flatMap(({ settings, old }) => {
      const isReplaced = old !== undefined && !isSame(old, settings) && !isInPlace(old.trunk.settings, settings);
      return isReplaced && !isBeside(old.trunk.settings, settings) && calls.isUsed(old) ? [settings.name] : [];
    });
    return { waiting: busy, abort, commit: () => this.#commit(next, fresh) };
  }

  #commit(next: readonly TrunkSettings[], fresh: readonly TrunkRecord[]): void {
    const before = new Map(this.#live);
    this.#live.clear();
    this.#waiting.clear();
    for (const settings of next) {
      const old = before.get(settings.name);
      const made = fresh.find(({ trunk }) => trunk.settings.name === settings.name);
      before.delete(settings.name);
      if (made !== undefined) {
        this.#live.set(settings.name, made);
        this.#parts.began(made);
        if (old !== undefined) this.#retire(old);
      } else if (old !== undefined) {
        this.#live.set(settings.name, old);
        if (isSame(old, settings)) continue;
        if (isInPlace(old.trunk.settings, settings)) old.trunk.change(settings);
        else this.#await(old, settings);
      }
    }
    for (const old of before.values()) this.#retire(old);
  }

  #retire(record: TrunkRecord): void {
    const { calls, patienceMs, log } = this.#parts;
    this.#retired.add(record);
    void record.trunk.retire(patienceMs);
    calls.whenUnused(record, () => {
      void stop(record, patienceMs)
        .catch((error: unknown) => log.error("a trunk did not stop cleanly", { error }))
        .finally(() => this.#retired.delete(record));
    });
  }

  /** Both need the same port: the new one begins when the old one has no call. */
  #await(old: TrunkRecord, settings: TrunkSettings): void {
    this.#waiting.set(settings.name, settings);
    this.#parts.calls.whenUnused(old, () => {
      const wanted = this.#waiting.get(settings.name);
      if (wanted === undefined || this.#live.get(settings.name) !== old || this.#isStopped) return;
      this.#waiting.delete(settings.name);
      void this.#replace(old, wanted);
    });
  }

  async #replace(old: TrunkRecord, settings: TrunkSettings): Promise<void> {
    const { make, patienceMs, log } = this.#parts;
    const name = { trunk: settings.name };
    const former = old.trunk.settings;
    const fresh = make(settings);
    this.#live.set(settings.name, fresh);
    this.#retired.add(old);
    try {
      await stop(old, patienceMs);
      this.#retired.delete(old);
      if (this.#isStopped) return;
      await fresh.trunk.start();
      log.info("trunk started with its new settings", name);
    } catch (error) {
      log.error("trunk could not be started with its new settings: it goes on with the former ones", {
        ...name,
        error,
      });
      const again = make(former);
      if (this.#live.get(settings.name) === fresh) this.#live.set(settings.name, again);
      await again.trunk.start().catch((failure: unknown) => log.error("trunk is down", { ...name, error: failure }));
    }
  }
}

async function stop({ trunk, messaging }: TrunkRecord, patienceMs: number): Promise<void> {
  await trunk.stop(patienceMs);
  messaging.close();
}

function isSame(old: TrunkRecord, settings: TrunkSettings): boolean {
  return isDeepStrictEqual(old.trunk.settings, settings);
}

/** Whether the two differ only in what the trunk reads at the time of use. */
function isInPlace(old: TrunkSettings, settings: TrunkSettings): boolean {
  const same = Object.fromEntries(inPlace.map((key) => [key, old[key]]));
  return listens(old) === listens(settings) && isDeepStrictEqual({ ...settings, ...same }, old);
}

/** Whether a trunk with the new settings can run while the old one still has calls. */
function isBeside(old: TrunkSettings, settings: TrunkSettings): boolean {
  if (isDeepStrictEqual(old, settings) || isInPlace(old, settings)) return false;
  const { port } = settings.local;
  return port === 0 || port !== old.local.port || !listens(old) || !listens(settings);
}

/** Others only open connections. */
function listens({ transport, tls }: TrunkSettings): boolean {
  if (transport === "tls") return tls.certificate !== undefined && tls.key !== undefined;
  return transport === "udp" || transport === "tcp";
}
