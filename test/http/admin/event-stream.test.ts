// The bridge's events as a stream: in order, with what a slow reader has missed, and not for too many.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { EventFeed } from "../../../src/bridge/observation/event-feed.ts";
import { trunkName } from "../../../src/core/ids.ts";
import { event } from "../../../src/http/admin/wire/events.ts";
import type { BridgeEvent } from "../../../src/ports/admin/bridge-event.ts";
import { atMs, endedCall } from "../../fakes/admin-door.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { startAdmin } from "./admin-rig.ts";

/** Reads only what it is told to. */
async function reader(socketPath: string): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect(socketPath);
  onTestFinished(() => void socket.destroy());
  let text = "";
  socket.setEncoding("utf8");
  socket.write("GET /admin/v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
  socket.on("data", (chunk: string) => (text += chunk));
  await expect.poll(() => text).toContain("events from now on");
  return { socket, text: () => text };
}

const paused: BridgeEvent = { kind: "trunk.paused", atMs, trunk: trunkName("main") };

test("events come as they happen, each as documented, and a heartbeat when there are none", async () => {
  const { socketPath, door, clock } = await startAdmin();
  const { text } = await reader(socketPath);
  const [call] = door.live;
  if (call === undefined) throw new Error("there is no call");
  const events: readonly BridgeEvent[] = [
    { kind: "call.began", atMs, call },
    { kind: "call.ended", atMs, record: endedCall("c-1") },
    paused,
    { kind: "trunk.down", atMs, trunk: trunkName("main"), detail: "connection refused" },
    { kind: "message.failed", atMs, direction: "inbound" },
    { kind: "store.failed", atMs, reason: "disk full" },
    { kind: "bridge.draining", atMs },
  ];
  for (const one of events) for (const listener of door.listeners) await listener(one);
  await expect.poll(text).toContain("bridge.draining");
  const told = [...text().matchAll(/^event: (.*)\ndata: (.*)$/gm)].map(([, kind, data = ""]) => {
    const parsed = event.parse(JSON.parse(data));
    expect(parsed.kind).toBe(kind);
    return parsed.kind;
  });
  expect(told).toEqual(events.map(({ kind }) => kind));
  clock.advance(15_000);
  await expect.poll(text).toContain(": nothing new");
});

test("a reader who does not read misses events, is told how many, and the bridge does not keep them", async () => {
  const { socketPath, door, clock } = await startAdmin();
  const feed = new EventFeed<BridgeEvent>(clock, new FakeTelemetry().log);
  door.subscribe = (listener) => feed.subscribe(listener);
  const { socket, text } = await reader(socketPath);
  socket.pause();
  const detail = "x".repeat(2_000);
  for (let count = 0; count < 3_000; count++) {
    feed.emit({ kind: "trunk.down", atMs, trunk: trunkName("main"), detail });
    if (count % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  socket.resume();
  await expect.poll(() => text().split("event: ").length).toBeGreaterThan(1_000);
  feed.emit(paused);
  await expect.poll(text).toContain("trunk.paused");
  const missed = /"kind":"feed.overrun","missed":(\d+)/.exec(text())?.[1];
  const told = text().split("event: trunk.down").length - 1;
  expect(Number(missed) + told).toBe(3_000);
});

test("a reader who reads nothing for a minute is cut off", async () => {
  const { socketPath, door, clock } = await startAdmin();
  const { socket } = await reader(socketPath);
  socket.pause();
  const [listener] = door.listeners;
  const detail = "x".repeat(1_000_000);
  const waits = listener?.({ kind: "store.failed", atMs, reason: detail });
  expect(waits).toBeInstanceOf(Promise);
  clock.advance(60_000);
  await waits;
  await expect.poll(() => door.listeners.size).toBe(0);
});

test("twenty may listen, and one who has gone makes room", async () => {
  const { socketPath, door, ask } = await startAdmin();
  const readers = [];
  for (let count = 0; count < 20; count++) readers.push(await reader(socketPath));
  expect((await ask("/events")).status).toBe(429);
  readers[0]?.socket.destroy();
  await expect.poll(() => door.listeners.size).toBe(19);
  await reader(socketPath);
});

test("streams end when the bridge stops", async () => {
  const { socketPath, server } = await startAdmin();
  const { socket } = await reader(socketPath);
  const closed = once(socket, "close");
  await server.stop();
  await closed;
});
