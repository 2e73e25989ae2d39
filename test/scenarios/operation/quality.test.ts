// How good the audio of calls is, as watchers of the bridge see it while the calls are up.
import { expect, test } from "vitest";
import { noMediaStats, type MediaStats } from "../../../src/core/call/model/media-stats.ts";
import { accepted, TestBridge } from "../test-bridge.ts";

const counted = (packets: number, lost: number): MediaStats => ({
  codec: "PCMU",
  a: { ...noMediaStats.a, packets, lost },
  b: { ...noMediaStats.b, packets, lost: 0 },
});

async function talking() {
  const bridge = new TestBridge();
  const id = await bridge.ring();
  const before = bridge.door.quality.of(id);
  await bridge.sip(accepted);
  return { bridge, id, before };
}

test("a call is measured every five seconds from the answer on, for ten minutes back, until it ends", async () => {
  const { bridge, id, before } = await talking();
  expect(before).toBeUndefined();
  const told: string[] = [];
  bridge.door.quality.subscribe((event) => void told.push(event.kind));
  expect(bridge.door.quality.of(id)).toEqual([]);
  bridge.media.engine.counted = counted(250, 0);
  await bridge.passTime(5_000);
  bridge.media.engine.counted = counted(475, 25);
  await bridge.passTime(5_000);
  const [first, second] = bridge.door.quality.of(id) ?? [];
  expect(first?.quality).toMatchObject({ a: { packets: 250, lostPercent: 0 }, b: { packets: 250 } });
  expect(second?.quality).toMatchObject({ a: { packets: 225, lostPercent: 10 } });
  expect((second?.atMs ?? 0) - (first?.atMs ?? 0)).toBe(5_000);
  expect(second?.quality.a.opinion).toBeLessThan(first?.quality.a.opinion ?? 0);
  expect(told).toEqual(["call.measured", "call.measured"]);
  for (let more = 0; more < 130; more++) await bridge.passTime(5_000);
  expect(bridge.door.quality.of(id)).toHaveLength(120);
  await bridge.sip({ kind: "sip.hungUp", q850: 16 });
  expect(bridge.door.quality.of(id)).toBeUndefined();
  await bridge.passTime(60_000);
  expect(told).toHaveLength(132);
});

test("whoever watches is told of a call in which one side hears nothing, and which", async () => {
  const { bridge, id } = await talking();
  const events: { readonly kind: string }[] = [];
  bridge.door.subscribe((event) => void events.push(event));
  bridge.media.engine.heard = ["a"];
  await bridge.passTime(10_000);
  expect(events).toMatchObject([{ kind: "call.one-way-audio", call: { id, phase: "connected" }, silent: "b" }]);
});
