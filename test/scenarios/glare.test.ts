// Two who call each other at the same moment: one call remains, and both have it, whatever the person's client makes of
// an invite that comes while it is calling.
import { describe, expect, test } from "vitest";
import { matrixCallId, type UserId } from "../../src/core/ids.ts";
import { dialog, invite } from "../core/call/examples.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { ann, bob, caller, ghost, House, made1, room } from "./house.ts";
import { examplePolicy } from "./settings.ts";

const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };
/** Of the number that Ann dials as 01818118181. */
const dialled = { identity: callerOf("+441818118181") };

function invitation(user: UserId) {
  return { kind: "member.invited", user, direct: true, encrypted: false, public: false } as const;
}

describe("a number rings a person who calls it that very moment, with a client that ignores our invite", () => {
  async function crossed(): Promise<House> {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.origin(ann, made1), ...invitation(caller) });
    await house.take(house.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    return house;
  }

  test("their own call is answered, our invite is taken back, the telephone is answered, and nothing is dialled", async () => {
    const house = await crossed();
    expect(house.homeserver.told.map(({ leg, signal }) => [leg.matrixCallId === "anns", signal.kind])).toEqual([
      [false, "invite"],
      [false, "hangup"],
      [true, "answer"],
    ]);
    expect(house.trunks.orders).toMatchObject([{ verb: "ring" }, { verb: "accept", argument: "trunk answer" }]);
    expect(house.media.orders).toEqual(["offer trunk trunk offers", "cross client offer"]);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
  });

  test("what their client says of it from then on reaches the call that remains", async () => {
    const house = await crossed();
    const anns = { ...house.callOf(ann, "anns"), room: made1 };
    await house.take({ ...anns, kind: "call.candidates", candidates: [candidate] });
    expect(house.media.orders.at(-1)).toBe("candidates 1");
    await house.take({ ...anns, ...house.origin(ann, made1), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.trunks.verbs).toEqual(["ring", "accept", "bye"]);
    await house.sip({ kind: "sip.ended" });
    expect(house.telemetry.ended).toMatchObject([{ direction: "inbound", matrixCallId: "anns", person: ann }]);
    await house.take({ ...anns, ...house.origin(ann, made1), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.telemetry.ignored.at(-1)).toBe("matrix.hungUp in ended");
  });

  test("and a client that keeps its own call, and hangs up ours, has it", async () => {
    const house = await crossed();
    const ours = house.homeserver.told[0]?.leg.matrixCallId;
    await house.take({ ...house.callOf(ann, `${ours}`), room: made1, kind: "call.hungUp", reason: "replaced" });
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("candidates that overtook their invite are used", async () => {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.origin(ann, made1), ...invitation(caller) });
    await house.take({ ...house.callOf(ann, "anns"), room: made1, kind: "call.candidates", candidates: [candidate] });
    await house.take(house.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    expect(house.media.orders).toEqual(["offer trunk trunk offers", "cross client offer", "candidates 1"]);
  });

  test("others who were rung stop ringing", async () => {
    const house = new House();
    await house.arrive({ called: "+441632960002" });
    await house.take({ ...house.origin(ann, made1), ...invitation(caller) });
    await house.take(house.inviteFact({ room: made1, matrixCallId: matrixCallId("anns") }));
    expect(house.signals.filter((signal) => signal.startsWith("hangup"))).toHaveLength(2);
    expect(house.trunks.verbs).toEqual(["ring", "accept"]);
  });

  test("somebody who is not rung calls the number as always, and finds it busy or not", async () => {
    const house = new House();
    await house.arrive();
    await house.take({ ...house.origin(bob, room), ...invitation(caller) });
    await house.take(house.inviteFact({ sender: bob, matrixCallId: matrixCallId("bobs") }));
    expect(house.trunks.verbs).toEqual(["ring", "invite"]);
  });

  test("another number is dialled as always", async () => {
    const house = new House();
    await house.arrive();
    await house.ring();
    expect(house.trunks.verbs).toEqual(["ring", "invite"]);
  });
});

describe("a person calls a number that rings them that very moment", () => {
  test("their call goes on and is answered; what was dialled is taken back; nothing is said to them about it", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.sent", invite });
    await house.take({ ...house.callOf(), kind: "call.candidates", candidates: [candidate] });
    await house.arrive(dialled);
    expect(house.signals).toEqual(["answer"]);
    expect(house.homeserver.told[0]?.leg).toMatchObject({ room, ghost, matrixCallId: "call1" });
    expect(house.trunks.verbs.toSorted()).toEqual(["accept", "cancel", "invite"]);
    expect(house.media.orders).toEqual([
      "offer matrix client offer",
      "candidates 1",
      "close",
      "offer trunk trunk offers",
      "cross client offer",
      "candidates 1",
    ]);
    expect(house.words).toEqual([]);
  });

  test("when they hang up, the telephone that called hears it, and both calls are over", async () => {
    const house = new House();
    const outbound = await house.ring();
    const inbound = await house.arrive(dialled);
    await house.sip({ kind: "sip.ended" }, outbound);
    expect(house.telemetry.ended).toMatchObject([{ direction: "outbound", cause: "crossed" }]);
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
    await house.sip({ kind: "sip.ended" }, inbound);
    expect(house.telemetry.ended).toMatchObject([
      { cause: "crossed" },
      { direction: "inbound", cause: "callee-hung-up" },
    ]);
    expect([house.switchboard.calls, house.clock.pending]).toEqual([[], 0]);
  });

  test("also where they may have one call only", async () => {
    const house = new House({ policy: { ...examplePolicy, callsPerUser: 1 } });
    await house.ring();
    await house.arrive(dialled);
    expect(house.signals).toEqual(["answer"]);
  });

  test("a call that was answered meanwhile is not given up: the second one rings beside it", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.accepted", sdp: "trunk answer", dialog });
    await house.arrive(dialled);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected", "alerting"]);
  });

  test("where the caller is gone again at once, they are not left waiting", async () => {
    const house = new House();
    await house.ring();
    const arriving = house.arrive({ ...dialled });
    const inbound = house.switchboard.calls.find(({ direction }) => direction === "inbound");
    if (inbound === undefined) throw new Error("nothing came");
    house.switchboard.takeSip(inbound.id, { kind: "sip.cancelled", elsewhere: false });
    await arriving;
    expect(house.signals).toEqual(["reject failed"]);
  });

  test("an offer that the trunk left to us changes nothing for them", async () => {
    const house = new House();
    await house.ring();
    await house.arrive({ ...dialled, sdp: undefined });
    expect(house.trunks.verbs.toSorted()).toEqual(["accept", "cancel", "invite"]);
    await house.sip({ kind: "sip.reanswered", sdp: "in the ACK" }, house.switchboard.calls.at(-1)?.id);
    expect(house.signals).toEqual(["answer"]);
  });
});

test("a person's call that is answered in the moment in which the number calls goes on; the other one rings by itself", async () => {
  const house = new House();
  const calling = await house.ring();
  house.switchboard.takeSip(calling, { kind: "sip.accepted", sdp: "trunk answer", dialog });
  const arriving = await house.arrive(dialled);
  expect(house.switchboard.calls.map(({ id, phase }) => [id, phase])).toEqual([
    [calling, "connected"],
    [arriving, "alerting"],
  ]);
  expect(house.in(room)).toEqual(["answer"]);
  expect(house.trunks.verbs).not.toContain("accept");
});
