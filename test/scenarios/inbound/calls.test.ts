// A telephone calls somebody on Matrix: who hears it ring, who has the call, and what everybody sees of it.
import { describe, expect, test } from "vitest";
import { callId, roomId } from "../../../src/core/ids.ts";
import { HomeserverError } from "../../../src/ports/homeserver.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { ann, bob, caller, TestBridge, made1, made2 } from "../test-bridge.ts";
import { reception } from "../settings.ts";
import { legacyClient } from "../../../src/matrix/legs/legacy-form.ts";

const history = { failures: true, history: true };
const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };
const gone = new HomeserverError("UNREACHABLE", "gone", true);

describe("a telephone calls a person", () => {
  test("it rings in a room of the two that is made for it, under the caller's number, and the caller hears it", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    expect(bridge.homeserver.registered).toEqual([caller]);
    expect(bridge.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
    expect(bridge.homeserver.rooms).toEqual([{ room: made1, as: caller, invite: ann }]);
    expect(bridge.homeserver.told).toMatchObject([
      { leg: { room: made1, ghost: caller }, signal: { kind: "invite", invitee: ann, lifetimeMs: 90_000 } },
    ]);
    expect(bridge.trunks.orders).toMatchObject([{ verb: "ring", argument: 180 }]);
  });

  test("it is answered on the second device: that one has the call, both talk, the caller hangs up", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive();
    await bridge.passTime(4_000);
    await bridge.take(bridge.answer(made1, ann, "TABLET"));
    await bridge.take(bridge.answer(made1, ann, "PHONE"));
    expect(bridge.in(made1)).toEqual(["invite", "select TABLET"]);
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
    expect(bridge.media.orders).toEqual(["offer b trunk offers", "answer a TABLET answers"]);
    expect(bridge.telemetry.answered).toEqual([4_000]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.answered in other-party"]);
    await bridge.passTime(133_000);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    expect(bridge.in(made1)).toEqual(["invite", "select TABLET", "hangup user_hangup"]);
    expect(bridge.words).toEqual([]);
    expect(bridge.telemetry.ended).toMatchObject([
      {
        direction: "inbound",
        cause: "caller-hung-up",
        person: ann,
        number: "+442079460123",
        called: "+441632960001",
      },
    ]);
    expect([bridge.switchboard.calls, bridge.clock.pending]).toEqual([[], 0]);
  });

  test("what the winner trickled before its answer is used, what the others did is not", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    for (const party of ["PHONE", "TABLET"])
      await bridge.take({ ...bridge.ringing(made1, ann, party), kind: "call.candidates", candidates: [candidate] });
    await bridge.take(bridge.answer(made1, ann, "TABLET"));
    expect(bridge.media.orders.slice(1)).toEqual(["answer a TABLET answers", "candidates 1"]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.candidates in other-party"]);
    await bridge.take({ ...bridge.ringing(made1, ann, "TABLET"), kind: "call.candidates", candidates: [candidate] });
    expect(bridge.media.orders.at(-1)).toBe("candidates 1");
  });

  test("the person hangs up: the telephone hears it", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take(bridge.answer(made1));
    await bridge.take({ ...bridge.ringing(made1), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["ring", "accept", "bye"]);
    expect(bridge.telemetry.ended).toEqual([]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "callee-hung-up", result: "success" }]);
  });

  test("the person declines: the telephone stops ringing at once", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive();
    await bridge.take({ ...bridge.ringing(made1), kind: "call.rejected", said: undefined });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
    expect(bridge.words).toEqual([]);
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "declined", sipStatus: 603 }]);
  });

  test("the person's client is busy: so is the line", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.ringing(made1), kind: "call.rejected", said: "busy" });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 486 });
  });

  test("a client of version 0, which can only hang up, declines so", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({
      ...bridge.ringing(made1),
      ...legacyClient("0"),
      device: undefined,
      kind: "call.hungUp",
      said: undefined,
    });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
  });

  test("nobody answers: it stops ringing, and the caller is told that nobody came", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive();
    await bridge.passTime(30_000);
    expect(bridge.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
    expect(bridge.words).toEqual([]);
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 480 });
    await bridge.sip({ kind: "sip.ended" });
    expect(bridge.telemetry.ended).toMatchObject([{ cause: "no-answer", room: made1, person: ann, leg: undefined }]);
  });

  test("the caller gives up: it stops ringing, and the client alone says that a call was missed", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive();
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false });
    expect(bridge.in(made1)).toHaveLength(2);
    expect(bridge.in(made1)[1]).toMatch(/^hangup/);
    expect(bridge.words).toEqual([]);
    expect(bridge.trunks.verbs).toEqual(["ring"]);
    expect([bridge.telemetry.ended.length, bridge.clock.pending]).toEqual([1, 0]);
  });

  test("an answer that comes when the caller has given up reaches nobody", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    const answer = bridge.answer(made1);
    await bridge.sip({ kind: "sip.cancelled", elsewhere: false });
    await bridge.take(answer);
    expect(bridge.trunks.verbs).toEqual(["ring"]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.answered in ended"]);
  });

  test("somebody else cannot answer or decline for them", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take(bridge.answer(made1, bob));
    await bridge.take({ ...bridge.ringing(made1, bob), kind: "call.rejected", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["ring"]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.answered in other-party", "matrix.declined in other-party"]);
  });

  test("in another room nobody can answer, though they may know the call's id", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.answer(made1), room: roomId("!other:example.org") });
    expect(bridge.trunks.verbs).toEqual(["ring"]);
  });

  test("leaving the room while it rings declines", async () => {
    const bridge = new TestBridge();
    await bridge.arrive();
    await bridge.take({ ...bridge.origin(ann, made1), kind: "member.left", user: ann });
    expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
  });

  test("an INVITE without an offer gets ours when the person answers", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ sdp: undefined });
    expect(bridge.media.orders).toEqual(["describe a"]);
    await bridge.take(bridge.answer(made1));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
    await bridge.sip({ kind: "sip.reanswered", description: telephoneSays("in the ACK") });
    expect(bridge.media.orders).toEqual(["describe a", "answer a PHONE answers", "answer b in the ACK"]);
  });

  test("a trunk that wants early progress hears 183 before any room is found", async () => {
    const bridge = new TestBridge({ features: { progress: 183 } });
    bridge.homeserver.hold();
    await bridge.arrive();
    expect(bridge.trunks.orders).toMatchObject([{ verb: "ring", argument: 183 }]);
  });
});

describe("several people", () => {
  const group = { called: "+441632960002" };

  test("are rung together; the first who answers has the call, the others stop ringing", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive(group);
    expect([bridge.in(made1), bridge.in(made2)]).toEqual([["invite"], ["invite"]]);
    await bridge.take(bridge.answer(made2, bob));
    expect(bridge.in(made2)).toEqual(["invite", "select PHONE"]);
    expect(bridge.in(made1)).toEqual(["invite", "hangup answered_elsewhere"]);
    expect(bridge.homeserver.notices).toMatchObject([{ room: made1, text: "Answered by somebody else." }]);
    await bridge.take(bridge.answer(made1, ann));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
    expect(bridge.telemetry.ignored).toEqual(["matrix.answered in other-party"]);
  });

  test("who declines is left in peace, the others go on ringing", async () => {
    const bridge = new TestBridge();
    await bridge.arrive(group);
    await bridge.take({ ...bridge.ringing(made1), kind: "call.rejected", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["ring"]);
    await bridge.take(bridge.answer(made2, bob));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("one after the other: who did not come has a missed call, the next one rings", async () => {
    const bridge = new TestBridge({ notices: history });
    await bridge.arrive({ called: "+441632960003" });
    expect(bridge.homeserver.rooms).toMatchObject([{ invite: ann }]);
    await bridge.passTime(20_000);
    expect(bridge.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
    expect(bridge.homeserver.rooms).toMatchObject([{ invite: ann }, { invite: bob }]);
    await bridge.take(bridge.answer(made2, bob));
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
    expect(bridge.homeserver.notices.filter(({ room }) => room === made1)).toHaveLength(1);
  });

  test("in a room: whoever is in it and answers first has the call, and one who declines speaks for nobody else", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ called: "+441632960004" });
    expect(bridge.homeserver.joined).toEqual([{ room: reception, user: caller }]);
    expect(bridge.homeserver.told).toMatchObject([{ leg: { room: reception }, signal: { invitee: undefined } }]);
    await bridge.take({ ...bridge.ringing(reception, ann), kind: "call.rejected", said: undefined });
    await bridge.take(bridge.answer(reception, bob, "BOBS"));
    await bridge.take(bridge.answer(reception, ann));
    expect(bridge.in(reception)).toEqual(["invite", "select BOBS"]);
    expect(bridge.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("of our own users none answers", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ called: "+441632960004" });
    await bridge.take(bridge.answer(reception, caller), bridge.answer(reception, bridge.homeserver.bot));
    expect(bridge.trunks.verbs).toEqual(["ring"]);
  });
});

describe("who calls", () => {
  test("is named as the trunk says, where it is trusted, and renamed when that changes", async () => {
    const bridge = new TestBridge();
    const nameAfter = async (displayName: string | undefined): Promise<string | undefined> => {
      const call = await bridge.arrive({ identity: callerOf("+442079460123", displayName) });
      await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
      return bridge.homeserver.names.get(caller);
    };
    expect(await nameAfter("Alice Smith")).toBe("Alice Smith");
    expect(await nameAfter(undefined)).toBe("Alice Smith");
    expect(await nameAfter("Alice Jones")).toBe("Alice Jones");
    expect(bridge.homeserver.registered).toEqual([caller]);
  });

  test("is only a number where the trunk's names are not trusted", async () => {
    const bridge = new TestBridge({ trust: { identity: "asserted", displayName: false } });
    await bridge.arrive({ identity: callerOf("+442079460123", "Your Bank") });
    expect(bridge.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
  });

  test("and withholds it, is Anonymous, like everybody who does, and cannot be called back", async () => {
    const bridge = new TestBridge();
    for (const number of ["+442079460123", "+442079460124"]) {
      const call = await bridge.arrive({ identity: callerOf(number, "Alice", ["id"]) });
      await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    const anonymous = bridge.homeserver.registered;
    expect(anonymous).toHaveLength(1);
    expect([...bridge.homeserver.names.values()]).toEqual(["Anonymous"]);
    expect(bridge.homeserver.rooms).toHaveLength(1);
    const [nobody] = anonymous;
    if (nobody === undefined) throw new Error("nobody called");
    const other = new TestBridge();
    await other.take({
      ...other.origin(),
      kind: "member.invited",
      user: nobody,
      direct: true,
      encrypted: false,
      public: false,
    });
    await other.take(other.inviteFact());
    expect(other.trunks.verbs).toEqual([]);
    expect(other.words).toEqual(["This caller withheld their number, so you cannot call them."]);
  });

  test("and over whom the call came, stands in the room", async () => {
    const bridge = new TestBridge();
    const by = callerOf("+442079460555").from;
    await bridge.arrive({ diversions: [{ by, reason: "no-answer" }] });
    expect(bridge.words).toEqual(["Forwarded from +44 20 7946 0555, which did not answer."]);
  });
});

describe("a number that cannot be reached", () => {
  test("is nobody's: 404, and the operator finds it in the history", async () => {
    const bridge = new TestBridge();
    const call = await bridge.arrive({ called: "+441632960999" });
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 404 }]);
    expect([bridge.homeserver.registered, bridge.media.orders]).toEqual([[], []]);
    await bridge.sip({ kind: "sip.ended" }, call);
    expect(bridge.telemetry.ended).toMatchObject([
      { direction: "inbound", cause: "not-in-service", sipStatus: 404, called: "+441632960999" },
    ]);
    expect(await bridge.store.calls.history(1)).toMatchObject([{ id: call }]);
  });

  test("while the homeserver is down: 480, and the call stands in the history", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.failure = gone;
    await bridge.arrive();
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
    await bridge.sip({ kind: "sip.ended" });
    expect(await bridge.store.calls.history(1)).toMatchObject([{ cause: "unavailable", person: ann }]);
  });

  test("where the homeserver dies between making the room and ringing in it", async () => {
    const bridge = new TestBridge();
    bridge.homeserver.hold();
    await bridge.arrive();
    bridge.homeserver.failure = gone;
    bridge.homeserver.release();
    await bridge.quiet();
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
  });

  test("because it would take over a call of others: 603, and nobody else is rung in their place", async () => {
    const bridge = new TestBridge();
    await bridge.arrive({ replaces: callId("c-other") });
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 603 }]);
    expect(bridge.homeserver.told).toEqual([]);
  });

  test("while the bridge stops: 503, so that another gateway may be tried", async () => {
    const bridge = new TestBridge();
    void bridge.stop(1_000);
    await bridge.arrive();
    expect(bridge.trunks.orders).toMatchObject([{ verb: "reject", argument: 503 }]);
  });
});

test("somebody who joins the room while it rings answers like everybody else", async () => {
  const bridge = new TestBridge();
  await bridge.arrive();
  await bridge.passTime(20_000);
  await bridge.take({ ...bridge.origin(ann, made1), kind: "member.joined", user: ann });
  await bridge.take(bridge.answer(made1, ann, "LATE"));
  expect(bridge.in(made1)).toEqual(["invite", "select LATE"]);
});

test("TURN servers are asked for by the bot while the caller has no ghost yet, and by the ghost from then on", async () => {
  const bridge = new TestBridge();
  const first = await bridge.arrive();
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  await bridge.arrive();
  expect(bridge.homeserver.askedServers).toEqual([bridge.homeserver.bot, caller]);
});
