// Records of calls are kept as long as the configuration says, and no longer.
import { expect, test } from "vitest";
import { Retention } from "../../../src/bridge/operation/retention.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { refuseOutbound } from "../../../src/core/call/outbound/outbound.ts";
import { step } from "../../../src/core/call/step.ts";
import { request } from "../../core/call/examples/examples.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const dayMs = 24 * 3_600_000;

async function quiet(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

test("a call's record, and what admins did then, is forgotten when its days are over", async () => {
  const clock = new VirtualClock();
  const { calls, adminActions } = openMemoryStore();
  const action = { who: "somebody", action: "pause trunk", target: "main", detail: undefined, outcome: "done" };
  const atMs = clock.nowMs();
  const refused = refuseOutbound({ ...request, atMs }, "not-permitted").call;
  const { call } = step(refused, { kind: "deadline.passed", name: "ending", atMs });
  if (call.phase.kind !== "ended") throw new Error("the call is not over");
  await calls.finish(call.id, call.phase.record);

  await adminActions.note({ atMs: clock.wallMs(), ...action });

  let forgotten = 0;
  const retention = new Retention({
    spending: { forgetOldMonths: async () => void (forgotten += 1) },
    ledger: calls,
    actions: adminActions,
    keepCallsMs: () => 10 * dayMs,
    clock,
    log: new FakeTelemetry().log,
  });
  await retention.start();
  for (let day = 0; day < 10; day++) {
    expect(await calls.history(1)).toHaveLength(1);
    expect(await adminActions.latest(1)).toHaveLength(1);
    clock.advance(dayMs);
    await quiet();
  }
  clock.advance(dayMs);
  await quiet();
  expect(await calls.history(1)).toEqual([]);
  expect(await adminActions.latest(1)).toEqual([]);
  expect(forgotten).toBe(12);
  retention.stop();
});
