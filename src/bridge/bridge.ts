// The front door: everything between the ports is made here (wiring.ts), started, watched, and stopped in order. Knows
// no edge, only their ports. What it offers besides is what an admin's tools need.
import { doneWithin } from "../ports/done-within.ts";
import type { CallId, TrunkName, UserId } from "../core/ids.ts";
import type { Call } from "../core/call/model/call.ts";
import { chargedTo, failsOverTo, isRunning, trunkLegsOf } from "../core/call/model/queries.ts";
import type { PlannedCall } from "../core/number/plan/dial-plan.ts";
import { explainArrived, explainDialled } from "../core/policy/number-explanation.ts";
import type { BridgeDoor, ExplainQuery, NumberExplanation } from "../ports/admin/admin-door.ts";
import { noLadders } from "../ports/ladders/ladder.ts";
import { findRecords } from "./observation/history.ts";
import { limitsOf, usersOf } from "./observation/people.ts";
import { awaitHomeserver } from "./operation/homeserver-check.ts";
import { checkNamedPeople } from "./operation/named-people.ts";
import { followSettings } from "./operation/settings-change.ts";
import { StopList } from "./operation/stop-list.ts";
import { spendingDesk } from "./spending/spending-desk.ts";
import { checkConferences } from "./operation/conference-check.ts";
import { checkTurn } from "./operation/turn-check.ts";
import type { BridgePorts, BridgeSettings } from "./setup.ts";
import { wire, type Wired } from "./wiring.ts";

export interface Bridge extends BridgeDoor {
  /** Resolves when calls are taken. Rejects with StoreError or the error of an address in use; then nothing is left running. */
  start(): Promise<void>;
  /**
   * Other settings, all at once. Calls that are up keep what they were begun with; everything else goes by the new ones from
   * now on. Resolves when all that follows from them is done; never rejects.
   */
  apply(next: BridgeSettings): Promise<void>;
  /** Ends the calls on both sides, then everything else. Waits for peers, but not for ever. */
  stop(): Promise<void>;
  /** Rejects if this configuration can never work with the homeserver, or another bridge took the store over. Never resolves. */
  readonly refused: Promise<never>;
}

/**
 * Ended calls get so long to be told to everybody. With what trunks and homeserver still need, the whole stop has to fit
 * into the 10 s that container runtimes give.
 */
const endMs = 5_000;

export function createBridge(ports: BridgePorts, settings: BridgeSettings): Bridge {
  return openDoor(wire(ports, settings), ports);
}

/** The door of what is wired already. */
export function openDoor(inside: Wired, ports: BridgePorts): Bridge {
  const { matrix, sip, media, clock, telemetry, ladders = noLadders } = ports;
  const { log } = telemetry;
  const { homeserver } = matrix;
  const { callEvents, emit, events, first, gate, hangUps, index, readiness, settings, store, storeWatch, switchboard } =
    inside;
  const stops = new StopList();
  const stopping = new AbortController();
  let isMet = false;
  let refuse: (error: unknown) => void = () => {};
  const refused = new Promise<never>((_, reject) => (refuse = reject));
  // Whoever starts the bridge may not be listening yet.
  refused.catch(() => {});

  async function open(): Promise<void> {
    stops.add(() => storeWatch.stop());
    storeWatch.taken.catch(refuse);
    stops.add(() => first.stop());
    stops.add(() => inside.voicemail.stop());
    // First of all: Synapse keeps a failed protocol query for an hour, and then no client shows a dial pad.
    await matrix.listen(inside.matrixSinks);
    stops.add(() => matrix.stop());
    await media.start();
    stops.add(() => media.stop());
    await store.conversations.rekey((user) => inside.ghosts.ours(user).key);
    // Before trunks can begin calls of this process, which are nothing to recover.
    const interrupted = await store.calls.open();
    await first.load();
    await inside.blocks.load();
    await inside.quiet.load();
    await inside.ringTimes.load();
    await inside.clientKinds.load(inside.rung.people().keys());
    await inside.keypads.load();
    await inside.spending.load();
    await inside.callStops.load();
    await inside.patterns.load();
    await sip.start(inside.sipSinks);
    stops.add(() => sip.stop());
    stops.add(() => readiness.stop());
    for (const call of interrupted) await switchboard.recover(call);
    inside.spending.settleLeft();
    await matrix.deliver();
    stops.add(() => inside.endCalls(endMs));
    stops.add(() => inside.messages.stop());
    stops.add(() => inside.ringBacks.stop());
    await inside.retention.start();
    stops.add(() => inside.retention.stop());
    inside.certificates.start();
    stops.add(() => inside.certificates.stop());
    stops.add(() => inside.adminRoom.stop());
    stops.add(() => stopping.abort());
    void meetHomeserver(stopping.signal).catch(refuse);
  }

  /** Until it accepts the bridge. Rejects if it never will. */
  async function meetHomeserver(stopped: AbortSignal): Promise<void> {
    const ping = await awaitHomeserver(inside.homeserverCheck, stopped);
    if (ping === undefined) return;
    readiness.homeserverAnswered(ping);
    isMet = true;
    void checkNamedPeople(inside.rung.people().keys(), homeserver, log, stopped);
    void checkTurn({ ...inside.ice, probe: ports.probeTurn, log }).then((note) => {
      if (note !== undefined) readiness.noteMedia(note);
    });
    void checkConferences(homeserver, log).then((note) => {
      if (note !== undefined) readiness.noteMedia(note);
    });
    void first.begin();
    void inside.keypads.clear();
  }

  async function apply(next: BridgeSettings): Promise<void> {
    const before = { trunks: settings.now.trunks, people: inside.rung.people() };
    settings.replace(next);
    inside.certificates.look();
    const removed = [...before.trunks.keys()].filter((name) => !next.trunks.has(name));
    const newPeople = [...inside.rung.people().keys()].filter((person) => !before.people.has(person));
    const { clientKinds, ghosts } = inside;
    const parts = { index, gate, clientKinds, ghosts, conversations: store.conversations, log };
    await followSettings({ removed, newPeople }, parts);
    if (!isMet || newPeople.length === 0) return;
    void checkNamedPeople(newPeople, homeserver, log, stopping.signal);
    void first.greeter.start();
  }

  const callsOf = (person: UserId): number =>
    index.groups.chargedTo(person).filter(({ call }) => isRunning(call)).length;
  const wallAheadMs = (): number => clock.wallMs() - clock.nowMs();

  function explain({ text, person, trunk, fromTrunk }: ExplainQuery): NumberExplanation | undefined {
    const { ids } = inside;
    const { plan, policy, numbers } = settings.now;
    if (fromTrunk === undefined) {
      if (trunk !== undefined && !isTrunk(trunk)) return undefined;
      return { way: "dialled", found: explainDialled(text, { ids, plan, policy, person, trunk, isBlocked }) };
    }
    const trust = settings.now.trunks.get(fromTrunk)?.trust;
    if (trust === undefined) return undefined;
    return { way: "arrived", found: explainArrived(text, { ids, plan, numbers, trunk: fromTrunk, trust }) };
  }

  function end(call: CallId, reason: string): boolean {
    const runner = index.running(call);
    if (runner === undefined) return inside.testCalls.end(call);
    runner.log.info("an administrator ends a call", { reason });
    void runner.post({ kind: "admin.ended" });
    return true;
  }

  const isBlocked = (planned: PlannedCall): boolean => inside.blocks.bars(planned);
  const isAdmin = (person: UserId): boolean => inside.admins().has(person);
  const isTrunk = (trunk: TrunkName): boolean => settings.now.trunks.has(trunk);
  const noteGate = (kind: "trunk.paused" | "trunk.resumed", trunk: TrunkName): void => {
    log.info(kind === "trunk.paused" ? "trunk paused: no calls begin over it" : "trunk takes calls again", { trunk });
    emit({ kind, atMs: clock.wallMs(), trunk });
  };

  const door: Bridge = {
    refused,
    readiness: { ...readiness.parts, ...first.notes },
    async start() {
      try {
        await open();
      } catch (error) {
        await stops.stop();
        throw error;
      }
    },
    stop: () => stops.stop(),
    apply,
    calls: () =>
      Promise.all(
        index.runners.map(async (runner) => ({
          ...callEvents.view(runner),
          media: await inside.sessions.stats(runner.id),
        })),
      ),
    end,
    quality: inside.quality,
    records: (query) =>
      findRecords(query, {
        ledger: store.calls,
        country: settings.now.plan.country,
        shownNumber: (number) => telemetry.shownNumber(number),
      }),
    ladder: (call, wholeNumbers) => ladders.ofCall(call, wholeNumbers),
    trunkLadder: (trunk, wholeNumbers) => (isTrunk(trunk) ? ladders.ofTrunk(trunk, wholeNumbers) : undefined),
    closed: () => gate.closed,
    testCalls: inside.testCalls,
    numbers: () => settings.now.numbers.rules,
    explain,
    users: () => usersOf({ ...settings.now, callsOf }),
    limits: () =>
      limitsOf(
        { ...settings.now, callsOf },
        index.groups.running.size,
        [...index.groups.running].flatMap(({ call }) => chargedTo(call) ?? []),
      ),
    logLevel: () => telemetry.logLevel(),
    setLogLevel: (level) => telemetry.setLogLevel(level),
    logins: {
      isAdmin,
      byCode: (code) => inside.consoleLogins.redeem(code),
      async byOpenId(token) {
        const person = await homeserver.openIdUser(token);
        return person !== undefined && isAdmin(person) ? person : undefined;
      },
    },
    actions: store.adminActions,
    blocks: inside.blocks,
    spending: spendingDesk({
      spending: inside.spending,
      stops: inside.callStops,
      patterns: inside.patterns,
      policy: () => settings.now.spending,
      running: () => index.runners,
      end,
    }),
    shownNumber: (number) => telemetry.shownNumber(number),
    subscribe: (listener) => events.subscribe(listener),
    trunkAnswers: (trunk) =>
      isTrunk(trunk)
        ? sip.answers(trunk).map(({ atMs, tookMs }) => ({ atMs: atMs + wallAheadMs(), tookMs }))
        : undefined,
    trunks: () =>
      sip.health().map((health) => ({
        health: { ...health, sinceMs: health.sinceMs + wallAheadMs() },
        paused: gate.isPaused(health.name),
        calls: index.runners.filter(({ call }) => usesTrunk(call, health.name)).length,
      })),
    pause(trunk) {
      if (!isTrunk(trunk)) return false;
      if (!gate.pause(trunk)) return true;
      noteGate("trunk.paused", trunk);
      for (const runner of index.runners)
        if (failsOverTo(runner.call, trunk)) void runner.post({ kind: "admin.paused", trunk });
      return true;
    },
    resume(trunk) {
      if (!isTrunk(trunk)) return false;
      if (gate.resume(trunk)) noteGate("trunk.resumed", trunk);
      return true;
    },
    async drain(withinMs) {
      gate.shut("draining");
      log.info("draining: no new calls begin", { calls: index.runners.length, withinMs });
      emit({ kind: "bridge.draining", atMs: clock.wallMs() });
      await doneWithin(withinMs, index.whenEmpty(), clock);
      const left = index.runners.length;
      if (left > 0) await hangUps.endAll(endMs);
      log.info("drained", { ended: left });
      return left;
    },
  };
  inside.front.open(door);
  return door;
}

function usesTrunk(call: Call, trunk: TrunkName): boolean {
  return trunkLegsOf(call).some(({ name }) => name === trunk);
}
