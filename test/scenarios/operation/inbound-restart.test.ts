// What a stop or a crash leaves of calls from the telephone network: nobody goes on ringing, nobody waits for nothing.
import { describe, expect, test } from "vitest";
import { incoming, incomingDialog } from "../../fakes/arrivals.ts";
import { TestBridge, made1 } from "../test-bridge.ts";

async function restart(before: TestBridge): Promise<TestBridge> {
  const after = new TestBridge({ store: before.store });
  for (const call of await before.store.calls.open()) await after.switchboard.recover(call);
  await after.quiet();
  return after;
}

async function isOver(bridge: TestBridge): Promise<void> {
  await bridge.sip({ kind: "sip.ended" });
  expect(await bridge.store.calls.open()).toEqual([]);
  expect(bridge.clock.pending).toBe(0);
}

describe("after a crash", () => {
  test("while its room was being found, the caller is sent away", async () => {
    const before = new TestBridge();
    before.homeserver.createDirectRoom = () => new Promise(() => {});
    await before.arrive();
    const after = await restart(before);
    expect(after.trunks.orders).toMatchObject([{ verb: "dismiss", argument: 503 }]);
    expect(after.signals).toEqual([]);
    await isOver(after);
    expect(await after.store.calls.history(1)).toMatchObject([{ direction: "inbound", cause: "restarted" }]);
  });

  test("while it rang, it stops ringing in every room and the caller is sent away", async () => {
    const before = new TestBridge();
    await before.arrive({ called: "+441632960002" });
    const after = await restart(before);
    expect(after.trunks.orders).toMatchObject([{ verb: "dismiss", argument: 503 }]);
    expect(after.signals.map((signal) => signal.split(" ")[0])).toEqual(["hangup", "hangup"]);
    await isOver(after);
  });

  test("in the moment of the answer, both hear that it is over", async () => {
    const before = new TestBridge();
    await before.arrive();
    before.media.engine.stuck = true;
    await before.take(before.answer(made1));
    expect(before.trunks.verbs).toEqual(["ring"]);
    const after = await restart(before);
    expect(after.trunks.orders).toMatchObject([{ verb: "dismiss", argument: 503 }]);
    expect(after.signals.map((signal) => signal.split(" ")[0])).toEqual(["hangup"]);
    await isOver(after);
  });

  test("while both talked, both hear that it is over", async () => {
    const before = new TestBridge();
    await before.arrive();
    await before.take(before.answer(made1));
    const after = await restart(before);
    expect(after.trunks.orders).toMatchObject([{ verb: "resume", argument: incomingDialog }, { verb: "bye" }]);
    expect(after.signals).toEqual(["hangup unknown_error"]);
    await isOver(after);
  });

  test("an answer to what rang before reaches nobody", async () => {
    const before = new TestBridge();
    await before.arrive();
    const answer = before.answer(made1);
    const after = await restart(before);
    await after.take(answer);
    expect(after.trunks.verbs).toEqual(["dismiss"]);
    await isOver(after);
  });
});

describe("a planned stop", () => {
  test("while it rings refuses the caller, stops the ringing and waits for both", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    let drained = false;
    const stopped = bridge.stop(3_600_000).then(() => (drained = true));
    await bridge.quiet();
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 503 });
    expect(bridge.in(made1)[1]).toMatch(/^hangup/);
    expect(drained).toBe(false);
    await bridge.sip({ kind: "sip.ended" });
    await stopped;
  });

  test("while both talk hangs up on both", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    const stopped = bridge.stop(3_600_000);
    await bridge.sip({ kind: "sip.ended" });
    await stopped;
    expect(bridge.trunks.verbs).toEqual(["ring", "accept", "bye"]);
  });
});

test("what is stored of a call that rings says how its INVITE can still be refused", async () => {
  const bridge = new TestBridge();
  await bridge.arrive();
  expect(await bridge.store.calls.open()).toMatchObject([
    { call: { phase: { trunks: [{ state: "incoming", incoming, dialog: incomingDialog }] } } },
  ]);
});
