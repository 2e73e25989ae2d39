// Whether calls could be carried now: what the operator's check reads of each part.
import { expect, test } from "vitest";
import { CallGate } from "../../../src/bridge/admission/call-gate.ts";
import { StoreWatch } from "../../../src/bridge/operation/store-watch.ts";
import { Readiness } from "../../../src/bridge/operation/readiness.ts";
import { trunkName } from "../../../src/core/ids.ts";
import type { PingOutcome } from "../../../src/ports/homeserver.ts";
import { StoreError } from "../../../src/ports/store.ts";
import type { MediaHealth } from "../../../src/ports/media.ts";
import type { TrunkHealth } from "../../../src/ports/sip.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

function rig() {
  const clock = new VirtualClock();
  const telemetry = new FakeTelemetry();
  const world = {
    ping: async (): Promise<PingOutcome> => ({ kind: "answered", durationMs: 2.4 }),
    media: { ready: true, sessions: 1, free: 9, detail: "1 of 1 workers running" } as MediaHealth,
    trunks: [] as TrunkHealth[],
    pings: 0,
    check: async (): Promise<void> => {},
  };
  const check = (): Promise<void> => world.check();
  const storeWatch = new StoreWatch({ check, clock, log: telemetry.log });
  const readiness = new Readiness({
    store: { check },
    storeWatch,
    homeserver: {
      ping: async () => {
        world.pings += 1;
        return world.ping();
      },
    },
    media: { health: () => world.media },
    sip: { health: () => world.trunks },
    gate: new CallGate(() => false),
    clock,
    log: telemetry.log,
    pingIntervalMs: 60_000,
  });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return { clock, telemetry, world, readiness, settle };
}

const trunk = (name: string, state: TrunkHealth["state"]): TrunkHealth => ({
  name: trunkName(name),
  state,
  detail: "OPTIONS",
  sinceMs: 0,
});

test("the homeserver is not ready before it has been heard from, and pinged again and again from then on", async () => {
  const { clock, telemetry, world, readiness, settle } = rig();
  expect(readiness.parts.homeserver()).toMatchObject({ ready: false });
  readiness.homeserverAnswered({ kind: "unsupported" });
  expect(readiness.parts.homeserver()).toMatchObject({ ready: true });
  clock.advance(60_000);
  await settle();
  expect([world.pings, readiness.parts.homeserver()]).toEqual([
    1,
    { ready: true, detail: "answered the ping in 2 ms" },
  ]);
  world.ping = async () => {
    throw new Error("connection refused");
  };
  clock.advance(60_000);
  await settle();
  const line = "homeserver does not answer: check homeserver.url";
  expect(readiness.parts.homeserver()).toEqual({ ready: false, detail: `${line} (connection refused)` });
  expect(telemetry.lines.map(({ message }) => message)).toEqual([line]);
  world.ping = async () => ({ kind: "answered", durationMs: 1 });
  clock.advance(60_000);
  await settle();
  expect(readiness.parts.homeserver()).toMatchObject({ ready: true });
});

test.each([
  ["token", /another hs_token: give it the bridge's copy of the registration/],
  ["elsewhere", /another server instead of the bridge: check url in the registration/],
  ["unreachable", /cannot reach the bridge: check url in the registration and appservice\.listen/],
  ["no-url", /set url in the registration/],
  ["unknown", /app_service_config_files/],
] as const)("a ping that ends %s is said by what mends it, once, and so is its end", async (why, words) => {
  const { clock, telemetry, world, readiness, settle } = rig();
  world.ping = async () => ({ kind: "failed", why, message: "as it said" });
  readiness.homeserverAnswered(await world.ping());
  expect(readiness.parts.homeserver()).toMatchObject({ ready: false, detail: expect.stringMatching(words) });
  clock.advance(10_000);
  await settle();
  world.ping = async () => ({ kind: "answered", durationMs: 1 });
  clock.advance(10_000);
  await settle();
  expect(telemetry.lines.map(({ message }) => message)).toEqual([
    expect.stringMatching(words),
    "homeserver and bridge reach each other again",
  ]);
});

test("a stopped bridge pings no more", async () => {
  const { clock, world, readiness, settle } = rig();
  readiness.homeserverAnswered({ kind: "answered", durationMs: 1 });
  readiness.stop();
  clock.advance(600_000);
  await settle();
  expect([world.pings, clock.pending]).toEqual([0, 0]);
});

test("media is ready where there is room for one more call", () => {
  const { world, readiness } = rig();
  expect(readiness.parts.media()).toMatchObject({ ready: true });
  world.media = { ...world.media, free: 0 };
  expect(readiness.parts.media()).toMatchObject({ ready: false });
  world.media = { ...world.media, free: 9, ready: false };
  expect(readiness.parts.media()).toMatchObject({ ready: false });
});

test("what some calls will suffer from is noted, and keeps none from being ready", () => {
  const { readiness } = rig();
  readiness.noteMedia("TURN server turn.example.org:3478 does not answer");
  expect(readiness.parts.media()).toMatchObject({ ready: true, detail: expect.stringContaining("turn.example.org") });
});

test("one trunk that may work is enough, none is not", () => {
  const { world, readiness } = rig();
  expect(readiness.parts.trunks()).toMatchObject({ ready: false });
  world.trunks = [trunk("a", "down"), trunk("b", "unknown")];
  expect(readiness.parts.trunks()).toEqual({ ready: true, detail: "a down: OPTIONS; b unknown: OPTIONS" });
  world.trunks = [trunk("a", "down")];
  expect(readiness.parts.trunks()).toMatchObject({ ready: false });
});

test("the store is not ready while it cannot be written, and says why; it is again by itself", async () => {
  const { clock, telemetry, world, readiness, settle } = rig();
  expect(await readiness.parts.store()).toEqual({ ready: true, detail: "can be written" });
  world.check = async () => {
    throw new StoreError("full", "disk is full: /var/lib/bridge.db");
  };
  expect(await readiness.parts.store()).toEqual({ ready: false, detail: "disk is full: /var/lib/bridge.db" });
  clock.advance(30_000);
  await settle();
  expect(telemetry.lines.filter(({ level }) => level === "error")).toMatchObject([
    { fields: { code: "full", reason: "disk is full: /var/lib/bridge.db" } },
  ]);
  world.check = async () => {};
  clock.advance(1_000);
  await settle();
  expect(await readiness.parts.store()).toEqual({ ready: true, detail: "can be written" });
  expect([telemetry.lines.at(-1)?.message, clock.pending]).toEqual(["store can be written again", 0]);
});
