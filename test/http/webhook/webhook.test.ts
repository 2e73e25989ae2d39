import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { trunkName } from "../../../src/core/ids.ts";
import type { Poster, Told } from "../../../src/http/webhook/post.ts";
import { Webhook } from "../../../src/http/webhook/webhook.ts";
import { webhookEvents, type BridgeEvent } from "../../../src/ports/admin/bridge-event.ts";
import { StoreError, type WebhookQueue } from "../../../src/ports/store.ts";
import { endedCall, FakeDoor } from "../../fakes/admin-door.ts";
import { openMemoryStore } from "../../fakes/memory-store.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const hourMs = 3_600_000;

/** Whoever is told: what was posted, and what is answered. */
class Receiver implements Poster {
  readonly bodies: string[] = [];
  readonly ids: string[] = [];
  answer: (body: string) => Told = () => ({ kind: "taken" });
  async post(headers: Readonly<Record<string, string>>, body: string): Promise<Told> {
    this.ids.push(headers["webhook-id"] ?? "");
    const { type, data } = JSON.parse(body) as { type: string; data: { trunk?: string; record?: { id: string } } };
    this.bodies.push(`${type} ${data.trunk ?? data.record?.id ?? ""}`);
    return this.answer(body);
  }
  async close(): Promise<void> {}
}

function rig(queue: WebhookQueue = openMemoryStore().webhook, clock = new VirtualClock()) {
  const door = new FakeDoor();
  const receiver = new Receiver();
  const telemetry = new FakeTelemetry();
  const webhook = new Webhook({
    door,
    queue,
    poster: receiver,
    key: Buffer.alloc(32, 7),
    events: new Set(webhookEvents),
    clock,
    log: telemetry.log,
  });
  return {
    webhook,
    receiver,
    clock,
    queue,
    lines: () => telemetry.lines.map(({ message }) => message),
    happens: async (...events: readonly BridgeEvent[]) => {
      for (const event of events) for (const listener of door.listeners) await listener(event);
      await turn();
    },
    after: async (ms: number) => {
      clock.advance(ms);
      await turn();
    },
  };
}

const away: Told = { kind: "away", why: "ECONNREFUSED" };
const refused: Told = { kind: "refused", why: "it answered 400" };

describe("what happens", () => {
  const at = (clock: VirtualClock) => ({ atMs: clock.wallMs() });
  const ended = (id: string, clock: VirtualClock): BridgeEvent => ({
    kind: "call.ended",
    ...at(clock),
    record: endedCall(id),
  });
  const down = (clock: VirtualClock): BridgeEvent => ({
    kind: "trunk.down",
    ...at(clock),
    trunk: trunkName("main"),
    detail: "no answer",
  });

  test("is told at once, and then forgotten", async () => {
    const { webhook, receiver, clock, queue, happens } = rig();
    await webhook.start();
    await happens(ended("c-1", clock), down(clock));
    expect(receiver.bodies).toEqual(["call.ended c-1", "trunk.down main"]);
    expect(await queue.waiting(1)).toEqual([]);
  });

  test("is not told if nobody asked for that kind", async () => {
    const { webhook, receiver, clock, happens } = rig();
    await webhook.start();
    await happens({ kind: "store.failed", ...at(clock), reason: "disk is full" });
    expect(receiver.bodies).toEqual([]);
  });

  test("waits while nobody takes it, one attempt at a time, and all of it is told in the end", async () => {
    const { webhook, receiver, clock, happens, after, lines } = rig();
    await webhook.start();
    receiver.answer = () => away;
    await happens(ended("c-1", clock));
    await happens(ended("c-2", clock), ended("c-3", clock));
    expect(receiver.bodies).toEqual(["call.ended c-1"]);
    await after(5_000);
    await after(10_000);
    await after(5_000);
    expect(receiver.bodies).toEqual(["call.ended c-1", "call.ended c-1", "call.ended c-1"]);
    receiver.answer = () => ({ kind: "taken" });
    await after(15_000);
    expect(receiver.bodies.slice(3)).toEqual(["call.ended c-1", "call.ended c-2", "call.ended c-3"]);
    expect(new Set(receiver.ids).size).toBe(3);
    expect(lines()).toEqual([
      "webhook: nobody takes messages; they are kept for two days: check webhook.url",
      "webhook: messages are taken again",
    ]);
  });

  test("waits as long as the other side wants", async () => {
    const { webhook, receiver, clock, happens, after } = rig();
    await webhook.start();
    receiver.answer = () => ({ kind: "away", why: "it answered 429", afterMs: 60_000 });
    await happens(ended("c-1", clock));
    await after(59_000);
    expect(receiver.bodies).toHaveLength(1);
    await after(1_000);
    expect(receiver.bodies).toHaveLength(2);
  });

  test("is told by the next process if this one could not", async () => {
    const first = rig();
    await first.webhook.start();
    first.receiver.answer = () => away;
    await first.happens(ended("c-1", first.clock), ended("c-2", first.clock));
    await first.webhook.stop();
    const second = rig(first.queue, first.clock);
    await second.webhook.start();
    await turn();
    expect(second.receiver.bodies).toEqual(["call.ended c-1", "call.ended c-2"]);
    expect(second.receiver.ids[0]).toBe(first.receiver.ids[0]);
    expect(await first.queue.waiting(1)).toEqual([]);
  });

  test("and is refused holds up nothing about other things, what follows about the same thing alone", async () => {
    const { webhook, receiver, clock, happens, after } = rig();
    await webhook.start();
    receiver.answer = (body) => (body.includes('"type":"trunk.') ? refused : { kind: "taken" });
    await happens(down(clock), ended("c-1", clock), {
      kind: "trunk.up",
      ...at(clock),
      trunk: trunkName("main"),
      detail: "",
    });
    expect(receiver.bodies).toEqual(["trunk.down main", "call.ended c-1"]);
    receiver.answer = () => ({ kind: "taken" });
    await after(5_000);
    expect(receiver.bodies.slice(2)).toEqual(["trunk.down main", "trunk.up main"]);
  });

  test("is given up with a line in the log when it has been refused for long enough", async () => {
    const { webhook, receiver, clock, queue, happens, after, lines } = rig();
    await webhook.start();
    receiver.answer = () => refused;
    await happens(ended("c-1", clock));
    for (let hours = 0; hours < 18; hours += 1) for (let minutes = 0; minutes < 60; minutes += 5) await after(300_000);
    expect(receiver.bodies).toHaveLength(8);
    expect(lines()).toEqual(["webhook: a message is given up"]);
    expect(await queue.waiting(1)).toEqual([]);
  });

  test("is of no interest after two days", async () => {
    const { webhook, receiver, clock, queue, happens, after, lines } = rig();
    await webhook.start();
    receiver.answer = () => away;
    await happens(ended("c-1", clock));
    clock.setWall(49 * hourMs);
    await after(5_000);
    expect(receiver.bodies).toHaveLength(1);
    expect(lines().at(-1)).toBe("webhook: a message is given up");
    expect(await queue.waiting(1)).toEqual([]);
  });

  test("is told from memory while the store fails, which the log says", async () => {
    const broken = async (): Promise<never> => {
      throw new StoreError("full", "disk is full");
    };
    const { webhook, receiver, clock, happens, lines } = rig({
      ...openMemoryStore().webhook,
      add: broken,
      remove: broken,
    });
    await webhook.start();
    await happens(ended("c-1", clock));
    expect(receiver.bodies).toEqual(["call.ended c-1"]);
    expect(lines()).toEqual(["webhook: the store does not keep what is to be told; it is lost in a restart"]);
  });
});
