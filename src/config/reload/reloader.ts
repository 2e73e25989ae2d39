// Reads the configuration again while the bridge runs, and has everything that can take it up at once do so.
import { isDeepStrictEqual } from "node:util";
import { toBridgeSettings } from "../mapping/bridge-settings.ts";
import { toTrunkSettings } from "../mapping/mapping.ts";
import { ConfigError } from "../reading/problem.ts";
import { reloadConfig, type Reloaded } from "./reload.ts";
import type { Config } from "../schema/schema.ts";
import type { AdminDoor, PartReadiness } from "../../ports/admin/admin-door.ts";
import type { ReloadReport } from "../../ports/admin/reload-report.ts";
import type { ContactSources } from "../../ports/contacts.ts";
import type { SipTrunks, TrunkChange } from "../../ports/sip.ts";
import type { Telemetry } from "../../ports/telemetry.ts";

/** The configuration's file. */
export interface ConfigSource {
  readonly path: string;
  /** Reads and checks it again. Throws ConfigError. */
  readonly read: () => Config;
}

type BridgeSettings = ReturnType<typeof toBridgeSettings>;

export interface ReloaderParts {
  readonly config: Config;
  /** Undefined: it does not come from a file. */
  readonly source: ConfigSource | undefined;
  readonly bridge: Pick<AdminDoor, "closed"> & {
    apply(settings: BridgeSettings): Promise<void>;
  };
  readonly sip: Pick<SipTrunks, "prepare">;
  readonly contacts: { change(sources: ContactSources): void };
  readonly telemetry: Pick<Telemetry, "log" | "setLogLevel">;
  readonly userAgent: string;
}

export class Reloader {
  readonly #parts: ReloaderParts;
  #config: Config;
  #isStarted = false;
  #forRestart: readonly string[] = [];
  /** One at a time, in their order. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: ReloaderParts) {
    this.#parts = parts;
    this.#config = parts.config;
  }

  /** What the bridge goes by. */
  get config(): Config {
    return this.#config;
  }

  /** The bridge takes calls. */
  started(): void {
    this.#isStarted = true;
  }

  /** Never keeps the bridge from being ready. */
  readonly readiness = (): PartReadiness => ({
    ready: true,
    detail:
      this.#forRestart.length === 0
        ? "as in the file that was read last"
        : `waits for a restart: ${this.#forRestart.join(", ")}`,
  });

  /** Never rejects for what stands in the file. */
  reload(): Promise<ReloadReport> {
    const report = this.#last.then(() => this.#reload());
    this.#last = report.catch(() => {});
    return report;
  }

  async #reload(): Promise<ReloadReport> {
    const { log } = this.#parts.telemetry;
    const report = await this.#read();
    if (report.kind === "refused") {
      for (const problem of report.problems) log.error("configuration not reloaded: nothing has changed", { problem });
      return report;
    }
    const { applied, forRestart, forLastCall } = report;
    this.#forRestart = forRestart;
    log.info("configuration reloaded", { applied });
    if (forRestart.length > 0) log.warn("changed settings wait for a restart", { settings: forRestart });
    if (forLastCall.length > 0)
      log.warn("trunks take their new settings when their last call has ended", { trunks: forLastCall });
    return report;
  }

  async #read(): Promise<ReloadReport> {
    const { source, bridge } = this.#parts;
    if (source === undefined) return refused("this bridge was not started from a file");
    if (!this.#isStarted) return refused("the bridge is still starting: try again when it is up");
    const closed = bridge.closed();
    if (closed === "draining" || closed === "restarting")
      return refused("the bridge is about to stop: its next start reads the file");
    let found: Reloaded;
    let settings: BridgeSettings;
    let change: TrunkChange;
    try {
      found = reloadConfig(this.#config, source.read(), source.path);
      settings = toBridgeSettings(found.config);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { kind: "refused", problems: error.message.split("\n") };
    }
    try {
      change = await this.#parts.sip.prepare(toTrunkSettings(found.config, this.#parts.userAgent));
    } catch (error) {
      return refused(`a trunk cannot listen: ${error instanceof Error ? error.message : String(error)}`);
    }
    await this.#apply(found.config, settings, change);
    return { kind: "reloaded", applied: found.applied, forRestart: found.waiting, forLastCall: change.waiting };
  }

  /** Everything that decides about calls changes in one turn. */
  async #apply(config: Config, settings: BridgeSettings, change: TrunkChange): Promise<void> {
    const { bridge, contacts, telemetry } = this.#parts;
    const before = this.#config;
    this.#config = config;
    change.commit();
    const followed = bridge.apply(settings);
    if (!isDeepStrictEqual(config.contacts, before.contacts)) contacts.change(config.contacts);
    if (config.logging.level !== before.logging.level) telemetry.setLogLevel(config.logging.level);
    await followed;
  }
}

function refused(...problems: readonly string[]): ReloadReport {
  return { kind: "refused", problems };
}
