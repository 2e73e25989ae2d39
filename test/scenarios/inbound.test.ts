// A telephone calls somebody on Matrix: who hears it ring, who has the call, and what everybody sees of it.
import { describe, expect, test } from "vitest";
import { callId, roomId } from "../../src/core/ids.ts";
import { HomeserverError } from "../../src/ports/homeserver.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, bob, caller, House, made1, made2 } from "./house.ts";
import { reception } from "./settings.ts";

const history = { failures: true, history: true };
const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };
const gone = new HomeserverError("UNREACHABLE", "gone", true);

describe("a telephone calls a person", () => {
  test("it rings in a room of the two that is made for it, under the caller's number, and the caller hears it", async () => {
    const house = new House();
    await house.arrive();
    expect(house.homeserver.registered).toEqual([caller]);
    expect(house.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
    expect(house.homeserver.rooms).toEqual([{ room: made1, as: caller, invite: ann }]);
    expect(house.homeserver.told).toMatchObject([
      { leg: { room: made1, ghost: caller }, signal: { kind: "invite", invitee: ann, lifetimeMs: 90_000 } },
    ]);
    expect(house.trunks.orders).toMatchObject([{ verb: "ring", argument: 180 }]);
  });

  test("it is answered on the second device: that one has the call, both talk, the caller hangs up", async () => {
    const house = new House({ notices: history });
    await house.arrive();
    await house.passTime(4_000);
    await house.take(house.answer(made1, ann, "TABLET"));
    await house.take(house.answer(made1, ann, "PHONE"));
    expect(house.in(made1)).toEqual(["invite", "select TABLET"]);
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
    expect(house.media.orders).toEqual(["offer trunk trunk offers", "answer matrix TABLET answers"]);
    expect(house.telemetry.answered).toEqual([4_000]);
    expect(house.telemetry.ignored).toEqual(["matrix.answered in other-party"]);
    await house.passTime(133_000);
    await house.sip({ kind: "sip.hungUp", q850: 16 });
    expect(house.in(made1)).toEqual(["invite", "select TABLET", "hangup user_hangup"]);
    expect(house.words).toEqual([]);
    expect(house.telemetry.ended).toMatchObject([
      {
        direction: "inbound",
        cause: "caller-hung-up",
        person: ann,
        number: "+442079460123",
        called: "+441632960001",
      },
    ]);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
  });

  test("what the winner trickled before its answer is used, what the others did is not", async () => {
    const house = new House();
    await house.arrive();
    for (const party of ["PHONE", "TABLET"])
      await house.take({ ...house.ringing(made1, ann, party), kind: "call.candidates", candidates: [candidate] });
    await house.take(house.answer(made1, ann, "TABLET"));
    expect(house.media.orders.slice(1)).toEqual(["answer matrix TABLET answers", "candidates 1"]);
    expect(house.telemetry.ignored).toEqual(["matrix.candidates in other-party"]);
    await house.take({ ...house.ringing(made1, ann, "TABLET"), kind: "call.candidates", candidates: [candidate] });
    expect(house.media.orders.at(-1)).toBe("candidates 1");
  });

  test("the person hangs up: the telephone hears it", async () => {
    const house = new House();
    await house.arrive();
    await house.take(house.answer(made1));
    await house.take({ ...house.ringing(made1), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.trunks.verbs).toEqual(["ring", "accept", "bye"]);
    expect(house.telemetry.ended).toEqual([]);
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "callee-hung-up", result: "success" }]);
  });

  test("the person declines: the telephone stops ringing at once", async () => {
    const house = new House({ notices: history });
    await house.arrive();
    await house.take({ ...house.ringing(made1), kind: "call.rejected", reason: undefined });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
    expect(house.words).toEqual([]);
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "declined", sipStatus: 603 }]);
  });

  test("the person's client is busy: so is the line", async () => {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.ringing(made1), kind: "call.rejected", reason: "user_busy" });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 486 });
  });

  test("a client of version 0, which can only hang up, declines so", async () => {
    const house = new House();
    await house.arrive();
    await house.take({
      ...house.ringing(made1),
      version: "0",
      party: undefined,
      kind: "call.hungUp",
      reason: undefined,
    });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
  });

  test("nobody answers: it stops ringing, and the caller is told that nobody came", async () => {
    const house = new House({ notices: history });
    await house.arrive();
    await house.passTime(30_000);
    expect(house.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
    expect(house.words).toEqual([]);
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 480 });
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ cause: "no-answer", room: made1, person: ann, leg: undefined }]);
  });

  test("the caller gives up: it stops ringing, and the client alone says that a call was missed", async () => {
    const house = new House({ notices: history });
    await house.arrive();
    await house.sip({ kind: "sip.cancelled", elsewhere: false });
    expect(house.in(made1)).toHaveLength(2);
    expect(house.in(made1)[1]).toMatch(/^hangup/);
    expect(house.words).toEqual([]);
    expect(house.trunks.verbs).toEqual(["ring"]);
    expect([house.telemetry.ended.length, house.clock.pending]).toEqual([1, 0]);
  });

  test("an answer that comes when the caller has given up reaches nobody", async () => {
    const house = new House();
    await house.arrive();
    const answer = house.answer(made1);
    await house.sip({ kind: "sip.cancelled", elsewhere: false });
    await house.take(answer);
    expect(house.trunks.verbs).toEqual(["ring"]);
    expect(house.telemetry.ignored).toEqual(["matrix.answered in ended"]);
  });

  test("somebody else cannot answer or decline for them", async () => {
    const house = new House();
    await house.arrive();
    await house.take(house.answer(made1, bob));
    await house.take({ ...house.ringing(made1, bob), kind: "call.rejected", reason: undefined });
    expect(house.trunks.verbs).toEqual(["ring"]);
    expect(house.telemetry.ignored).toEqual(["matrix.answered in other-party", "matrix.declined in other-party"]);
  });

  test("in another room nobody can answer, though they may know the call's id", async () => {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.answer(made1), room: roomId("!other:example.org") });
    expect(house.trunks.verbs).toEqual(["ring"]);
  });

  test("leaving the room while it rings declines", async () => {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.origin(ann, made1), kind: "member.left", user: ann });
    expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "reject", argument: 603 });
  });

  test("an INVITE without an offer gets ours when the person answers", async () => {
    const house = new House();
    await house.arrive({ sdp: undefined });
    expect(house.media.orders).toEqual(["describe matrix"]);
    await house.take(house.answer(made1));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
    await house.sip({ kind: "sip.reanswered", sdp: "in the ACK" });
    expect(house.media.orders).toEqual(["describe matrix", "answer matrix PHONE answers", "answer trunk in the ACK"]);
  });

  test("a trunk that wants early progress hears 183 before any room is found", async () => {
    const house = new House({ features: { progress: 183 } });
    house.homeserver.hold();
    await house.arrive();
    expect(house.trunks.orders).toMatchObject([{ verb: "ring", argument: 183 }]);
  });
});

describe("several people", () => {
  const group = { called: "+441632960002" };

  test("are rung together; the first who answers has the call, the others stop ringing", async () => {
    const house = new House({ notices: history });
    await house.arrive(group);
    expect([house.in(made1), house.in(made2)]).toEqual([["invite"], ["invite"]]);
    await house.take(house.answer(made2, bob));
    expect(house.in(made2)).toEqual(["invite", "select PHONE"]);
    expect(house.in(made1)).toEqual(["invite", "hangup answered_elsewhere"]);
    expect(house.homeserver.notices).toMatchObject([{ room: made1, text: "Answered by somebody else." }]);
    await house.take(house.answer(made1, ann));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
    expect(house.telemetry.ignored).toEqual(["matrix.answered in other-party"]);
  });

  test("who declines is left in peace, the others go on ringing", async () => {
    const house = new House();
    await house.arrive(group);
    await house.take({ ...house.ringing(made1), kind: "call.rejected", reason: undefined });
    expect(house.trunks.verbs).toEqual(["ring"]);
    await house.take(house.answer(made2, bob));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("one after the other: who did not come has a missed call, the next one rings", async () => {
    const house = new House({ notices: history });
    await house.arrive({ called: "+441632960003" });
    expect(house.homeserver.rooms).toMatchObject([{ invite: ann }]);
    await house.passTime(20_000);
    expect(house.in(made1)).toEqual(["invite", "hangup invite_timeout"]);
    expect(house.homeserver.rooms).toMatchObject([{ invite: ann }, { invite: bob }]);
    await house.take(house.answer(made2, bob));
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
    expect(house.homeserver.notices.filter(({ room }) => room === made1)).toHaveLength(1);
  });

  test("in a room: whoever is in it and answers first has the call, and one who declines speaks for nobody else", async () => {
    const house = new House();
    await house.arrive({ called: "+441632960004" });
    expect(house.homeserver.joined).toEqual([{ room: reception, user: caller }]);
    expect(house.homeserver.told).toMatchObject([{ leg: { room: reception }, signal: { invitee: undefined } }]);
    await house.take({ ...house.ringing(reception, ann), kind: "call.rejected", reason: undefined });
    await house.take(house.answer(reception, bob, "BOBS"));
    await house.take(house.answer(reception, ann));
    expect(house.in(reception)).toEqual(["invite", "select BOBS"]);
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("of our own users none answers", async () => {
    const house = new House();
    await house.arrive({ called: "+441632960004" });
    await house.take(house.answer(reception, caller), house.answer(reception, house.homeserver.bot));
    expect(house.trunks.verbs).toEqual(["ring"]);
  });
});

describe("who calls", () => {
  test("is named as the trunk says, where it is trusted, and renamed when that changes", async () => {
    const house = new House();
    const nameAfter = async (displayName: string | undefined): Promise<string | undefined> => {
      const call = await house.arrive({ identity: callerOf("+442079460123", displayName) });
      await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
      return house.homeserver.names.get(caller);
    };
    expect(await nameAfter("Alice Smith")).toBe("Alice Smith");
    expect(await nameAfter(undefined)).toBe("Alice Smith");
    expect(await nameAfter("Alice Jones")).toBe("Alice Jones");
    expect(house.homeserver.registered).toEqual([caller]);
  });

  test("is only a number where the trunk's names are not trusted", async () => {
    const house = new House({ trust: { identity: "asserted", displayName: false } });
    await house.arrive({ identity: callerOf("+442079460123", "Your Bank") });
    expect(house.homeserver.names.get(caller)).toBe("+44 20 7946 0123");
  });

  test("and withholds it, is Anonymous, like everybody who does, and cannot be called back", async () => {
    const house = new House();
    for (const number of ["+442079460123", "+442079460124"]) {
      const call = await house.arrive({ identity: callerOf(number, "Alice", ["id"]) });
      await house.sip({ kind: "sip.cancelled", elsewhere: false }, call);
    }
    const anonymous = house.homeserver.registered;
    expect(anonymous).toHaveLength(1);
    expect([...house.homeserver.names.values()]).toEqual(["Anonymous"]);
    expect(house.homeserver.rooms).toHaveLength(1);
    const [nobody] = anonymous;
    if (nobody === undefined) throw new Error("nobody called");
    const other = new House();
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
    const house = new House();
    const by = callerOf("+442079460555").from;
    await house.arrive({ diversions: [{ by, reason: "no-answer" }] });
    expect(house.words).toEqual(["Forwarded from +44 20 7946 0555, which did not answer."]);
  });
});

describe("a number that cannot be reached", () => {
  test("is nobody's: 404, and the operator finds it in the history", async () => {
    const house = new House();
    const call = await house.arrive({ called: "+441632960999" });
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 404 }]);
    expect([house.homeserver.registered, house.media.orders]).toEqual([[], []]);
    await house.sip({ kind: "sip.ended" }, call);
    expect(house.telemetry.ended).toMatchObject([
      { direction: "inbound", cause: "not-in-service", sipStatus: 404, called: "+441632960999" },
    ]);
    expect(await house.store.calls.history(1)).toMatchObject([{ id: call }]);
  });

  test("while the homeserver is down: 480, and the call stands in the history", async () => {
    const house = new House();
    house.homeserver.failure = gone;
    await house.arrive();
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
    await house.sip({ kind: "sip.ended" });
    expect(await house.store.calls.history(1)).toMatchObject([{ cause: "unavailable", person: ann }]);
  });

  test("where the homeserver dies between making the room and ringing in it", async () => {
    const house = new House();
    house.homeserver.hold();
    await house.arrive();
    house.homeserver.failure = gone;
    house.homeserver.release();
    await house.quiet();
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 480 }]);
  });

  test("because it would take over a call of others: 603, and nobody else is rung in their place", async () => {
    const house = new House();
    await house.arrive({ replaces: callId("c-other") });
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 603 }]);
    expect(house.homeserver.told).toEqual([]);
  });

  test("while the bridge stops: 503, so that another gateway may be tried", async () => {
    const house = new House();
    void house.switchboard.drain(1_000);
    await house.arrive();
    expect(house.trunks.orders).toMatchObject([{ verb: "reject", argument: 503 }]);
  });
});

test("somebody who joins the room while it rings answers like everybody else", async () => {
  const house = new House();
  await house.arrive();
  await house.passTime(20_000);
  await house.take({ ...house.origin(ann, made1), kind: "member.joined", user: ann });
  await house.take(house.answer(made1, ann, "LATE"));
  expect(house.in(made1)).toEqual(["invite", "select LATE"]);
});

test("TURN servers are asked for by the bot while the caller has no ghost yet, and by the ghost from then on", async () => {
  const house = new House();
  const first = await house.arrive();
  await house.sip({ kind: "sip.cancelled", elsewhere: false }, first);
  await house.arrive();
  expect(house.homeserver.askedServers).toEqual([house.homeserver.bot, caller]);
});
