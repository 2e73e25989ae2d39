// Reads the configuration, opens the edges and hands them to the bridge. The only file that knows every edge.
import { fileURLToPath } from "node:url";
import { createBridge } from "./bridge/bridge.ts";
import { StopList } from "./bridge/operation/stop-list.ts";
import { systemClock } from "./clock/system-clock.ts";
import { adviseOn } from "./config/checks/advice.ts";
import { toAdminPort, toWebhook } from "./config/mapping/admin-mapping.ts";
import { toBridgeSettings } from "./config/mapping/bridge-settings.ts";
import { toDidTable } from "./config/mapping/inbound-mapping.ts";
import { toStorePlace } from "./config/mapping/database-mapping.ts";
import { toLadders } from "./config/mapping/ladders-mapping.ts";
import { toEncryption, toMediaOptions, toRtc, toTrunkSettings } from "./config/mapping/mapping.ts";
import { formatPath } from "./config/reading/problem.ts";
import type { Registration } from "./config/registration/registration.ts";
import type { Config } from "./config/schema/schema.ts";
import { openContacts } from "./contacts/contacts.ts";
import type { UserId } from "./core/ids.ts";
import { peopleOf } from "./core/number/plan/did.ts";
import { isLoopback } from "./core/address/host.ts";
import { createAdminServer } from "./http/admin/admin-server.ts";
import { createStatusServer } from "./http/status-server.ts";
import { createWebhook } from "./http/webhook/webhook.ts";
import { createMatrixEdge } from "./matrix/edge.ts";
import { openPeopleRooms } from "./matrix/client/people-rooms.ts";
import { createEmbeddedEngine } from "./media/embedded/engine/engine.ts";
import { probeTurn } from "./media/embedded/client/turn-probe.ts";
import { createCallMedia } from "./media/negotiation/negotiation.ts";
import type { AdminDoor } from "./ports/admin/admin-door.ts";
import type { ReloadReport } from "./ports/admin/reload-report.ts";
import type { CallMedia } from "./ports/media.ts";
import type { Log } from "./ports/telemetry.ts";
import { createSipTrunks } from "./sip/trunks.ts";
import { openLadders } from "./ladders/open/open-ladders.ts";
import { Reloader, type ConfigSource } from "./config/reload/reloader.ts";
import { openStore } from "./store/open-store.ts";
import { createTelemetry, type LogOptions } from "./telemetry/telemetry.ts";
import type { RunningTracing } from "./telemetry/tracing.ts";

export interface BridgeOptions {
  readonly config: Config;
  readonly registration: Registration;
  /** With which people are joined to rooms; undefined where the configuration does not want that. */
  readonly peopleToken?: string | undefined;
  /** Of which the identities of the bridge's users are made; undefined where the configuration does not want them. */
  readonly encryptionSecret?: Uint8Array | undefined;
  /** Where the admin API's socket is to be; undefined: none. */
  readonly adminSocket?: string | undefined;
  /** Where the configuration comes from, to be read again; undefined: it is the same for as long as the bridge runs. */
  readonly source?: ConfigSource | undefined;
  /** Instead of `appservice.listen.port`. */
  readonly port?: number | undefined;
  readonly version: string;
  /** How lines of the log are written: JSON unless given. */
  readonly logForm?: LogOptions["form"];
  /** Standard output unless given. */
  readonly writeLog?: LogOptions["write"];
  /** Instead of the engine that the configuration names. */
  readonly media?: CallMedia | undefined;
}

export interface RunningBridge {
  /** Where the homeserver reaches it. */
  readonly port: number;
  /** Health, readiness and metrics. */
  readonly statusPort: number;
  /** The admin API's port, where the configuration has one. */
  readonly adminPort: number | undefined;
  /** Rejects if the homeserver turns out to refuse this configuration; never resolves otherwise. */
  readonly refused: Promise<never>;
  /** What it goes by at the moment. */
  config(): Config;
  /** Reads the configuration again. Never rejects for what it says. */
  reload(): Promise<ReloadReport>;
  /** Begins no more calls, and resolves when the last one has ended; those that are left after `withinMs` are ended. */
  drain(withinMs: number): Promise<number>;
  /** Ends the calls on both sides, then everything else. Waits for peers, but not for ever. */
  stop(): Promise<void>;
}

/** What trunks get for what they still owe an answer to: the whole stop has to fit into the 10 s of container runtimes. */
const sipStopPatienceMs = 1_000;

/** Where the build puts the console, from `src` as from `dist`. */
const consoleFolder = fileURLToPath(new URL("../dist/web/", import.meta.url));

/** Resolves when the bridge takes calls. Throws ConfigError, StoreError, or the error of an address in use. */
export async function startBridge(options: BridgeOptions): Promise<RunningBridge> {
  const { config, registration, version } = options;
  const clock = systemClock;
  const telemetry = createTelemetry(
    {
      level: config.logging.level,
      maskNumbers: config.logging.mask_numbers,
      ghostPrefix: config.ghosts.prefix,
      form: options.logForm,
      write: options.writeLog,
    },
    await tracingOf(config, version),
  );
  const { log } = telemetry;
  for (const { path, message } of adviseOn(config))
    log.warn("configuration is valid, but probably not what you want", { setting: formatPath(path), message });
  if (config.encryption.mode !== "off" && options.encryptionSecret === undefined)
    log.warn("encrypted rooms are not read: there is no secret yet; write it with -r (docs/encryption.md)");
  const settings = toBridgeSettings(config);
  const stops = new StopList();
  stops.add(() => telemetry.stop());
  try {
    const store = await openStore(toStorePlace(config), log);
    stops.add(() => store.close());
    const contacts = openContacts({ ...config.contacts, log });
    stops.add(() => contacts.book.stop());
    const rung = { has: (person: UserId): boolean => peopleOf(toDidTable(reloader.config)).has(person) };
    const people = openPeopleRooms(options.peopleToken, { ...config.homeserver, people: rung, clock, log });
    stops.add(() => people?.stop());
    const kept = openLadders(toLadders(config), {
      ghostPrefix: config.ghosts.prefix,
      shownNumber: (number) => telemetry.shownNumber(number),
      clock,
      log,
    });
    stops.add(() => kept.close());
    const { ladders } = kept;
    const matrix = createMatrixEdge({
      tap: ladders,
      registration,
      bot: config.appservice.bot,
      homeserverUrl: config.homeserver.url,
      domain: config.homeserver.domain,
      host: config.appservice.listen.host,
      port: options.port ?? config.appservice.listen.port,
      encryption: toEncryption(config, options.encryptionSecret),
      rtc: toRtc(config),
      telemetry,
      clock,
    });
    const userAgent = `matrix-appservice-sip/${version}`;
    const trunks = toTrunkSettings(config, userAgent);
    const sip = createSipTrunks({ trunks, tap: ladders, log, clock, stopPatienceMs: sipStopPatienceMs });
    const media =
      options.media ??
      createCallMedia(createEmbeddedEngine({ ...toMediaOptions(config), log, clock }), log, {
        ...config.media,
        conferences: matrix.conferences,
      });
    const ports = { matrix, sip, media, store, contacts, people, probeTurn, ladders, telemetry, clock };
    const bridge = createBridge(ports, settings);
    const { source } = options;
    const reloader = new Reloader({ config, source, bridge, sip, contacts: contacts.book, telemetry, userAgent });
    const door: AdminDoor = {
      ...bridge,
      readiness: { ...bridge.readiness, configuration: reloader.readiness },
      reload: () => reloader.reload(),
    };
    const status = createStatusServer({
      ...config.http.listen,
      parts: door.readiness,
      metrics: () => telemetry.exposition(),
      metricsAccess:
        config.http.open_metrics || isLoopback(config.http.listen.host) ? "open" : { token: config.admin.token },
      clock,
      log,
    });
    const admin = createAdminServer({
      door,
      socketPath: options.adminSocket,
      port: toAdminPort(config),
      consoleFolder: config.admin.console.enabled ? consoleFolder : undefined,
      wholeNumbers: config.admin.whole_numbers,
      version,
      clock,
      log,
    });
    await status.listen();
    stops.add(() => status.stop());
    stops.add(() => admin.stop());
    await admin.start();
    const hook = toWebhook(config);
    if (hook !== undefined) {
      const webhook = createWebhook(hook, { door, queue: store.webhook, version, clock, log });
      stops.add(() => webhook.stop());
      await webhook.start();
    }
    await bridge.start();
    stops.add(() => bridge.stop());
    reloader.started();
    log.info("bridge is up", { version, port: matrix.port(), statusPort: status.port(), adminPort: admin.port() });
    return {
      port: matrix.port(),
      statusPort: status.port(),
      adminPort: admin.port(),
      refused: bridge.refused,
      config: () => reloader.config,
      reload: () => reloader.reload(),
      drain: (withinMs) => bridge.drain(withinMs),
      stop: () => stops.stop(),
    };
  } catch (error) {
    await stops.stop();
    throw error;
  }
}

/** The libraries are read only where somebody wants traces. */
async function tracingOf({ tracing }: Config, version: string): Promise<((log: Log) => RunningTracing) | undefined> {
  if (tracing === undefined) return undefined;
  const { createTracing } = await import("./telemetry/tracing.ts");
  return (log) => createTracing({ url: tracing.url, sampleRatio: tracing.sample_ratio, version, log });
}
