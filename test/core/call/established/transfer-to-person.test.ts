// A call is handed over to somebody on Matrix.
import { describe, expect, test } from "vitest";
import { matrixCallId, deviceId, roomId, type UserId } from "../../../../src/core/ids.ts";
import {
  accepted,
  answered,
  begin,
  connected,
  kinds,
  offered,
  play,
  released,
  request,
  type Ladder,
} from "../examples/examples.ts";
import { heardIn } from "../examples/inbound-examples.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";
import { ending } from "../examples/transfer-examples.ts";

describe("a transfer to somebody on Matrix", () => {
  const person = "@carol:example.org" as UserId;
  const forwarded = {
    kind: "transfer.forwarded",
    person,
    ring: { matrixCallId: matrixCallId("zzz2"), own: deviceId("bridge2"), form: legacyClient("1").form },
    announce: ["Transferred by @ann:example.org."],
  } as const;
  const toPerson = { kind: "matrix.replaced", order: { kind: "blind", target: person } } as const;
  const room = roomId("!carol:example.org");
  const target = { kind: "person", person } as const;

  const carolAnswers = {
    kind: "matrix.answered",
    room,
    person,
    device: deviceId("CAROL"),
    ...legacyClient("1"),
    description: "Carol's",
  } as const;

  function ringing(): Ladder {
    return play(
      connected(),
      toPerson,
      forwarded,
      released,
      { kind: "media.described", end: "a", description: "offer for Carol" },
      { kind: "matrix.roomFound", target, room, ghost: request.leg.ghost },
      { kind: "matrix.told", signal: "invite", room },
    );
  }

  test("the person rings, called by the same number, and the far end stays on the line", () => {
    const { call, orders } = ringing();
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: expect.objectContaining({ room, ghost: request.leg.ghost, matrixCallId: forwarded.ring.matrixCallId }),
      signal: expect.objectContaining({ kind: "invite", description: "offer for Carol", invitee: person }),
    });
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: expect.objectContaining({ room }),
      text: forwarded.announce[0],
    });
    expect(kinds(orders).filter((kind) => kind.startsWith("sip."))).toEqual([]);
    expect(call.phase.kind).toBe("alerting");
  });

  test("who answers talks to the far end in a session of their own", () => {
    const { call, orders } = play(
      { ...ringing(), orders: [] },
      carolAnswers,
      { kind: "media.answered", from: "a", description: "for the trunk" },
      { kind: "sip.reanswered", description: "trunk's" },
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders).toContainEqual({ kind: "sip.reoffer", description: "for the trunk" });
    expect(orders).toContainEqual({ kind: "media.answer", from: "b", description: "trunk's" });
    expect(call).toMatchObject({ phase: { kind: "connected", leg: { person }, renegotiation: { by: "nobody" } } });
  });

  test("where there is no room for the person the far end goes back to who handed it over", () => {
    const { orders } = play(
      connected(),
      toPerson,
      forwarded,
      released,
      { kind: "media.described", end: "a", description: "offer for Carol" },
      { kind: "matrix.roomMissing", target, busy: false, message: "forbidden" },
    );
    expect(kinds(orders)).toContain("transfer.recall");
    expect(kinds(orders)).not.toContain("sip.bye");
  });

  test("how long it was is said for the time that they talked, and the record counts from the answer", () => {
    const { orders, call } = play(
      begin({ notices: { failures: true, history: true } }),
      offered,
      accepted,
      answered,
      toPerson,
      forwarded,
      { kind: "media.described", end: "a", description: "offer for Carol" },
      { kind: "matrix.roomFound", target, room, ghost: request.leg.ghost },
      carolAnswers,
      { kind: "media.answered", from: "a", description: "for the trunk" },
      { kind: "sip.hungUp", q850: 16 },
    );
    expect(call).toMatchObject({ phase: { kind: "ending", answeredAtMs: 3_000 } });
    expect(heardIn(request.leg.room, orders)).toEqual([
      "answer",
      "hangup user_hangup",
      "Transferred to @carol:example.org after 3 s.",
    ]);
    expect(heardIn(room, orders)).toEqual(["invite", "select", "hangup user_hangup"]);
  });

  test.each([
    ["nobody answers", [{ kind: "deadline.passed", name: "stage" }]],
    ["the person declines", [{ kind: "matrix.declined", room, person, said: undefined }]],
    ["the person's audio fails", [carolAnswers, { kind: "media.failed", message: "ice" }]],
    ["the person hangs up at once", [carolAnswers, { kind: "matrix.hungUp", said: undefined }]],
  ] as const)("where %s the far end goes back to who handed it over", (_how, facts) => {
    const done = play(ringing(), ...facts);
    expect(ending(done).trunk).toBe("nothing");
    expect(done.orders).toContainEqual(
      expect.objectContaining({
        kind: "transfer.recall",
        recall: expect.objectContaining({ leg: request.leg, far: expect.objectContaining({ id: request.id }) }),
      }),
    );
    expect(kinds(done.orders)).not.toContain("sip.bye");
    expect(kinds(done.orders)).not.toContain("sip.reject");
  });

  test("and who transferred it reads that nobody did, or that they declined", () => {
    const { leg } = request;
    const nobody = play(ringing(), { kind: "deadline.passed", name: "stage" });
    expect(heardIn(leg.room, nobody.orders).at(-1)).toBe("The transfer failed: Nobody answered.");
    const declined = play(ringing(), { kind: "matrix.declined", room, person, said: undefined });
    expect(heardIn(leg.room, declined.orders).at(-1)).toBe("The transfer failed: The call was declined.");
    const busy = play(ringing(), { kind: "matrix.declined", room, person, said: "busy" });
    expect(heardIn(leg.room, busy.orders).at(-1)).toBe("The transfer failed: The number was busy.");
    const gone = play(ringing(), carolAnswers, { kind: "matrix.left" });
    expect(heardIn(leg.room, gone.orders).at(-1)).toBe("The transfer failed: The call was declined.");
    const caller = play(ringing(), { kind: "sip.hungUp", q850: 16 });
    expect(heardIn(leg.room, caller.orders).join("\n")).not.toContain("failed");
  });

  test("the far end hangs up while it waits: the person stops ringing", () => {
    const done = play(ringing(), { kind: "sip.hungUp", q850: 16 });
    expect(ending(done).trunk).toBe("nothing");
    expect(done.orders).toContainEqual({
      kind: "matrix.signal",
      leg: expect.objectContaining({ room }),
      signal: expect.objectContaining({ kind: "hangup" }),
    });
  });
});
