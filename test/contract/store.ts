// What every store must do, whatever it is made of. Each implementation's test file calls this once.
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { CallRecord } from "../../src/core/call/model/record.ts";
import type { StoredCall } from "../../src/core/call/recover.ts";
import { callId, eventId, roomId, type NumberKey, type UserId } from "../../src/core/ids.ts";
import type { Conversation, Store } from "../../src/ports/store.ts";
import { arrivingCall, ghost, inboxEntry, leg, number, person, recordOf, room, storedCall } from "./store-examples.ts";
import { describeHistory } from "./store-history.ts";
import { describeSpending } from "./store-spending.ts";

/** As JSON has it: without what is undefined. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

export function describeStore(name: string, open: () => Promise<Store>): void {
  describe(`${name} keeps the store's contract`, () => {
    let store: Store;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(() => store.close());

    it("takes an event once, and says which were new", async () => {
      const [a, b, c] = [inboxEntry("$a"), inboxEntry("$b"), inboxEntry("$c")];
      expect(await store.inbox.take([a, b])).toEqual([a, b]);
      expect(await store.inbox.take([b, c, c])).toEqual([c]);
      expect(await store.inbox.take([])).toEqual([]);
    });

    it("lists what is not done yet in the order of arrival", async () => {
      await store.inbox.take([inboxEntry("$z"), inboxEntry("$a")]);
      await store.inbox.take([inboxEntry("$m", 500)]);
      await store.inbox.done(eventId("$a"));
      expect(await store.inbox.pending()).toEqual([inboxEntry("$z"), inboxEntry("$m", 500)]);
    });

    it("remembers a done event until it is pruned, and never prunes one that is not done", async () => {
      await store.inbox.take([inboxEntry("$old", 100), inboxEntry("$new", 900), inboxEntry("$stuck", 100)]);
      await store.inbox.done(eventId("$old"));
      await store.inbox.done(eventId("$new"));
      expect(await store.inbox.take([inboxEntry("$old")])).toEqual([]);
      expect(await store.inbox.prune(900)).toBe(1);
      expect((await store.inbox.take([inboxEntry("$old"), inboxEntry("$new")])).map((entry) => entry.eventId)).toEqual([
        "$old",
      ]);
      expect((await store.inbox.pending()).map((entry) => entry.eventId)).toEqual(["$stuck", "$old"]);
    });

    it("does not mind hearing that an unknown event is done", async () => {
      await store.inbox.done(eventId("$never"));
      expect(await store.inbox.pending()).toEqual([]);
    });

    it("gives an open call back as it was saved last", async () => {
      const stored = storedCall("c-1");
      await store.calls.save(stored);
      const changed: StoredCall = { ...stored, call: { ...stored.call, number: "changed" } };
      await store.calls.save(changed);
      expect(plain(await store.calls.open())).toEqual([plain(changed)]);
    });

    it("keeps its own copy of a call", async () => {
      await store.calls.save(storedCall("c-1"));
      const [first] = await store.calls.open();
      const [second] = await store.calls.open();
      expect(first).not.toBe(second);
    });

    it("moves a finished call from open to history", async () => {
      await store.calls.save(storedCall("c-1"));
      await store.calls.finish(callId("c-1"), recordOf("c-1", 2_000));
      expect(await store.calls.open()).toEqual([]);
      expect(plain(await store.calls.history(10))).toEqual([plain(recordOf("c-1", 2_000))]);
    });

    it("keeps a call that has no room yet, under the room that it gets later", async () => {
      const arriving = arrivingCall("c-1");
      await store.calls.save(arriving);
      expect(plain(await store.calls.open())).toEqual([plain(arriving)]);
      await store.calls.save(storedCall("c-1"));
      expect(await store.calls.known(room, leg("c-1").matrixCallId)).toBe(true);
      expect(await store.calls.open()).toHaveLength(1);
    });

    it("keeps the record of a call that nobody answered and that rang nowhere", async () => {
      const missed: CallRecord = {
        ...recordOf("c-1", 2_000),
        direction: "inbound",
        leg: undefined,
        room: undefined,
        person: undefined,
        matrixCallId: undefined,
        called: "+441632960001",
        cause: "not-in-service",
      };
      await store.calls.save(arrivingCall("c-1"));
      await store.calls.finish(callId("c-1"), missed);
      expect(await store.calls.open()).toEqual([]);
      expect(plain(await store.calls.history(10))).toEqual([plain(missed)]);
    });

    it("keeps the record of a call that was refused before it was ever saved", async () => {
      await store.calls.finish(callId("c-refused"), recordOf("c-refused", 2_000));
      expect((await store.calls.history(1)).map((record) => record.id)).toEqual(["c-refused"]);
    });

    it("forgets calls that ended long ago, and never an open one", async () => {
      await store.calls.save(storedCall("c-open"));
      for (const [id, endedAtMs] of [
        ["c-old", 1_000],
        ["c-new", 2_000],
      ] as const)
        await store.calls.finish(callId(id), recordOf(id, endedAtMs));
      expect(await store.calls.prune(2_000)).toBe(1);
      expect((await store.calls.history(10)).map((record) => record.id)).toEqual(["c-new"]);
      expect((await store.calls.open()).map(({ call }) => call.id)).toEqual(["c-open"]);
      expect(await store.calls.prune(2_000)).toBe(0);
    });

    it("lists history newest first, and no more than asked", async () => {
      for (const [id, endedAtMs] of [
        ["c-1", 200],
        ["c-2", 300],
        ["c-3", 100],
      ] as const) {
        await store.calls.finish(callId(id), recordOf(id, endedAtMs));
      }
      expect((await store.calls.history(2)).map((record) => record.id)).toEqual(["c-2", "c-1"]);
    });

    describeHistory(() => store);
    describeSpending(() => store);

    it("knows a client's call id in its room, open or ended, and in no other room", async () => {
      await store.calls.save(storedCall("c-open"));
      await store.calls.finish(callId("c-over"), recordOf("c-over", 1));
      expect(await store.calls.known(room, leg("c-open").matrixCallId)).toBe(true);
      expect(await store.calls.known(room, leg("c-over").matrixCallId)).toBe(true);
      expect(await store.calls.known(room, "other")).toBe(false);
      expect(await store.calls.known(roomId("!other:example.org"), leg("c-open").matrixCallId)).toBe(false);
    });

    it("finds a ghost by its exact id, with its name or without", async () => {
      expect(await store.ghosts.find(ghost)).toBeUndefined();
      await store.ghosts.save(ghost, { displayName: undefined, picture: undefined });
      expect(await store.ghosts.find(ghost)).toEqual({ displayName: undefined, picture: undefined });
      const profile = { displayName: "0181 811 8181", picture: "mxc://example.org/telephone" };
      await store.ghosts.save(ghost, profile);
      expect(await store.ghosts.find(ghost)).toEqual(profile);
      expect(await store.ghosts.list()).toEqual([ghost]);
      expect(await store.ghosts.find(ghost.toUpperCase() as UserId)).toBeUndefined();
    });

    it("finds the room in which a person and a number spoke last first, until that room is forgotten", async () => {
      const other = roomId("!other:example.org");
      const second = "@_sip_+441818118181:example.org" as UserId;
      const first: Conversation = { room, person, number, ghost };
      await store.conversations.save(first);
      await store.conversations.save({ ...first, room: other, ghost: second });
      expect(await store.conversations.find(person, number)).toEqual([{ ...first, room: other, ghost: second }, first]);
      expect(await store.conversations.spoke(room, person)).toBe(true);
      expect((await store.conversations.find(person, number))[0]).toEqual(first);
      const another = { room: roomId("!third:example.org"), person, number: "+441818118182" as NumberKey, ghost };
      await store.conversations.save(another);
      expect((await store.conversations.latest(person, 2)).map((one) => one.room)).toEqual([another.room, room]);
      expect(await store.conversations.latest(person, 1)).toEqual([another]);
      expect(await store.conversations.latest(ghost, 2)).toEqual([]);
      await store.rooms.forget(another.room);
      await store.rooms.forget(room);
      expect((await store.conversations.find(person, number)).map((one) => one.room)).toEqual([other]);
      expect(await store.conversations.find(person, "+441818118182" as NumberKey)).toEqual([]);
      expect(await store.conversations.find(ghost, number)).toEqual([]);
    });

    it("puts a conversation that was found behind those that are known, and never changes one", async () => {
      const first: Conversation = { room, person, number, ghost };
      const found = roomId("!another:example.org");
      await store.conversations.save(first);
      await store.conversations.add({ ...first, room: found });
      await store.conversations.add({ ...first, person: "@bob:example.org" as UserId });
      expect((await store.conversations.find(person, number)).map((one) => one.room)).toEqual([room, found]);
    });

    it("does not take a word in somebody else's room for a conversation", async () => {
      await store.conversations.save({ room, person, number, ghost });
      expect(await store.conversations.spoke(room, "@bob:example.org" as UserId)).toBe(false);
      expect(await store.conversations.spoke(roomId("!none:example.org"), person)).toBe(false);
    });

    it("gives a room that two people had one after the other to the second", async () => {
      const bob = "@bob:example.org" as UserId;
      await store.conversations.save({ room, person, number, ghost });
      await store.conversations.save({ room, person: bob, number, ghost });
      expect(await store.conversations.find(person, number)).toEqual([]);
      expect(await store.conversations.find(bob, number)).toHaveLength(1);
    });

    it("keys every conversation anew by its ghost", async () => {
      const key = "+441818118181" as NumberKey;
      await store.conversations.save({ room, person, number, ghost });
      await store.conversations.rekey((one) => (one === ghost ? key : number));
      expect(await store.conversations.find(person, number)).toEqual([]);
      expect(await store.conversations.find(person, key)).toEqual([{ room, person, number: key, ghost }]);
    });

    it("knows which of our users are in a room", async () => {
      const bot = "@_sip_bot:example.org" as UserId;
      await store.rooms.saveOurs(room, bot);
      await store.rooms.saveOurs(room, ghost);
      await store.rooms.saveOurs(room, ghost);
      expect(new Set(await store.rooms.ours(room))).toEqual(new Set([ghost, bot]));
      await store.rooms.removeOurs(room, bot);
      expect(await store.rooms.ours(room)).toEqual([ghost]);
      await store.rooms.forget(room);
      expect(await store.rooms.ours(room)).toEqual([]);
    });

    it("knows which ghosts are guests in the bot's rooms, and who came last", async () => {
      const other = roomId("!other:example.org");
      const later = "@_sip_0207%40sip.example.org:example.org" as UserId;
      await store.visits.begin({ room, ghost, person, atMs: 1 });
      await store.visits.begin({ room: other, ghost, person, atMs: 2 });
      await store.visits.end(room, ghost);
      await store.visits.begin({ room, ghost: later, person, atMs: 3 });
      expect(await store.visits.open()).toEqual([
        { room: other, ghost, person, atMs: 2 },
        { room, ghost: later, person, atMs: 3 },
      ]);
      expect((await store.visits.latest(room, 5)).map((visit) => visit.ghost)).toEqual([later, ghost]);
      expect((await store.visits.latest(room, 1)).map((visit) => visit.ghost)).toEqual([later]);
      await store.visits.begin({ room, ghost, person, atMs: 4 });
      expect(await store.visits.open()).toHaveLength(3);
      expect((await store.visits.latest(room, 1)).map((visit) => visit.ghost)).toEqual([ghost]);
    });

    it("says a thing for the first time once per room and subject", async () => {
      const other = roomId("!other:example.org");
      expect(await store.rooms.firstTime(room, "encrypted")).toBe(true);
      expect(await store.rooms.firstTime(room, "encrypted")).toBe(false);
      expect(await store.rooms.firstTime(room, "welcome")).toBe(true);
      expect(await store.rooms.firstTime(other, "encrypted")).toBe(true);
      await store.rooms.forget(room);
      expect(await store.rooms.firstTime(room, "encrypted")).toBe(true);
    });

    it.each(["'; drop table inbox; --", '"', "a\0b", "%_\\", "two\nlines", "📞", "x".repeat(60_000), "__proto__"])(
      "takes text for text: %#",
      async (text) => {
        const entry = { ...inboxEntry(`$${text}`), room: roomId(text), json: JSON.stringify({ text }) };
        expect(await store.inbox.take([entry, inboxEntry("$other")])).toHaveLength(2);
        expect(await store.inbox.pending()).toEqual([entry, inboxEntry("$other")]);
        await store.inbox.done(entry.eventId);
        expect(await store.inbox.pending()).toEqual([inboxEntry("$other")]);
        const user = `@${text}:example.org` as UserId;
        await store.ghosts.save(user, { displayName: text, picture: text });
        expect(await store.ghosts.find(user)).toEqual({ displayName: text, picture: text });
        await store.rooms.saveOurs(roomId(text), user);
        const conversation = { room: roomId(text), person, number: text as NumberKey, ghost: user };
        await store.conversations.save(conversation);
        expect(await store.rooms.ours(roomId(text))).toEqual([user]);
        expect(await store.conversations.find(person, text as NumberKey)).toEqual([conversation]);
        expect([
          await store.rooms.firstTime(roomId(text), text),
          await store.rooms.firstTime(roomId(text), text),
        ]).toEqual([true, false]);
        await store.settings.set(text, text);
        expect(await store.settings.get(text)).toBe(text);
        expect(await store.calls.known(roomId(text), text)).toBe(false);
        await store.rooms.forget(roomId(text));
        expect(await store.rooms.ours(roomId(text))).toEqual([]);
      },
    );

    it("keeps settings", async () => {
      expect(await store.settings.get("encoding")).toBeUndefined();
      await store.settings.set("encoding", "percent");
      await store.settings.set("encoding", "grammar");
      expect(await store.settings.get("encoding")).toBe("grammar");
    });

    it("can prove that it is writable", async () => {
      await expect(store.check()).resolves.toBeUndefined();
    });
  });
}
