// A bridge as an admin's tools see it, with one call, one trunk and a history.
import { Blocks } from "../../src/bridge/blocking/blocks.ts";
import { callId, roomId, trunkName, type UserId } from "../../src/core/ids.ts";
import { noMediaStats } from "../../src/core/call/model/media-stats.ts";
import { createGhostIds } from "../../src/core/number/ghost/ghost-id.ts";
import { explainArrived, explainDialled } from "../../src/core/policy/number-explanation.ts";
import type { AdminDoor, RecordQuery, TrunkStatus } from "../../src/ports/admin/admin-door.ts";
import type { HeldCalls, StopOrder } from "../../src/ports/admin/spending-door.ts";
import type { BridgeEvent, Listener, Overrun } from "../../src/ports/admin/bridge-event.ts";
import type { TestCall, TestCallOrder, TestCallPlaced } from "../../src/ports/admin/test-call.ts";
import type { ReloadReport } from "../../src/ports/admin/reload-report.ts";
import type { EndedCall, MeasuredCall } from "../../src/ports/admin/observed-call.ts";
import type { CallMeasured, QualitySample } from "../../src/ports/admin/quality-door.ts";
import type { LadderMessage } from "../../src/ports/ladders/ladder.ts";
import type { NotedAction, RecordPlace } from "../../src/ports/store.ts";
import type { LogLevel } from "../../src/ports/telemetry.ts";
import { openMemoryStore } from "./memory-store.ts";
import { exampleDids, examplePlan, examplePolicy } from "../scenarios/settings.ts";

export const atMs = Date.UTC(2026, 10, 30, 12);
const ann = "@ann:example.org" as UserId;
const main = trunkName("main");

const exampleIds = createGhostIds({
  domain: "example.org",
  prefix: "_sip_",
  encoding: "percent",
  gateway: "sip.example.org",
  sipDomains: [],
  country: "GB",
});

const exampleTestCall: TestCall = {
  id: callId("t-1"),
  number: "+*********81",
  trunk: main,
  phase: "over",
  startedAtMs: atMs,
  rangAfterMs: 300,
  answeredAfterMs: 1_200,
  cause: undefined,
  sipStatus: undefined,
  codec: "PCMA",
  heard: { ...noMediaStats.b, packets: 300, jitterMs: 2 },
};

const liveCall: MeasuredCall = {
  id: callId("c-1"),
  direction: "outbound",
  person: ann,
  room: roomId("!dm:example.org"),
  number: "+*********81",
  called: undefined,
  trunk: main,
  phase: "connected",
  sinceMs: atMs,
  startedAtMs: atMs - 5_000,
  answeredAtMs: atMs,
  media: { codec: "PCMU", a: { ...noMediaStats.a, packets: 50, lastHeardAtMs: atMs }, b: noMediaStats.b },
};

export function endedCall(id: string, changes: Partial<EndedCall> = {}): EndedCall {
  return {
    id: callId(id),
    direction: "outbound",
    leg: undefined,
    room: roomId("!dm:example.org"),
    person: ann,
    matrixCallId: undefined,
    trunk: main,
    sipCallId: undefined,
    number: "+*********81",
    called: undefined,
    cause: "busy",
    result: "callee",
    sipStatus: 486,
    startedAtMs: atMs - 60_000,
    ringingAtMs: undefined,
    answeredAtMs: undefined,
    endedAtMs: atMs,
    media: noMediaStats,
    unsettled: false,
    ...changes,
  };
}

const address = { address: "192.0.2.1", port: 5060 };
const exampleLadder: readonly LadderMessage[] = [
  {
    order: 1,
    atMs,
    from: { lane: "bridge", name: "", address: { address: "192.0.2.9", port: 5070 } },
    to: { lane: "trunk", name: main, address },
    transport: "udp",
    thread: "one@192.0.2.9",
    label: "INVITE",
    isRepeat: false,
    text: "INVITE sip:+*********81@192.0.2.1 SIP/2.0\r\n\r\n",
    leftOutBefore: 0,
  },
  {
    order: 2,
    atMs: atMs + 120,
    from: { lane: "client", name: ann },
    to: { lane: "bridge", name: "" },
    transport: undefined,
    thread: "!dm:example.org",
    label: "m.call.hangup",
    isRepeat: false,
    text: "{}",
    leftOutBefore: 3,
  },
];

export class FakeDoor implements AdminDoor {
  live: readonly MeasuredCall[] = [liveCall];
  history: readonly EndedCall[] = [endedCall("c-3"), endedCall("c-2"), endedCall("c-0")];
  messages: readonly LadderMessage[] = exampleLadder;
  next: RecordPlace | undefined;
  readonly asked: RecordQuery[] = [];
  readonly ended: [string, string][] = [];
  readonly drains: number[] = [];
  readonly noted: NotedAction[] = [];
  /** The store takes no actions. */
  storeFails: Error | undefined;
  level: LogLevel = "info";
  paused = false;
  readonly listeners = new Set<Listener<BridgeEvent | Overrun>>();

  readonly readiness = { store: () => ({ ready: true, detail: "can be written" }) };
  closed() {
    return this.drains.length > 0 ? ("draining" as const) : undefined;
  }
  calls = async () => this.live;
  readonly samples = new Map<string, readonly QualitySample[]>();
  readonly measuring = new Set<Listener<CallMeasured | Overrun>>();
  readonly quality: AdminDoor["quality"] = {
    of: (call) => this.samples.get(call),
    subscribe: (listener) => {
      this.measuring.add(listener);
      return () => void this.measuring.delete(listener);
    },
  };
  readonly placed: TestCallOrder[] = [];
  test: TestCallPlaced = { kind: "placed", call: exampleTestCall };
  readonly testCalls: AdminDoor["testCalls"] = {
    place: async (order) => {
      this.placed.push(order);
      return this.test;
    },
    find: async (call) => (this.test.kind === "placed" && this.test.call.id === call ? this.test.call : undefined),
    end: () => true,
  };
  end(call: string, reason: string): boolean {
    if (!this.live.some(({ id }) => id === call)) return false;
    this.ended.push([call, reason]);
    return true;
  }
  async records(query: RecordQuery) {
    this.asked.push(query);
    if (this.storeFails !== undefined) throw this.storeFails;
    const from = query.after === undefined ? 0 : this.history.findIndex(({ id }) => id === query.after?.id) + 1;
    const records = this.history.slice(from, from + query.limit);
    const last = records.at(-1);
    const isMore = from + records.length < this.history.length;
    return { records, next: this.next ?? (isMore && last ? { id: last.id, endedAtMs: last.endedAtMs } : undefined) };
  }
  ladder: AdminDoor["ladder"] = async (call) => (call === "c-1" ? this.messages : undefined);
  trunkLadder: AdminDoor["trunkLadder"] = (trunk) => (trunk === main ? this.messages.slice(0, 1) : undefined);
  subscribe(listener: Listener<BridgeEvent | Overrun>): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }
  trunks(): readonly TrunkStatus[] {
    const health = { name: main, state: "up", detail: "OPTIONS answered 200", sinceMs: atMs } as const;
    return [{ health, paused: this.paused, calls: 1 }];
  }
  trunkAnswers: AdminDoor["trunkAnswers"] = (trunk) =>
    trunk === main
      ? [
          { atMs, tookMs: 23 },
          { atMs: atMs + 30_000, tookMs: undefined },
        ]
      : undefined;
  pause(trunk: string): boolean {
    if (trunk === main) this.paused = true;
    return trunk === main;
  }
  resume(trunk: string): boolean {
    if (trunk === main) this.paused = false;
    return trunk === main;
  }
  numbers = () => exampleDids.rules;
  explain: AdminDoor["explain"] = ({ text, person, trunk, fromTrunk }) => {
    const parts = { ids: exampleIds, plan: examplePlan, policy: examplePolicy, numbers: exampleDids };
    if ((trunk ?? fromTrunk ?? main) !== main) return undefined;
    if (fromTrunk === undefined)
      return { way: "dialled", found: explainDialled(text, { ...parts, isBlocked: () => false, person, trunk }) };
    const trust = { identity: "asserted", displayName: true } as const;
    return { way: "arrived", found: explainArrived(text, { ...parts, trunk: fromTrunk, trust }) };
  };
  users: AdminDoor["users"] = () => [
    {
      subject: ann,
      rule: "*",
      mayCall: true,
      allow: ["premium"],
      callsAtOnce: 2,
      maxDurationMs: 3_600_000,
      calls: 1,
      rungBy: ["+441632960001"],
    },
  ];
  limits: AdminDoor["limits"] = () => ({
    callsInAll: { limit: 10, used: 1 },
    callsPerUser: 2,
    callsPerMinute: 30,
    maxDurationMs: 14_400_000,
    allow: [],
    people: [{ person: ann, limit: 2, used: 1 }],
  });
  logLevel = () => this.level;
  setLogLevel(level: LogLevel): void {
    this.level = level;
  }
  report: ReloadReport = { kind: "reloaded", applied: ["limits.calls_per_user"], forRestart: [], forLastCall: [] };
  reload = (): Promise<ReloadReport> => Promise.resolve(this.report);
  async drain(withinMs: number): Promise<number> {
    this.drains.push(withinMs);
    return 0;
  }
  heldCalls: readonly HeldCalls[] = [];
  readonly stopOrders: StopOrder[] = [];
  readonly spending: AdminDoor["spending"] = {
    currency: "EUR",
    zone: "Europe/London",
    usesOf: () => [],
    uses: () => [
      { scope: { kind: "user", name: ann }, span: "day", of: "seconds", limit: 3600, used: 2910 },
      { scope: { kind: "country", name: "LV" }, span: "month", of: "money", limit: undefined, used: 1_250_000 },
    ],
    stops: () =>
      this.stopOrders.map(({ why, ...order }) => ({
        ...order,
        kind: "stopped",
        prefix: "",
        why: why ?? "",
        atMs,
        untilMs: undefined,
      })),
    stop: async (order) => this.stopOrders.push(order),
    start: async () => this.stopOrders.pop() !== undefined,
    held: () => this.heldCalls,
    allow: async ({ person, prefix }) => {
      const released = this.heldCalls.filter((one) => one.person === person && (prefix ?? one.prefix) === one.prefix);
      this.heldCalls = this.heldCalls.filter((one) => !released.includes(one));
      return released.map((one) => one.prefix);
    },
  };
  readonly blocks = new Blocks({
    stored: openMemoryStore().blocks,
    ids: exampleIds,
    plan: () => examplePlan,
    response: () => "decline",
    clock: { wallMs: () => atMs },
  });
  shownNumber = (number: string): string => number.replaceAll(/\d(?=(?:\D*\d){2})/g, "*");

  readonly admins = new Set<UserId>([ann]);
  readonly codes = new Map<string, UserId>();
  readonly openIds = new Map<string, UserId>();
  /** The homeserver does not say whose an OpenID token is. */
  openIdFails: Error | undefined;
  readonly logins: AdminDoor["logins"] = {
    isAdmin: (person) => this.admins.has(person),
    byCode: (code) => this.codes.get(code),
    byOpenId: async (token) => {
      if (this.openIdFails !== undefined) throw this.openIdFails;
      return this.openIds.get(token);
    },
  };
  readonly actions: AdminDoor["actions"] = {
    note: async (action) => {
      if (this.storeFails !== undefined) throw this.storeFails;
      this.noted.push({ ...action, number: this.noted.length + 1 });
    },
    latest: async (limit, before = Infinity) =>
      this.noted
        .filter(({ number }) => number < before)
        .toReversed()
        .slice(0, limit),
  };
}
