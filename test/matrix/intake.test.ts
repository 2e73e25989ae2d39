import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/clock/system-clock.ts";
import type { MatrixFact } from "../../src/ports/homeserver.ts";
import { StoreError } from "../../src/ports/store.ts";
import { openMemoryStore } from "../fakes/memory-store.ts";
import { openSqliteStore } from "../../src/store/open-store.ts";
import { bot, ghost, roomEvent, startEdge, textMessage } from "./edge-rig.ts";

function bodies(facts: readonly MatrixFact[]): readonly string[] {
  return facts.map((fact) => (fact.kind === "message.received" ? fact.body : fact.kind));
}

/** A promise and what settles it. */
function gate(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, passed };
}

describe("events", () => {
  it("are acted on once, however often the homeserver sends them", async () => {
    const rig = await startEdge();
    const [one, two, three] = [textMessage("one"), textMessage("two"), textMessage("three")];
    await rig.push("1", [one, two]);
    await rig.push("1", [one, two]);
    await rig.push("2", [two, three, three]);
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["one", "two", "three"]);
    expect(rig.taken).toEqual({ events: 7, duplicates: 4 });
  });

  it("of one room are acted on in order, and do not wait for another room", async () => {
    const held = gate();
    const begun: string[] = [];
    const rig = await startEdge({
      sink: async (fact) => {
        begun.push(...bodies([fact]));
        if (fact.room === "!slow:example.org") await held.passed;
      },
    });
    await rig.push("1", [
      textMessage("slow 1", { room_id: "!slow:example.org" }),
      textMessage("slow 2", { room_id: "!slow:example.org" }),
      textMessage("quick 1", { room_id: "!quick:example.org" }),
      textMessage("quick 2", { room_id: "!quick:example.org" }),
    ]);
    await rig.factCount(3);
    expect(begun).toEqual(["slow 1", "quick 1", "quick 2"]);
    expect(rig.edge.inboxDepth()).toBeGreaterThanOrEqual(2);
    held.open();
    await rig.edge.idle();
    expect(begun).toEqual(["slow 1", "quick 1", "quick 2", "slow 2"]);
    expect(rig.edge.inboxDepth()).toBe(0);
  });

  it("that nothing can be made of do not hold up the others of their transaction", async () => {
    const rig = await startEdge();
    const answer = await rig.push("1", [
      null,
      7,
      "event",
      [],
      {},
      { type: "m.call.invite" },
      roomEvent("m.call.invite", { call_id: "c", version: "1", offer: "v=0" }),
      roomEvent("m.room.member", { membership: "invite" }, { state_key: "nobody" }),
      roomEvent("m.room.member", {}),
      textMessage("x", { sender: "alice" }),
      textMessage("x", { event_id: `$${"x".repeat(300)}` }),
      textMessage("x", { content: null }),
      textMessage("good"),
    ]);
    expect(answer.status).toBe(200);
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["good"]);
    expect(rig.lines.filter((line) => line.message === "malformed event ignored")).toHaveLength(12);
  });

  it("nested as deeply as an event can be do not hold them up either", async () => {
    const rig = await startEdge();
    const call = { call_id: "c", version: "1", deep: 0 };
    for (const type of ["m.call.hangup", "m.room.message", "m.room.member", "m.room.encrypted", "m.other"]) {
      const deep = JSON.stringify(roomEvent(type, call)).replace(
        '"deep":0',
        `"deep":${"[".repeat(30_000)}${"]".repeat(30_000)}`,
      );
      const body = `{"events":[${deep},${JSON.stringify(textMessage("good"))}]}`;
      const answer = await rig.request("PUT", `/_matrix/app/v1/transactions/${type}`, { body });
      expect(answer, type).toEqual({ status: 200, body: {} });
    }
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["good", "good", "good", "good", "good"]);
  });

  it("of our own ghosts and bot are dropped without a word", async () => {
    const rig = await startEdge();
    await rig.push("1", [textMessage("ghost", { sender: ghost }), textMessage("bot", { sender: bot })]);
    await rig.push("2", [roomEvent("m.room.member", { membership: "leave" }, { state_key: ghost })]);
    await rig.edge.idle();
    // A person who throws a ghost out is another matter.
    expect(rig.facts).toMatchObject([{ kind: "member.left", user: ghost }]);
    expect(rig.lines).toEqual([]);
  });

  it("on which the bridge fails are logged, done with, and do not stop their room", async () => {
    const rig = await startEdge({
      sink: async (fact) => {
        if (fact.kind === "message.received" && fact.body === "bad") throw new Error("a defect");
      },
    });
    await rig.push("1", [textMessage("bad"), textMessage("good")]);
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["bad", "good"]);
    expect(await rig.store.inbox.pending()).toEqual([]);
    expect(rig.lines).toMatchObject([{ level: "error", message: "the bridge failed to handle an event" }]);
  });
});

describe("what people write", () => {
  const hangup = (): Record<string, unknown> =>
    roomEvent("m.call.hangup", { call_id: "c", party_id: "P", version: "1" });

  it("holds up the next message of its room while it is on its way, and no call", async () => {
    const held = gate();
    const rig = await startEdge({
      sink: async (fact) => {
        if (fact.kind === "message.received" && fact.body === "one") await held.passed;
      },
    });
    await rig.push("1", [textMessage("one"), textMessage("two"), hangup()]);
    await rig.factCount(2);
    expect(bodies(rig.facts).toSorted()).toEqual(["call.hungUp", "one"]);
    held.open();
    await rig.edge.idle();
    expect(bodies(rig.facts)[2]).toBe("two");
    expect(rig.edge.inboxDepth()).toBe(0);
  });

  it("and tap is acted on in one order, the next of it when the one before is done", async () => {
    const held = gate();
    const rig = await startEdge({
      sink: async (fact) => {
        if (fact.kind === "message.received") await held.passed;
      },
    });
    const tap = roomEvent("m.reaction", {
      "m.relates_to": { rel_type: "m.annotation", event_id: "$pad", key: "5️⃣" },
    });
    await rig.push("1", [textMessage("12"), tap, roomEvent("m.room.redaction", { redacts: "$tap" }), hangup()]);
    await rig.factCount(2);
    expect(bodies(rig.facts).toSorted()).toEqual(["12", "call.hungUp"]);
    held.open();
    await rig.edge.idle();
    expect(bodies(rig.facts).slice(2)).toEqual(["reaction.added", "event.withdrawn"]);
    expect(rig.facts.slice(2)).toMatchObject([{ about: "$pad", mark: "5️⃣" }, { event: "$tap" }]);
  });

  it("waits for what was before it in its room", async () => {
    const held = gate();
    const rig = await startEdge({
      sink: async (fact) => {
        if (fact.kind === "member.invited") await held.passed;
      },
    });
    const joined = roomEvent("m.room.member", { membership: "invite" }, { state_key: ghost });
    await rig.push("1", [joined, textMessage("hello")]);
    await rig.factCount(1);
    held.open();
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["member.invited", "hello"]);
  });

  it("and the bridge leaves for later, comes after the next start", async () => {
    const store = openMemoryStore();
    const first = await startEdge({ store, sink: () => Promise.resolve("later") });
    await first.push("1", [textMessage("one")]);
    await first.edge.idle();
    const second = await startEdge({ store });
    await second.edge.idle();
    expect(bodies(second.facts)).toEqual(["one"]);
  });

  it("and has to wait for another when the bridge stops, comes after the next start", async () => {
    const store = openMemoryStore();
    const held = gate();
    const first = await startEdge({ store, sink: () => held.passed });
    await first.push("1", [textMessage("one"), textMessage("two")]);
    await first.factCount(1);
    const stopped = first.edge.stop();
    held.open();
    await stopped;
    expect(bodies(first.facts)).toEqual(["one"]);
    const second = await startEdge({ store });
    await second.edge.idle();
    expect(bodies(second.facts)).toEqual(["two"]);
  });
});

describe("an invitation whose room is still being read back", () => {
  const invitation = (): Record<string, unknown> =>
    roomEvent("m.room.member", { membership: "invite" }, { state_key: ghost });

  it("does not hold up a call in its room", async () => {
    const held = gate();
    const rig = await startEdge({
      sink: async (fact) => (fact.kind === "member.invited" ? { until: held.passed } : undefined),
    });
    await rig.push("1", [invitation(), roomEvent("m.call.hangup", { call_id: "c", party_id: "P", version: "1" })]);
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["member.invited", "call.hungUp"]);
    held.open();
  });

  it("comes again if the bridge ended meanwhile, and not if it was read", async () => {
    const store = openMemoryStore();
    const held = gate();
    const first = await startEdge({ store, sink: async () => ({ until: held.passed }) });
    await first.push("1", [invitation()]);
    await first.edge.stop();
    held.open();
    const second = await startEdge({ store, sink: async () => ({ until: Promise.resolve() }) });
    await second.edge.idle();
    await second.edge.stop();
    const third = await startEdge({ store });
    await third.edge.idle();
    expect([first, second, third].map(({ facts }) => bodies(facts))).toEqual([
      ["member.invited"],
      ["member.invited"],
      [],
    ]);
  });
});

describe("before the bridge is ready", () => {
  it("events are stored and acknowledged, and handed over in order when it is", async () => {
    const rig = await startEdge({ delivering: false });
    expect((await rig.push("1", [textMessage("one")])).status).toBe(200);
    expect((await rig.push("2", [textMessage("two")])).status).toBe(200);
    expect(rig.facts).toEqual([]);
    const three = rig.push("3", [textMessage("three")]);
    await Promise.all([rig.edge.deliver(), three]);
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["one", "two", "three"]);
  });
});

describe("after a restart", () => {
  it("what was acknowledged and not yet acted on is acted on, and nothing twice", async () => {
    const folder = mkdtempSync(join(tmpdir(), "intake-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const path = join(folder, "bridge.db");

    const before = await openSqliteStore(path);
    const stuck = gate();
    const first = await startEdge({
      store: before,
      sink: async (fact) => {
        if (fact.kind === "message.received" && fact.body === "two") await stuck.passed;
      },
    });
    const events = [textMessage("one"), textMessage("two"), textMessage("three")];
    expect((await first.push("1", events)).status).toBe(200);
    await first.factCount(2);
    // The process dies here: nothing more is written by it.
    await before.close();

    const after = await openSqliteStore(path);
    onTestFinished(() => after.close());
    const second = await startEdge({ store: after });
    await second.push("1", events);
    await second.edge.idle();
    expect(bodies(second.facts)).toEqual(["two", "three"]);
    expect(await after.inbox.pending()).toEqual([]);
    stuck.open();
  });

  it("a stored event that cannot be read is skipped and logged", async () => {
    const store = openMemoryStore();
    const event = textMessage("good");
    await store.inbox.take([
      { eventId: "$broken" as never, room: "!room:example.org" as never, receivedAtMs: 1, json: "{" },
      { eventId: "$event" as never, room: "!room:example.org" as never, receivedAtMs: 2, json: JSON.stringify(event) },
    ]);
    const rig = await startEdge({ store });
    await rig.edge.idle();
    expect(bodies(rig.facts)).toEqual(["good"]);
    expect(rig.lines).toMatchObject([
      { message: "skipped a stored event that cannot be read", fields: { event: "$broken" } },
    ]);
  });

  it("the age of an event is as it was when it came, and it has been here for as long as it was stored", async () => {
    const store = openMemoryStore();
    const event = textMessage("old", { unsigned: { age: 40 } });
    await store.inbox.take([
      {
        eventId: "$old" as never,
        room: "!room:example.org" as never,
        receivedAtMs: Date.now() - 60_000,
        json: JSON.stringify(event),
      },
    ]);
    const rig = await startEdge({ store });
    await rig.edge.idle();
    expect(rig.facts).toMatchObject([{ ageMs: 40 }]);
    const hereForMs = systemClock.nowMs() - (rig.facts[0]?.receivedAtMs ?? 0);
    expect(hereForMs).toBeGreaterThanOrEqual(59_990);
    expect(hereForMs).toBeLessThan(70_000);
  });
});

describe("while events cannot be stored", () => {
  const hangup = (id: string) => roomEvent("m.call.hangup", { call_id: id, party_id: "A", version: "1" });
  const fragile = () => {
    const store = openMemoryStore();
    const state: { fault: "none" | "fails" | "hangs" } = { fault: "none" };
    const inbox: typeof store.inbox = {
      ...store.inbox,
      take: async (entries) => {
        if (state.fault === "fails") throw new StoreError("full", "disk is full: bridge.db");
        if (state.fault === "hangs") await new Promise(() => {});
        return store.inbox.take(entries);
      },
    };
    return { store: { ...store, inbox }, state };
  };

  it("a hang-up is acted on at once, and the homeserver need not send it again", async () => {
    const { store, state } = fragile();
    const rig = await startEdge({ store });
    state.fault = "fails";
    expect((await rig.push("1", [hangup("c1")])).status).toBe(200);
    await rig.edge.idle();
    expect(rig.facts.map(({ kind }) => kind)).toEqual(["call.hungUp"]);
    expect(rig.lines).toMatchObject([{ level: "warn", fields: { error: { code: "full" } } }]);
    expect(rig.edge.inboxDepth()).toBe(0);
  });

  it("a message beside it makes the homeserver send both again, and the message is then taken", async () => {
    const { store, state } = fragile();
    const rig = await startEdge({ store });
    state.fault = "fails";
    const events = [textMessage("hello"), hangup("c1")];
    expect((await rig.push("1", events)).status).toBe(500);
    await rig.edge.idle();
    expect(rig.facts.map(({ kind }) => kind)).toEqual(["call.hungUp"]);
    state.fault = "none";
    expect((await rig.push("1", events)).status).toBe(200);
    await rig.edge.idle();
    expect(rig.facts.map(({ kind }) => kind).toSorted()).toEqual(["call.hungUp", "call.hungUp", "message.received"]);
    expect(await store.inbox.pending()).toEqual([]);
  });

  it("a new call reaches the bridge, to be refused, unless its ghost's invitation has to come again with it", async () => {
    const { store, state } = fragile();
    const rig = await startEdge({ store });
    state.fault = "fails";
    const invite = roomEvent("m.call.invite", {
      call_id: "c2",
      party_id: "A",
      version: "1",
      lifetime: 60_000,
      offer: { type: "offer", sdp: "v=0" },
    });
    expect((await rig.push("1", [textMessage("hello"), invite])).status).toBe(500);
    await rig.edge.idle();
    expect(rig.facts).toEqual([]);
    expect((await rig.push("2", [invite])).status).toBe(200);
    await rig.edge.idle();
    expect(rig.facts.map(({ kind }) => kind)).toEqual(["call.invited"]);
  });

  it("because the store hangs, a hang-up waits a quarter of a second and no longer", async () => {
    const { store, state } = fragile();
    const rig = await startEdge({ store });
    state.fault = "hangs";
    void rig.push("1", [hangup("c1")]).catch(() => {});
    await rig.factCount(1);
    expect(rig.facts.map(({ kind }) => kind)).toEqual(["call.hungUp"]);
  });
});
