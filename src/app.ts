// Puts the parts together, and stops them in the right order. The only file that knows every edge.
import { InboundAdmission } from "./bridge/admission/inbound-admission.ts";
import { Bot } from "./bridge/rooms/bot.ts";
import { Callers } from "./bridge/admission/callers.ts";
import { Retention } from "./bridge/operation/retention.ts";
import { awaitHomeserver, type HomeserverCheckParts } from "./bridge/operation/homeserver-check.ts";
import { createLookup } from "./bridge/directory/lookup.ts";
import { SteadyLedger } from "./bridge/operation/steady-ledger.ts";
import { StoreWatch } from "./bridge/operation/store-watch.ts";
import { RateLimit } from "./bridge/limits/rate-limit.ts";
import { lookupDelay } from "./bridge/directory/lookup-delay.ts";
import { checkNamedPeople } from "./bridge/operation/named-people.ts";
import { checkTurn } from "./bridge/operation/turn-check.ts";
import { Readiness } from "./bridge/operation/readiness.ts";
import { OutboundAdmission } from "./bridge/admission/outbound-admission.ts";
import { RingingRooms } from "./bridge/rooms/ringing-rooms.ts";
import { createFirstCalls } from "./bridge/first-calls/create-first-calls.ts";
import { createRooms } from "./bridge/rooms/create-rooms.ts";
import { EncryptedRooms } from "./bridge/rooms/encrypted-rooms.ts";
import { Switchboard } from "./bridge/calls/switchboard.ts";
import { InboundMessages } from "./bridge/messages/inbound-messages.ts";
import { OutboundMessages } from "./bridge/messages/outbound-messages.ts";
import { Voicemail } from "./bridge/messages/voicemail.ts";
import { systemClock } from "./clock/system-clock.ts";
import { adviseOn } from "./config/checks/advice.ts";
import { toStorePlace } from "./config/mapping/database-mapping.ts";
import {
  toCallerTrust,
  toDidTable,
  toMailboxes,
  toNotices,
  toTrunkFeatures,
  toVirtualUsers,
} from "./config/mapping/inbound-mapping.ts";
import {
  toContacts,
  toDialPlan,
  toGhostIdsOptions,
  toIceServers,
  toIdentities,
  toMediaOptions,
  toPolicy,
  toTrunkMedia,
  toTrunkSettings,
} from "./config/mapping/mapping.ts";
import { formatPath } from "./config/reading/problem.ts";
import type { Registration } from "./config/registration/registration.ts";
import type { Config } from "./config/schema/schema.ts";
import { openContacts } from "./contacts/contacts.ts";
import { parseUserId, type TrunkName } from "./core/ids.ts";
import { findDid, peopleOf, roomsOf } from "./core/number/plan/did.ts";
import { createGhostIds } from "./core/number/ghost/ghost-id.ts";
import { ownersOfMailbox } from "./core/number/plan/mailbox.ts";
import { createStatusServer } from "./http/status-server.ts";
import { createMatrixEdge } from "./matrix/edge.ts";
import { openPeopleRooms } from "./matrix/client/people-rooms.ts";
import { createEmbeddedEngine } from "./media/embedded/engine/engine.ts";
import { probeTurn } from "./media/embedded/client/turn-probe.ts";
import type { MediaEngine } from "./ports/media.ts";
import { createSipTrunks } from "./sip/trunks.ts";
import { openStore } from "./store/open-store.ts";
import { createTelemetry, type LogOptions } from "./telemetry/telemetry.ts";

export interface BridgeOptions {
  readonly config: Config;
  readonly registration: Registration;
  /** With which people are joined to rooms; undefined where the configuration does not want that. */
  readonly peopleToken?: string | undefined;
  /** Instead of `appservice.listen.port`. */
  readonly port?: number | undefined;
  readonly version: string;
  /** Standard output unless given. */
  readonly writeLog?: LogOptions["write"];
  /** Instead of the engine that the configuration names. */
  readonly media?: MediaEngine | undefined;
}

export interface RunningBridge {
  /** Where the homeserver reaches it. */
  readonly port: number;
  /** Health, readiness and metrics. */
  readonly statusPort: number;
  /** Rejects if the homeserver turns out to refuse this configuration; never resolves otherwise. */
  readonly refused: Promise<never>;
  /** Ends the calls on both sides, then everything else. Waits for peers, but not for ever. */
  stop(): Promise<void>;
}

/**
 * Ended calls get so long to be told to everybody, and then trunks so long for what they still owe an answer to. The
 * whole stop has to fit into the 10 s that container runtimes give, also where a trunk is dead.
 */
const drainMs = 5_000;
const sipStopPatienceMs = 1_000;
const dayMs = 24 * 3_600_000;
const pingIntervalMs = 60_000;

/** Resolves when the bridge takes calls. Throws ConfigError, StoreError, or the error of an address in use. */
export async function startBridge(options: BridgeOptions): Promise<RunningBridge> {
  const { config, registration, version } = options;
  const clock = systemClock;
  const telemetry = createTelemetry({
    level: config.logging.level,
    maskNumbers: config.logging.mask_numbers,
    ghostPrefix: config.ghosts.prefix,
    write: options.writeLog,
  });
  const { log } = telemetry;
  for (const { path, message } of adviseOn(config))
    log.warn("configuration is valid, but probably not what you want", { setting: formatPath(path), message });
  const parts = new Parts();
  try {
    const database = await openStore(toStorePlace(config), log);
    parts.onStop(() => database.close());
    const storeWatch = new StoreWatch({ check: () => database.check(), clock, log });
    parts.onStop(async () => storeWatch.stop());
    const store = storeWatch.over(database);
    const ledger = new SteadyLedger({ ledger: store.calls, watch: storeWatch, clock, log });
    const ids = createGhostIds(toGhostIdsOptions(config));
    const plan = toDialPlan(config);
    const policy = toPolicy(config);
    const identities = toIdentities(config);
    const trunkMedia = toTrunkMedia(config);
    const trunkFeatures = toTrunkFeatures(config);
    const trust = toCallerTrust(config);
    const didTable = toDidTable(config);
    const mailboxes = { accounts: toMailboxes(config), numbers: didTable, country: plan.country };
    const notices = toNotices(config);
    const recipients = (called: string, trunk: TrunkName) =>
      findDid(called, trunk, didTable, plan.country, trust.get(trunk)?.numberFormat);

    const media = options.media ?? createEmbeddedEngine({ ...toMediaOptions(config), log, clock });
    const sip = createSipTrunks({
      trunks: toTrunkSettings(config, `matrix-appservice-sip/${version}`),
      sink: (call, fact) => switchboard.takeSip(call, fact),
      arrivals: {
        invited: (arrival) => arrivals.invited(arrival),
        messaged: (arrival) => inboundMessages.take(arrival),
        messageWaiting: (news) => voicemail.messageWaiting(news),
      },
      mayReach: (call, to) => switchboard.mayReach(call, to),
      log,
      clock,
      stopPatienceMs: sipStopPatienceMs,
      onTrunkState: (health) => telemetry.trunkState(health.name, health.state === "up"),
    });
    const matrix = createMatrixEdge({
      registration,
      homeserverUrl: config.homeserver.url,
      domain: config.homeserver.domain,
      host: config.appservice.listen.host,
      port: options.port ?? config.appservice.listen.port,
      inbox: store.inbox,
      sink: (fact) => switchboard.takeMatrix(fact),
      queries: {
        ...createLookup({
          ghostIds: ids,
          virtualUsers: toVirtualUsers(config),
          onFound: (user) => ghosts.prepare(user),
          telemetry,
        }),
        lookupDelay: (user) => lookupDelay(user, { ghosts, calls: () => switchboard.calls, clock }),
        userExists: async (user) => {
          const id = parseUserId(user);
          return id !== undefined && ghosts.isGhost(id) && ghosts.exists(id);
        },
      },
      telemetry,
      clock,
    });
    const { homeserver } = matrix;
    const profiles = openContacts({ ...toContacts(config), log });
    parts.onStop(async () => profiles.book.stop());
    const places = createRooms({
      homeserver,
      ids,
      plan,
      store,
      profiles,
      calls: () => switchboard.calls,
      clock,
      log,
    });
    const { ghosts, rooms, occupied, conversations } = places;
    const fixedRooms = roomsOf(didTable);
    const encryptedRooms = new EncryptedRooms({ homeserver, rooms, occupied, ringingRooms: fixedRooms, clock, log });
    const bot = new Bot({
      user: homeserver.bot,
      ringingRooms: fixedRooms,
      ids,
      rooms,
      conversations,
      homeserver,
      plan,
      policy,
      log,
    });
    const ice = {
      homeserver,
      ghosts,
      configured: toIceServers(config),
      askHomeserver: config.media.ice.homeserver_turn,
    };
    const rung = peopleOf(didTable);
    const people = openPeopleRooms(options.peopleToken, { ...config.homeserver, people: rung, clock, log });
    parts.onStop(async () => people?.stop());
    const first = createFirstCalls({
      ids,
      policy,
      homeserver,
      people,
      rung,
      rooms,
      conversations,
      directory: store.rooms,
      settings: store.settings,
      visits: store.visits,
      clock,
      log,
    });
    parts.onStop(async () => first.stop());
    const { firstCalls, greeter, callBacks } = first;
    const ringingRooms = new RingingRooms({ homeserver, ...places, firstCalls, policy, clock, log });
    const callers = new Callers({ ids, plan, trust: (trunk) => required(trust, trunk) });
    const routing = {
      identities: (trunk: TrunkName) => required(identities, trunk),
      features: (trunk: TrunkName) => required(trunkFeatures, trunk),
    };
    const common = {
      ...routing,
      ids,
      plan,
      policy,
      homeserver,
      ghosts,
      rooms,
      conversations,
      ringingRooms,
      callers,
      recipients,
      callRateLimit: new RateLimit(policy.callsPerMinute, clock),
      clock,
      log,
    };
    const messages = new OutboundMessages({ ...common, sip, directory: store.rooms, telemetry });
    const inboundMessages = new InboundMessages({
      ...common,
      telemetry,
      legOf: (call) => switchboard.addressOf(call),
    });
    const switchboard = new Switchboard({
      ledger: store.calls,
      storeWatch,
      ghosts,
      rooms,
      encryptedRooms,
      conversations,
      bot,
      greeter,
      callBacks,
      messages,
      admission: new OutboundAdmission({ ...common, notices }),
      orders: {
        homeserver,
        media,
        sip,
        ice,
        trunkMedia: (trunk) => required(trunkMedia, trunk),
        ringingRooms,
        firstCalls,
        conversations,
        sameNumber: (one, other) => callers.sameNumber(one, other),
      },
      transfers: { ...common, trust: (trunk) => required(trust, trunk), isOurs: (user) => user === homeserver.bot },
      runner: { ledger, clock, telemetry },
      botUser: homeserver.bot,
    });
    const arrivals = new InboundAdmission({ ...common, notices, calls: switchboard, sip });
    const voicemail = new Voicemail({
      owners: (account, trunk) => ownersOfMailbox(account, trunk, mailboxes),
      conversations,
      homeserver,
      settings: store.settings,
      clock,
      log,
    });
    parts.onStop(async () => voicemail.stop());

    // First of all: Synapse keeps a failed protocol query for an hour, and then no client shows a dial pad.
    await matrix.listen();
    parts.onStop(() => matrix.stop());
    await media.start();
    parts.onStop(() => media.stop());
    await store.conversations.rekey((user) => ghosts.keyOf(user));
    // Before trunks can begin calls of this process, which are nothing to recover.
    const interrupted = await store.calls.open();
    await first.load();
    await sip.start();
    parts.onStop(() => sip.stop());

    const readiness = new Readiness({ store, storeWatch, homeserver, media, sip, clock, log, pingIntervalMs });
    parts.onStop(async () => readiness.stop());
    const status = createStatusServer({
      ...config.http.listen,
      parts: { ...readiness.parts, ...first.notes },
      metrics: () => telemetry.exposition(),
      log,
    });
    await status.listen();
    parts.onStop(() => status.stop());

    for (const call of interrupted) await switchboard.recover(call);
    await matrix.deliver();
    parts.onStop(() => switchboard.drain(drainMs));
    parts.onStop(async () => messages.stop());

    const retention = new Retention({
      ledger: store.calls,
      keepCallsMs: config.database.keep_calls_days * dayMs,
      clock,
      log,
    });
    await retention.start();
    parts.onStop(async () => retention.stop());

    const stopping = new AbortController();
    parts.onStop(async () => stopping.abort());
    const check: HomeserverCheckParts = {
      homeserver,
      ids,
      encoding: config.ghosts.encoding,
      botName: config.appservice.bot_display_name,
      settings: store.settings,
      clock,
      log,
      onProblem: (problem) => readiness.homeserverMissing(problem),
    };
    const refused = awaitHomeserver(check, stopping.signal).then((ping) => {
      if (ping !== undefined) {
        readiness.homeserverAnswered(ping);
        void checkNamedPeople(rung.keys(), homeserver, log, stopping.signal);
        void checkTurn({ ...ice, probe: probeTurn, log }).then((note) => {
          if (note !== undefined) readiness.noteMedia(note);
        });
        void first.begin();
      }
      return new Promise<never>(() => {});
    });
    const cannotGoOn = Promise.race([refused, storeWatch.taken]);
    cannotGoOn.catch(() => {});
    log.info("bridge is up", { version, port: matrix.port(), statusPort: status.port() });
    return { port: matrix.port(), statusPort: status.port(), refused: cannotGoOn, stop: () => parts.stop() };
  } catch (error) {
    await parts.stop();
    throw error;
  }
}

/** What was started, to be stopped in the opposite order. */
class Parts {
  readonly #stops: (() => Promise<void>)[] = [];
  #stopped: Promise<void> | undefined;

  onStop(stop: () => Promise<void>): void {
    this.#stops.push(stop);
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    const failures: unknown[] = [];
    for (const stop of this.#stops.toReversed()) await stop().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, "the bridge could not be stopped cleanly");
  }
}

/** The configuration's checks leave no trunk without its entry. */
function required<T>(byTrunk: ReadonlyMap<TrunkName, T>, trunk: TrunkName): T {
  const found = byTrunk.get(trunk);
  if (found === undefined) throw new Error(`trunk ${trunk} is not configured`);
  return found;
}
