// Calls are written while the store fails: what is kept for later, how much of it, and when the store counts as mended.
import { expect, test } from "vitest";
import { SteadyLedger } from "../../../src/bridge/operation/steady-ledger.ts";
import { StoreWatch } from "../../../src/bridge/operation/store-watch.ts";
import type { CallRecord } from "../../../src/core/call/model/record.ts";
import { callId, type CallId } from "../../../src/core/ids.ts";
import { StoreError } from "../../../src/ports/store.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const record = {} as CallRecord;

/** A store of which `failing` says what fails. */
function bench() {
  const failing = { check: false, writes: true };
  const written: CallId[] = [];
  const full = () => Promise.reject(new StoreError("full", "disk is full: bridge.db"));
  const clock = new VirtualClock();
  const { log, lines } = new FakeTelemetry();
  const check = () => (failing.check ? full() : Promise.resolve());
  const watch = new StoreWatch({ check, clock, log });
  const finish = async (call: CallId): Promise<void> => (failing.writes ? full() : void written.push(call));
  const ledger = new SteadyLedger({ ledger: { save: () => full(), finish }, watch, clock, log });
  return {
    failing,
    written,
    watch,
    ledger,
    lines,
    passSecond: async (): Promise<void> => {
      clock.advance(1_000);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("the very record whose writing failed is written once the store works again", async () => {
  const { ledger, failing, written, passSecond } = bench();
  await ledger.finish(callId("call1"), record);
  failing.writes = false;
  await passSecond();
  expect(written).toEqual(["call1"]);
});

test("the store is not mended before what waited for it is written", async () => {
  const { ledger, failing, watch, written, passSecond } = bench();
  await ledger.finish(callId("call1"), record);
  await passSecond();
  expect(watch.failure).toMatchObject({ code: "full" });
  failing.writes = false;
  await passSecond();
  expect([watch.failure, written]).toEqual([undefined, ["call1"]]);
});

test("nor before a new write of its own succeeds, though nothing waits for it", async () => {
  const { failing, watch, passSecond } = bench();
  failing.check = true;
  watch.failed(new StoreError("full", "disk is full: bridge.db"));
  await passSecond();
  expect(watch.failure).toMatchObject({ code: "full" });
  failing.check = false;
  await passSecond();
  expect(watch.failure).toBeUndefined();
});

test("of more than ten thousand calls that wait, the oldest is given up, and the log says which", async () => {
  const { ledger, failing, lines, written, passSecond } = bench();
  for (let call = 0; call <= 10_000; call++) await ledger.finish(callId(`call${call}`), record);
  expect(lines.filter(({ message }) => message.includes("will not be in the history"))).toMatchObject([
    { level: "error", fields: { call: "call0" } },
  ]);
  failing.writes = false;
  await passSecond();
  expect(written).not.toContain("call0");
});

test("a record that the store refuses is given up, and the store has not failed", async () => {
  const { watch } = bench();
  const { log, lines } = new FakeTelemetry();
  const refused = () => Promise.reject(new StoreError("refused", "too long"));
  const ledger = new SteadyLedger({
    ledger: { save: refused, finish: refused },
    watch,
    clock: new VirtualClock(),
    log,
  });
  await ledger.finish(callId("call1"), record);
  expect(watch.failure).toBeUndefined();
  expect(lines.map(({ message }) => message)).toEqual(["could not save a call"]);
});

test("a store that another bridge has taken over is not tried again: this bridge has to stop", async () => {
  const clock = new VirtualClock();
  const { log, lines } = new FakeTelemetry();
  const taken = new StoreError("taken", "another bridge runs on PostgreSQL database bridge");
  const watch = new StoreWatch({ check: () => Promise.reject(taken), clock, log });
  watch.failed(new StoreError("unavailable", "the connection was lost"));
  clock.advance(1_000);
  await expect(watch.taken).rejects.toBe(taken);
  expect(watch.failure).toBe(taken);
  expect(clock.pending).toBe(0);
  expect(lines.at(-1)?.message).toBe("another bridge has taken the store over: this one stops");
});
