// The person calls the telephone that is calling them.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { kinds, play } from "../examples/examples.ts";
import {
  annRings,
  annsRoom,
  arrive,
  bobsRoom,
  bothRing,
  glare,
  heardByTrunk,
  heardIn,
  offeredToRooms,
  talking,
  together,
} from "../examples/inbound-examples.ts";

describe("the person and the caller call each other at the same moment", () => {
  const crossed: CallFact = { kind: "media.glareAnswered", a: "client answer", b: "trunk answer" };

  test.each([
    ["while it rings", annRings, ["invite", "hangup answered_elsewhere", "answer"]],
    ["before it rings", [], ["answer"]],
    ["while the room is being found", [offeredToRooms], ["answer"]],
  ] as const)("%s: their own call is the one that both have", (_when, before, room) => {
    const { call, orders } = play(arrive(), ...before, glare, crossed);
    expect(heardIn(annsRoom, orders)).toEqual(room);
    expect(heardByTrunk(orders).at(-1)).toBe("200 trunk answer");
    expect(call).toMatchObject({ phase: { kind: "connected", leg: glare.leg, answer: "ordered", inviter: "person" } });
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: glare.leg,
      signal: { kind: "answer", description: "client answer" },
    });
  });

  test("what was made for the rooms meanwhile is not needed any more", () => {
    const { call, orders } = play(arrive(), glare, offeredToRooms, crossed);
    expect(call.phase.kind).toBe("connected");
    expect(kinds(orders)).not.toContain("note.ignored");
  });

  test("others who rang stop ringing", () => {
    const { orders } = play(arrive(together), ...bothRing, glare);
    expect(heardIn(bobsRoom, orders)).toEqual(["invite", "hangup answered_elsewhere", "Answered by somebody else."]);
  });

  test("and the caller's offer is one that nobody can use: the person is not told that theirs was", () => {
    const refused: CallFact = { kind: "media.refused", from: "b", fault: "bad-description", message: "" };
    const { orders } = play(arrive(), glare, refused);
    expect(heardByTrunk(orders)).toEqual(["488 (88)"]);
    expect(heardIn(annsRoom, orders)).toEqual(["reject", "The other end cannot handle this kind of call."]);
  });

  test("and the two offers do not go together: both are refused", () => {
    const refused: CallFact = { kind: "media.refused", from: "a", fault: "no-common-codec", message: "" };
    const { orders } = play(arrive(), ...annRings, glare, refused);
    expect(heardByTrunk(orders)).toEqual(["180", "488 (88)"]);
    expect(heardIn(annsRoom, orders)).toEqual([
      "invite",
      "hangup answered_elsewhere",
      "reject",
      "The other end cannot handle this kind of call.",
    ]);
  });

  test("a client whose call it is goes first when offers cross in it, one that was called gives way", () => {
    const asks: readonly CallFact[] = [
      { kind: "sip.offered", description: "codec" },
      { kind: "media.offered", from: "b", description: "client offer" },
      { kind: "matrix.offered", description: "hold" },
    ];
    const own = play(arrive(), glare, crossed, ...asks);
    expect(own.orders).toContainEqual({ kind: "sip.refuseReoffer", status: 491 });
    const called = play(talking(), ...asks);
    expect(kinds(called.orders).at(-1)).toBe("note.ignored");
  });
});
