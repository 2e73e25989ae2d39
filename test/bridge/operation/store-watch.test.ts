// What the bridge does when the store works again.
import { expect, test } from "vitest";
import { StoreWatch } from "../../../src/bridge/operation/store-watch.ts";
import { StoreError } from "../../../src/ports/store.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

test("a call that ends in the moment between the last write and the all-clear is in the history too", async () => {
  const clock = new VirtualClock();
  const waiting = ["first"];
  const written: string[] = [];
  const watch = new StoreWatch({ check: async () => undefined, clock, log: new FakeTelemetry().log });
  watch.beforeMended(async () => {
    const now = waiting.splice(0);
    written.push(...now);
    if (now.includes("first")) queueMicrotask(() => watch.failure && waiting.push("last"));
    return now.length;
  });
  watch.failed(new StoreError("full", "disk is full"));
  clock.advance(1000);
  await expect.poll(() => watch.failure).toBeUndefined();
  expect(written).toEqual(["first", "last"]);
});
