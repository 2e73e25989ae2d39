// What whoever watches the bridge is told, and that no watcher harms anybody.
import { expect, test } from "vitest";
import { StoreError, type Store } from "../../../src/ports/store.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { accepted, ann, made1, TestBridge, trunk } from "../test-bridge.ts";

function watched(bridge: TestBridge): { readonly kind: string }[] {
  const events: { readonly kind: string }[] = [];
  bridge.door.subscribe((event) => void events.push(event));
  return events;
}

test("a call begins, rings, is connected and ends with its record", async () => {
  const bridge = new TestBridge();
  const events = watched(bridge);
  const id = await bridge.ring();
  await bridge.sip({ kind: "sip.ringing" });
  await bridge.sip(accepted);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(events).toMatchObject([
    { kind: "call.began", call: { id, person: ann, direction: "outbound", phase: "beginning" } },
    { kind: "call.rang", call: { id, phase: "ringing" } },
    { kind: "call.connected", call: { id, phase: "connected" } },
    { kind: "call.ended", record: { id, cause: "callee-hung-up", result: "success" } },
  ]);
});

test("a call that is refused never begins, and ends with its record", async () => {
  const bridge = new TestBridge();
  const events = watched(bridge);
  await bridge.arrive({ called: "+441632960998" });
  await bridge.sip({ kind: "sip.ended" });
  expect(events).toMatchObject([{ kind: "call.ended", record: { cause: "not-in-service" } }]);
});

test("no event holds a number that the log would not show", async () => {
  const bridge = new TestBridge();
  bridge.telemetry.masksNumbers = true;
  const events = watched(bridge);
  await bridge.arrive();
  await bridge.take(bridge.answer(made1));
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(events.map(({ kind }) => kind)).toEqual(["call.began", "call.rang", "call.connected", "call.ended"]);
  expect(JSON.stringify(events)).not.toMatch(/7946|632960/);
});

test("trunks go up and down, and are paused and resumed", async () => {
  const bridge = new TestBridge();
  const events = watched(bridge);
  const health = { name: trunk, detail: "OPTIONS answered 200", sinceMs: 1 };
  bridge.arrivals.trunkChanged({ ...health, state: "unknown" });
  bridge.arrivals.trunkChanged({ ...health, state: "up" });
  bridge.arrivals.trunkChanged({ ...health, state: "up", detail: "OPTIONS answered 404" });
  bridge.arrivals.trunkChanged({ ...health, state: "down", detail: "connection refused" });
  bridge.door.pause(trunk);
  bridge.door.pause(trunk);
  bridge.door.resume(trunk);
  await bridge.quiet();
  expect(events).toMatchObject([
    { kind: "trunk.up", trunk, detail: "OPTIONS answered 200" },
    { kind: "trunk.down", trunk, detail: "connection refused" },
    { kind: "trunk.paused", trunk },
    { kind: "trunk.resumed", trunk },
  ]);
});

test("messages are delivered or fail", async () => {
  const bridge = new TestBridge();
  const events = watched(bridge);
  const arrival = { trunk, called: "+441632960001", identity: callerOf("+442079460123"), text: "Hi" };
  await bridge.messaged({ ...arrival, id: "1" });
  bridge.homeserver.failure = bridge.homeserver.closedWith;
  await bridge.messaged({ ...arrival, id: "2" });
  await bridge.quiet();
  expect(events).toMatchObject([
    { kind: "message.delivered", direction: "inbound" },
    { kind: "message.failed", direction: "inbound" },
  ]);
});

test("the store fails, and can be written again", async () => {
  const memory = openMemoryStore();
  let isFull = true;
  const check: Store["check"] = async () => {
    if (isFull) throw new StoreError("full", "no space is left");
  };
  const save: Store["calls"]["save"] = async (call) => {
    await check();
    await memory.calls.save(call);
  };
  const bridge = new TestBridge({ store: { ...memory, calls: { ...memory.calls, save }, check } });
  const events = watched(bridge);
  await bridge.ring();
  isFull = false;
  await bridge.passTime(1_000);
  expect(events.filter(({ kind }) => kind.startsWith("store."))).toMatchObject([
    { kind: "store.failed", reason: "no space is left" },
    { kind: "store.mended" },
  ]);
});

test("a watcher that throws or rejects is told the next thing all the same, others are told everything, and calls go on", async () => {
  const bridge = new TestBridge();
  let thrown = 0;
  bridge.door.subscribe(() => {
    thrown += 1;
    throw new Error("defect");
  });
  bridge.door.subscribe(async () => {
    throw new Error("defect");
  });
  const events = watched(bridge);
  await bridge.ring();
  await bridge.sip(accepted);
  expect([thrown, events.length]).toEqual([2, 2]);
  expect(await bridge.door.calls()).toMatchObject([{ phase: "connected" }]);
});

test("nobody waits for a slow watcher: it misses what is too much, and learns how much that was", async () => {
  const bridge = new TestBridge();
  let goOn: () => void = () => {};
  const held = new Promise<void>((resolve) => (goOn = resolve));
  const slow: { readonly kind: string; readonly missed?: number }[] = [];
  bridge.door.subscribe(async (event) => {
    slow.push(event);
    await held;
  });
  const fast = watched(bridge);
  for (let n = 0; n < 600; n++) {
    bridge.door.pause(trunk);
    bridge.door.resume(trunk);
    if (n % 100 === 0) await bridge.quiet();
  }
  await bridge.quiet();
  expect([fast.length, slow.length]).toEqual([1_200, 1]);
  goOn();
  await bridge.quiet();
  bridge.door.pause(trunk);
  await bridge.quiet();
  // One was being told, a thousand waited.
  expect(slow).toHaveLength(1_003);
  expect(slow.slice(-2)).toMatchObject([{ kind: "feed.overrun", missed: 199 }, { kind: "trunk.paused" }]);
});

test("whoever does not want to be told any more is told nothing, not even what waited", async () => {
  const bridge = new TestBridge();
  const events: unknown[] = [];
  const unsubscribe = bridge.door.subscribe((event) => void events.push(event));
  bridge.door.pause(trunk);
  unsubscribe();
  bridge.door.resume(trunk);
  await bridge.quiet();
  expect(events).toEqual([]);
});
