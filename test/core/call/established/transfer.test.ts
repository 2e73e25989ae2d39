// The person hands a call over to a telephone: who is called, who is left, and what anybody hears.
import { describe, expect, test } from "vitest";
import { trunkName } from "../../../../src/core/ids.ts";
import { connected, dialog, kinds, play, released, request, told, trunk } from "../examples/examples.ts";
import { heardIn, talking } from "../examples/inbound-examples.ts";
import {
  target,
  third,
  planned,
  blind,
  otherDialog,
  other,
  consult,
  ending,
  withoutRefer,
} from "../examples/transfer-examples.ts";

describe("a blind transfer", () => {
  test("the far end is asked to call the number, and let go when it has done so", () => {
    const asked = play(connected(), blind, planned);
    expect(asked.orders).toContainEqual({ kind: "transfer.plan", to: target, person: request.leg.person });
    expect(asked.orders).toContainEqual({ kind: "sip.refer", target: { kind: "address", uri: third.target } });
    const done = play(
      { ...asked, orders: [] },
      { kind: "sip.referProgressed", status: 180 },
      { kind: "sip.referProgressed", status: 200 },
    );
    expect(ending(done)).toEqual({ cause: "transferred", trunk: "bye" });
    expect(kinds(done.orders)).toContain("sip.bye");
  });

  test("the client's call is closed at once in its room, and the room reads where to", () => {
    const { orders } = play(connected(), blind, planned, { kind: "sip.referProgressed", status: 200 });
    expect(heardIn(request.leg.room, orders)).toEqual(["hangup user_hangup", "Transferred to +44 20 7946 0102."]);
  });

  test("a room that has not heard of the end when the transfer is done is still told", () => {
    const done = play(connected(), blind, planned, { kind: "sip.referProgressed", status: 200 });
    const settled = play(done, { kind: "sip.ended" }, released);
    expect(settled.call.phase.kind).toBe("ending");
    expect(play(settled, told("hangup")).call.phase.kind).toBe("ended");
  });

  test("a telephone that hangs up as soon as it calls the other number has been transferred", () => {
    const done = play(connected(), blind, planned, { kind: "sip.hungUp", q850: 16 });
    expect(ending(done)).toEqual({ cause: "transferred", trunk: "nothing" });
  });

  test("who hangs up before it is known where to has hung up, whichever side they are", () => {
    const hangsUp = { kind: "sip.hungUp", q850: 16 } as const;
    expect(ending(play(connected(), blind, hangsUp))).toEqual({ cause: "callee-hung-up", trunk: "nothing" });
    expect(ending(play(talking(), blind, hangsUp))).toEqual({ cause: "caller-hung-up", trunk: "nothing" });
  });

  test("the far end's hold while it calls the other number is answered without the person", () => {
    const { orders } = play(
      connected(),
      blind,
      planned,
      { kind: "sip.offered", description: "hold" },
      { kind: "media.offered", from: "b", description: "for the client" },
      { kind: "media.settled", from: "b", description: "held" },
    );
    expect(orders).toContainEqual({ kind: "sip.answerReoffer", description: "held" });
    expect(heardIn(request.leg.room, orders)).toEqual(["hangup user_hangup"]);
  });

  test("the far end's re-INVITE that waits for the person is to come again, and is answered then", () => {
    const reoffer = { kind: "sip.offered", description: "other codec" } as const;
    const forClient = { kind: "media.offered", from: "b", description: "client offer" } as const;
    const settled = { kind: "media.settled", from: "b", description: "alone" } as const;
    for (const before of [[reoffer], [reoffer, forClient]]) {
      const { call, orders } = play(connected(), ...before, blind, planned);
      expect(orders).toContainEqual({ kind: "sip.refuseReoffer", status: 491 });
      // What is left of the exchange that was broken off answers nothing.
      const late = play({ call, orders: [] }, forClient, settled, reoffer, forClient, settled);
      expect(kinds(late.orders)).toEqual(["media.offer", "media.settle", "sip.answerReoffer"]);
    }
  });

  test("a re-INVITE under way is to come again to whoever gets the far end's leg", () => {
    const facts = [
      blind,
      planned,
      { kind: "sip.offered", description: "hold" },
      { kind: "sip.referRefused", status: 501 },
    ] as const;
    const { orders } = play(connected(), ...facts);
    expect(
      kinds(orders)
        .filter((kind) => kind !== "matrix.notice")
        .slice(-5),
    ).toEqual(["media.offer", "sip.refuseReoffer", "media.handOver", "media.release", "transfer.join"]);
  });

  const recalled = {
    kind: "transfer.recall",
    recall: {
      far: expect.objectContaining({ id: request.id, name: trunk.name, dialog }) as unknown,
      leg: request.leg,
      called: "ann",
      notices: request.notices,
      endsAtMs: expect.any(Number) as unknown,
    },
  };
  const ringing = { kind: "sip.referProgressed", status: 180 } as const;

  test.each([400, 403, 408, 480, 486, 487, 500, 501, 503, 600, 603])(
    "the trunk takes the REFER and then says %i, and nothing rang: the two are joined in the bridge",
    (status) => {
      for (const before of [[], [{ kind: "sip.referProgressed", status: 100 } as const]]) {
        const done = play(connected(), blind, planned, ...before, { kind: "sip.referProgressed", status });
        expect(kinds(done.orders)).toContain("transfer.join");
        expect(kinds(done.orders)).not.toContain("sip.bye");
      }
    },
  );

  test("the trunk takes the REFER and says nothing any more: the two are joined in the bridge", () => {
    const done = play(connected(), blind, planned, { kind: "deadline.passed", name: "transfer" });
    expect(kinds(done.orders)).toContain("transfer.join");
  });

  test.each([
    [486, "The number was busy."],
    [480, "Nobody answered."],
    [603, "The call was declined."],
  ])("a number that rang and says %i: the far end goes back to the person, who reads why", (status, why) => {
    const done = play(connected(), blind, planned, ringing, { kind: "sip.referProgressed", status });
    expect(ending(done)).toEqual({ cause: "transfer-failed", trunk: "nothing" });
    expect(done.orders).toContainEqual(recalled);
    expect(kinds(done.orders)).not.toContain("sip.bye");
    expect(heardIn(request.leg.room, done.orders)).toEqual(["hangup user_hangup", `The transfer failed: ${why}`]);
  });

  test("a number that rings for ever, as far as the trunk says: the far end goes back to the person", () => {
    const done = play(connected(), blind, planned, ringing, { kind: "deadline.passed", name: "transfer" });
    expect(done.orders).toContainEqual(recalled);
  });

  test("a target that the person may not call: the far end goes back to them, and the room reads why", () => {
    const done = play(connected(), blind, { kind: "transfer.barred", cause: "premium-barred" });
    expect(done.orders).toContainEqual(recalled);
    expect(heardIn(request.leg.room, done.orders).at(-1)).toBe(
      "The transfer failed: Calls to premium-rate numbers are not allowed here.",
    );
  });

  test("a client that names nobody: the far end goes back to the person", () => {
    const done = play(connected(), { kind: "matrix.replaced", order: { kind: "nowhere" } });
    expect(done.orders).toContainEqual(recalled);
    expect(heardIn(request.leg.room, done.orders)).toEqual([
      "hangup user_hangup",
      "The call could not be transferred.",
    ]);
  });

  test("the audio of the person's own leg may break down: the transfer goes on", () => {
    for (const fact of [
      { kind: "media.lost" },
      { kind: "media.failed", message: "ice" },
      { kind: "media.timedOut", end: "b" },
    ] as const) {
      const { call } = play(connected(), blind, planned, fact);
      expect(call.phase.kind).toBe("transferring");
    }
  });

  test("a far end that hangs up, or a bridge that stops, ends it", () => {
    for (const fact of [{ kind: "sip.hungUp", q850: 16 }, { kind: "bridge.stopped" }] as const) {
      const { call, orders } = play(connected(), blind, planned, ringing, fact);
      expect(call.phase.kind).toBe("ending");
      expect(kinds(orders)).not.toContain("transfer.recall");
    }
  });

  test.each([
    ["refuses REFER", connected, [{ kind: "sip.referRefused", status: 405 }]],
    ["is known to take none", withoutRefer, []],
  ] as const)("where the trunk %s the two are joined in the bridge", (_why, start, facts) => {
    const done = play(start(), blind, planned, ...facts);
    expect(ending(done)).toEqual({ cause: "transferred", trunk: "nothing" });
    expect(done.orders).toContainEqual({
      kind: "transfer.join",
      handover: expect.objectContaining({
        a: expect.objectContaining({ id: request.id, dialog }),
        target: { kind: "dialled", trunk: third },
        leg: request.leg,
      }),
    });
    // The leg is another call's now: it must not be hung up by this one.
    expect(kinds(done.orders)).not.toContain("sip.bye");
  });

  test("to another trunk it is joined in the bridge, since that trunk's REFER would not reach it", () => {
    const done = play(connected(), blind, { ...planned, trunk: { ...third, name: trunkName("mobile") } });
    expect(kinds(done.orders)).toContain("transfer.join");
    expect(kinds(done.orders)).not.toContain("sip.refer");
  });
});

describe("a consult transfer", () => {
  test("the far end takes the place of ours in the other call", () => {
    const { orders } = play(connected(), consult);
    expect(orders).toContainEqual({ kind: "sip.refer", target: { kind: "dialog", dialog: otherDialog } });
  });

  test("the other call waits, and is over when its far end has been taken", () => {
    const waiting = play(connected(), { kind: "matrix.replaced", order: { kind: "awaited" } });
    expect(waiting.call.phase.kind).toBe("transferring");
    expect(ending(play({ ...waiting, orders: [] }, { kind: "sip.hungUp", q850: 16 }))).toEqual({
      cause: "transferred",
      trunk: "nothing",
    });
    expect(ending(play({ ...waiting, orders: [] }, { kind: "transfer.taken" }))).toEqual({
      cause: "transferred",
      trunk: "nothing",
    });
  });

  const awaited = { kind: "matrix.replaced", order: { kind: "awaited" } } as const;

  test("a call whose other half never comes goes back to the person", () => {
    const done = play(connected(), awaited, { kind: "deadline.passed", name: "transfer" });
    expect(ending(done)).toEqual({ cause: "transfer-failed", trunk: "nothing" });
    expect(kinds(done.orders)).toContain("transfer.recall");
  });

  test("a call whose other half has come waits for as long as that may take", () => {
    const { orders } = play(connected(), awaited, { kind: "transfer.claimed" });
    const deadlines = orders.filter((order) => order.kind === "deadline.set");
    expect(deadlines.at(-1)).toMatchObject({ name: "transfer", atMs: 3_000 + 240_000 });
  });

  test("where REFER is refused the far ends are joined in the bridge", () => {
    const { orders } = play(connected(), consult, { kind: "sip.referRefused", status: 403 });
    expect(orders).toContainEqual({
      kind: "transfer.join",
      handover: expect.objectContaining({ target: { kind: "leg", leg: other } }),
    });
  });

  test("the same call is over once, whatever is released and told late", () => {
    const { call, orders } = play(
      connected(),
      consult,
      { kind: "sip.referRefused", status: 403 },
      told("hangup"),
      released,
    );
    expect(call.phase.kind).toBe("ended");
    expect(kinds(orders).filter((kind) => kind === "media.release")).toHaveLength(1);
  });
});
