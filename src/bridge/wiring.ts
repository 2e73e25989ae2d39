// Makes all that is between the ports, each part after those that it needs. Starts nothing (bridge.ts).
import { parseUserId, type TrunkName } from "../core/ids.ts";
import { findDid, peopleOf, roomsOf } from "../core/number/plan/did.ts";
import { ownersOfMailbox } from "../core/number/plan/mailbox.ts";
import type { BridgeEvent } from "../ports/admin/bridge-event.ts";
import { doneWithin } from "../ports/done-within.ts";
import { noLadders } from "../ports/ladders/ladder.ts";
import { attempt } from "../ports/attempt.ts";
import type { MatrixSinks } from "../ports/homeserver.ts";
import type { SipSinks } from "../ports/sip.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import { CurrentSettings, currentGhostIds } from "./current-settings.ts";
import { CallGate } from "./admission/call-gate.ts";
import { Callers } from "./admission/callers.ts";
import { ClientKinds } from "./admission/client-kinds.ts";
import { InboundAdmission } from "./admission/inbound-admission.ts";
import { OutboundAdmission } from "./admission/outbound-admission.ts";
import { PinGuard } from "./admission/pin-guard.ts";
import { Blocks } from "./blocking/blocks.ts";
import { QuietPeople } from "./blocking/quiet-people.ts";
import { Screen } from "./blocking/screen.ts";
import { CallEvents } from "./calls/call-events.ts";
import { CallIndex } from "./calls/call-index.ts";
import { HangUps } from "./calls/hang-ups.ts";
import { Switchboard } from "./calls/switchboard.ts";
import { RingTimes } from "./choices/ring-times.ts";
import { createLookup } from "./directory/lookup.ts";
import { lookupDelay } from "./directory/lookup-delay.ts";
import { OpenSessions } from "./effects/open-sessions.ts";
import { ConsoleLogins } from "./bot/console-logins.ts";
import { NumberWords } from "./bot/orders/numbers.ts";
import { DialIns } from "./bot/dial-ins.ts";
import { RingBacks, type RingBacksParts } from "./bot/ring-backs.ts";
import { Keypads } from "./in-call/keypads.ts";
import { RoomOrders } from "./in-call/room-orders.ts";
import { createFirstCalls } from "./first-calls/create-first-calls.ts";
import { RateLimit } from "./limits/rate-limit.ts";
import { InboundMessages } from "./messages/inbound-messages.ts";
import { OutboundMessages } from "./messages/outbound-messages.ts";
import { Voicemail } from "./messages/voicemail.ts";
import { AdminRoom } from "./observation/admin-room.ts";
import { EventFeed } from "./observation/event-feed.ts";
import { QualityWatch } from "./observation/quality-watch.ts";
import { TrunkEvents } from "./observation/trunk-events.ts";
import type { HomeserverCheckParts } from "./operation/homeserver-check.ts";
import { FrontDoor } from "./operation/front-door.ts";
import { Readiness } from "./operation/readiness.ts";
import { CertificateWatch } from "./operation/certificate-watch.ts";
import { Retention } from "./operation/retention.ts";
import { SteadyLedger } from "./operation/steady-ledger.ts";
import { StoreWatch } from "./operation/store-watch.ts";
import { Bot } from "./bot/bot.ts";
import { explainDialled } from "../core/policy/number-explanation.ts";
import { TestCalls } from "./test-calls/test-calls.ts";
import { createRooms } from "./rooms/create-rooms.ts";
import { createSpending } from "./spending/create-spending.ts";
import { EncryptedRooms } from "./rooms/encrypted-rooms.ts";
import { RingingRooms } from "./rooms/ringing-rooms.ts";
import type { BridgedTrunk, BridgePorts, BridgeSettings } from "./setup.ts";

const pingIntervalMs = 60_000;

/** Everything inside, for the door; and for tests that act as the edges do. */
export type Wired = ReturnType<typeof wire>;

export function wire(ports: BridgePorts, initial: BridgeSettings) {
  const { sip, clock, telemetry } = ports;
  const { homeserver } = ports.matrix;
  const { log } = telemetry;
  const settings = new CurrentSettings(initial);
  const ids = currentGhostIds(settings);
  const plan = () => settings.now.plan;
  const policy = () => settings.now.policy;
  const common = { homeserver, ids, plan, policy, clock, log };

  const front = new FrontDoor();
  const events = new EventFeed<BridgeEvent>(clock, log);
  const emit = (event: BridgeEvent): void => events.emit(event);
  const texted: Telemetry["texted"] = (direction, outcome) => {
    telemetry.texted(direction, outcome);
    emit({ kind: `message.${outcome}`, atMs: clock.wallMs(), direction });
  };

  const storeWatch = new StoreWatch({
    check: () => ports.store.check(),
    onChange: (failure) => {
      const atMs = clock.wallMs();
      emit(
        failure === undefined
          ? { kind: "store.mended", atMs }
          : { kind: "store.failed", atMs, reason: failure.message },
      );
    },
    clock,
    log,
  });
  const store = storeWatch.over(ports.store);
  const ledger = new SteadyLedger({ ledger: store.calls, watch: storeWatch, clock, log });
  const gate = new CallGate(() => storeWatch.failure !== undefined);
  const index = new CallIndex();
  const hangUps = new HangUps(index, clock);
  const sessions = new OpenSessions(ports.media);
  const quality = new QualityWatch({ stats: (call) => sessions.stats(call), clock, log });
  const callEvents = new CallEvents({
    emit,
    shownNumber: (number) => telemetry.shownNumber(number),
    ladders: ports.ladders ?? noLadders,
    quality,
    clock,
  });

  const places = createRooms({
    ...common,
    encryptRooms: () => settings.now.encryptRooms,
    store,
    profiles: ports.contacts,
    calls: () => index.calls,
  });
  const { ghosts, rooms, occupied, conversations, profiles } = places;
  const rung = {
    rooms: settings.derive(({ numbers }) => roomsOf(numbers)),
    people: settings.derive(({ numbers }) => peopleOf(numbers)),
  };
  const { settings: memory, visits } = store;
  const first = createFirstCalls({
    ...common,
    people: ports.people,
    rung: rung.people,
    ...places,
    directory: store.rooms,
    settings: memory,
    visits,
  });
  const { firstCalls, greeter, callBacks } = first;
  const clientKinds = new ClientKinds({ ...common, wanted: () => settings.now.ringKinds, settings: memory });
  const ringingRooms = new RingingRooms({ ...common, ...places, firstCalls });

  const trust = (name: TrunkName): BridgedTrunk["trust"] => settings.trunk(name).trust;
  const callers = new Callers({ ids, plan, trust });
  const blocks = new Blocks({
    ids,
    plan,
    stored: store.blocks,
    response: () => settings.now.blocking.response,
    clock,
  });
  const pins = new PinGuard({ ...common, pins: () => settings.now.pins, withheld: ids.withheld });
  const { spending, callStops, patterns } = createSpending({
    ...common,
    spending: () => settings.now.spending,
    store: store.spending,
    home: () => plan().country,
    watch: storeWatch,
    post: (leg, fact) => void index.holderOf(leg)?.post(fact),
    isHeld: (leg) => index.holderOf(leg) !== undefined,
    conversations,
    emit,
    telemetry,
  });
  const quiet = new QuietPeople({ ...common, conversations, settings: memory });
  const ringTimes = new RingTimes(memory);
  const calling = {
    ...common,
    ...places,
    pins,
    gate,
    blocks,
    quiet,
    ringTimes,
    screen: new Screen({ blocks, quiet, choices: () => settings.now.blocking }),
    callers,
    clientKinds,
    notices: () => settings.now.notices,
    ringingRooms,
    identities: (name: TrunkName) => settings.trunk(name).identity,
    features: (name: TrunkName) => settings.trunk(name).features,
    recipients: (called: string, name: TrunkName) =>
      findDid(called, name, settings.now.numbers, plan().country, trust(name).numberFormat),
    callRateLimit: new RateLimit(() => policy().callsPerMinute, clock),
    spending,
    stops: callStops,
    sip,
    telemetry: { texted },
  };
  const messages = new OutboundMessages({ ...calling, directory: store.rooms });
  const ice = {
    homeserver,
    ghosts,
    configured: () => settings.now.ice.servers,
    askHomeserver: () => settings.now.ice.askHomeserver,
  };
  const place: RingBacksParts["place"] = (invitation) => switchboard.dial(invitation);
  const dialling = { ...common, ...places, clientKinds, callers, ringingRooms, place };
  const ringBacks = new RingBacks(dialling);
  const dialIns = new DialIns(dialling);
  const admins = (): BridgeSettings["admins"] => settings.now.admins;
  const consoleLogins = new ConsoleLogins({ admins, url: () => settings.now.consoleUrl, clock });
  const keypads = new Keypads({ ...common, settings: memory });
  const switchboard: Switchboard = new Switchboard({
    ...places,
    ringBacks,
    index,
    gate,
    hangUps,
    callEvents,
    sessions,
    ledger: store.calls,
    encryptedRooms: new EncryptedRooms({ ...common, ringingRooms: rung.rooms, rooms, occupied }),
    bot: new Bot({
      ...common,
      ...places,
      ringingRooms: rung.rooms,
      people: rung.people,
      blocks,
      quiet,
      ringTimes,
      ringBacks,
      dialIns,
      consoleLogins,
      admins,
      user: homeserver.bot,
      name: () => settings.now.botName,
      numbers: new NumberWords({ ids, plan, nameOf: (key) => profiles.nameOf(key) }),
      door: front.door,
      noteAction: async ({ target, detail, ...action }) => {
        const noted = { ...action, target, detail: detail && telemetry.shownNumber(detail), atMs: clock.wallMs() };
        log.info("an admin acts", { ...noted, target: undefined, of: target });
        await attempt(store.adminActions.note(noted), log, "what an admin did is in the log alone", {});
      },
    }),
    greeter,
    callBacks,
    messages,
    callOrders: new RoomOrders({ ...common, index, keypads }),
    admission: new OutboundAdmission(calling),
    clientKinds,
    spending,
    orders: {
      homeserver,
      media: sessions,
      sip,
      ice,
      trunkMedia: (name) => settings.trunk(name).media,
      ringingRooms,
      firstCalls,
      conversations,
      sameNumber: (one, other) => callers.sameNumber(one, other),
      pins,
    },
    transfers: { ...calling, trust, isOurs: (user) => user === homeserver.bot },
    runner: { ledger, clock, telemetry },
    botUser: homeserver.bot,
  });
  const testCalls = new TestCalls({
    explain: (text, trunk) =>
      explainDialled(text, {
        ids,
        plan: plan(),
        policy: policy(),
        person: undefined,
        trunk,
        isBlocked: (planned) => blocks.bars(planned),
      }),
    isTrunk: (name) => settings.now.trunks.has(name),
    identities: (name) => settings.trunk(name).identity,
    trunkMedia: (name) => settings.trunk(name).media,
    bot: homeserver.bot,
    gate,
    spending,
    callsInAll: () => ({ limit: policy().callsInAll, used: index.groups.running.size }),
    shownNumber: (number) => telemetry.shownNumber(number),
    sip,
    media: ports.media,
    clock,
    log,
  });
  const inbound = new InboundAdmission({ ...calling, calls: switchboard });
  const inboundMessages = new InboundMessages({ ...calling, legOf: (call) => switchboard.addressOf(call) });
  const owners = (account: string, name: TrunkName) => {
    const { mailboxes: accounts, numbers } = settings.now;
    return ownersOfMailbox(account, name, { accounts, numbers, country: plan().country });
  };
  const voicemail = new Voicemail({ ...common, owners, conversations, settings: memory });
  const readiness = new Readiness({ ...common, store, storeWatch, media: ports.media, sip, gate, pingIntervalMs });
  const trunkEvents = new TrunkEvents(emit, clock);

  const matrixSinks: MatrixSinks = {
    inbox: store.inbox,
    heard: (fact) => switchboard.takeMatrix(fact),
    ours: (room) => rooms.ours(room),
    queries: {
      ...createLookup({
        ghostIds: ids,
        virtualUsers: () => settings.now.virtualUsers,
        onFound: (ghost) => ghosts.prepare(ghost),
        telemetry,
      }),
      lookupDelay: (user) => lookupDelay(user, { ghosts, homeserver, calls: () => index.calls, clock }),
      userExists: async (user) => {
        const id = parseUserId(user);
        return id !== undefined && ghosts.isGhost(id) && ghosts.exists(id);
      },
    },
  };
  const sipSinks: SipSinks = {
    heard: (call, fact) => {
      if (!testCalls.take(call, fact)) switchboard.takeSip(call, fact);
    },
    invited: (arrival) => inbound.invited(arrival),
    messaged: (arrival) => inboundMessages.take(arrival),
    messageWaiting: (news) => voicemail.messageWaiting(news),
    mayReach: (call, to) => switchboard.mayReach(call, to),
    trunkChanged: (health) => {
      telemetry.trunkState(health.name, health.state === "up");
      trunkEvents.changed(health);
    },
  };
  const homeserverCheck: HomeserverCheckParts = {
    ...common,
    encoding: initial.ghostIds.encoding,
    botName: initial.botName,
    settings: memory,
    onProblem: (problem) => readiness.homeserverMissing(problem),
  };
  /** Ends every call, and lets none begin. Waits until nothing is owed to anybody, but no longer than `patienceMs`. */
  const endCalls = (patienceMs: number): Promise<void> => {
    gate.shut("restarting");
    const over = Promise.all([hangUps.endAll(patienceMs), doneWithin(patienceMs, testCalls.stop(), clock)]);
    return over.then(() => undefined);
  };
  const adminRoom = new AdminRoom({ homeserver, room: () => settings.now.adminRoom, clock, log });
  events.subscribe((event) => adminRoom.take(event));
  const certificates = new CertificateWatch({
    ends: () => certificateEnds(settings.now.trunks),
    emit,
    telemetry,
    clock,
    log,
  });
  const retention = new Retention({
    ledger: store.calls,
    actions: store.adminActions,
    spending,
    keepCallsMs: () => settings.now.keepCallsMs,
    clock,
    log,
  });
  return {
    admins,
    blocks,
    callEvents,
    clientKinds,
    consoleLogins,
    emit,
    endCalls,
    events,
    first,
    front,
    gate,
    ghosts,
    hangUps,
    homeserverCheck,
    ice,
    ids,
    index,
    keypads,
    matrixSinks,
    messages,
    quality,
    readiness,
    retention,
    adminRoom,
    certificates,
    ringBacks,
    quiet,
    ringTimes,
    rung,
    sessions,
    settings,
    sipSinks,
    spending,
    callStops,
    patterns,
    store,
    storeWatch,
    switchboard,
    testCalls,
    voicemail,
  };
}

function certificateEnds(trunks: BridgeSettings["trunks"]): ReadonlyMap<TrunkName, number> {
  return new Map(
    [...trunks].flatMap(([name, { certificateEndsAtMs: end }]) => (end === undefined ? [] : [[name, end] as const])),
  );
}
