// The person hands a call over, or the trunk wants it handed over: who is called, who is left, and what anybody hears.
import { describe, expect, test } from "vitest";
import { owedTo, type DialledTrunk } from "../../../../src/core/call/model/trunk-leg.ts";
import { callId, matrixCallId, deviceId, roomId, sipCallId, trunkName, type UserId } from "../../../../src/core/ids.ts";
import {
  accepted,
  answered,
  anyLeg,
  begin,
  confirmedLeg,
  connected,
  dialog,
  kinds,
  offered,
  play,
  released,
  request,
  told,
  trunk,
  type Ladder,
} from "../examples/examples.ts";
import { heardIn, talking } from "../examples/inbound-examples.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";
import { sipUri } from "../../address/sip-uri.ts";

const target = "@_sip_%2B442079460102%40sip.example.org:example.org" as UserId;
const third: DialledTrunk = { ...trunk, target: sipUri("sip:+442079460102@sip.example.org"), number: "+442079460102" };
const shown = { ghost: target, displayName: "+44 20 7946 0102" };
const planned = { kind: "transfer.planned", trunk: third, shown } as const;
const blind = { kind: "matrix.replaced", order: { kind: "blind", target } } as const;
const otherDialog = {
  ...dialog,
  sipCallId: sipCallId("def@example.org"),
  remoteUri: "sip:+442079460103@sip.example.org",
};
const other = confirmedLeg(callId("c-2"), { ...trunk, number: "+442079460103" }, otherDialog);
const consult = { kind: "matrix.replaced", order: { kind: "consult", other, name: "+44 20 7946 0103" } } as const;

function ending({ call }: Ladder): { readonly cause: string; readonly trunk: string | undefined } {
  if (call.phase.kind !== "ending") throw new Error(`the call is ${call.phase.kind}`);
  const [leg] = call.phase.trunks;
  return { cause: call.phase.cause, trunk: leg && owedTo(leg) };
}

/** Of a trunk that takes no REFER. */
function withoutRefer() {
  const { call } = connected();
  if (call.phase.kind !== "connected") throw new Error("not connected");
  const { phase } = call;
  const trunk = { ...phase.trunk, abilities: { infoDtmf: false, refer: false } };
  return { call: { ...call, phase: { ...phase, trunk } }, orders: [] };
}

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

describe("a transfer that the trunk wants", () => {
  const referred = {
    kind: "sip.referred",
    target: { displayName: undefined, uri: third.target, user: "+442079460102", host: "sip.example.org" },
    replaces: "xyz;to-tag=1;from-tag=2",
  } as const;
  const newDialog = { ...dialog, sipCallId: sipCallId("new@example.org") };

  test("the person is connected to the other number and reads to whom", () => {
    const { call, orders } = play(
      play(begin({ notices: { failures: true, history: true } }), offered, accepted, answered),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaced", description: "theirs", dialog: newDialog },
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders).toContainEqual({
      kind: "sip.replace",
      trunk: third.name,
      target: third.target,
      identity: third.identity,
      description: "ours",
      replaces: referred.replaces,
    });
    expect(orders).toContainEqual({ kind: "media.answer", from: "b", description: "theirs" });
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: anyLeg,
      signal: { kind: "identity", identity: shown },
    });
    expect(orders).toContainEqual({
      kind: "matrix.notice",
      leg: anyLeg,
      text: "You are now connected to +44 20 7946 0102.",
    });
    expect(call).toMatchObject({
      phase: {
        kind: "connected",
        trunk: { dialog: newDialog, number: "+442079460102" },
        renegotiation: { by: "nobody" },
      },
    });
  });

  test("a number that the person may not call is refused, and the call goes on", () => {
    const { call, orders } = play(connected(), referred, { kind: "transfer.barred", cause: "premium-barred" });
    expect(orders).toContainEqual({ kind: "sip.refuseRefer", status: 603 });
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("what the other number answers with cannot be used: the old far end is gone, and the person is told", () => {
    const { call, orders } = play(
      connected(),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaced", description: "video only", dialog: newDialog },
      { kind: "media.refused", from: "b", fault: "bad-description", message: "" },
    );
    expect(ending({ call, orders })).toEqual({ cause: "incompatible", trunk: "bye" });
  });

  test("a number that does not answer leaves the call as it was", () => {
    const { call } = play(
      connected(),
      referred,
      planned,
      { kind: "media.described", end: "b", description: "ours" },
      { kind: "sip.replaceFailed", status: 486 },
    );
    expect(call).toMatchObject({ phase: { kind: "connected", trunk: { dialog }, renegotiation: { by: "nobody" } } });
  });

  test("it waits its turn while the person changes the session", () => {
    const { orders } = play(connected(), { kind: "matrix.offered", description: "hold" }, referred);
    expect(orders).toContainEqual({ kind: "sip.refuseRefer", status: 491 });
  });

  test("an offer of the person's meanwhile has its turn afterwards", () => {
    const { orders } = play(
      connected(),
      referred,
      { kind: "matrix.offered", description: "hold" },
      { kind: "transfer.barred", cause: "no-route" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "a", description: "hold" });
  });
});

describe("keys and names in a call", () => {
  const key = { kind: "media.dtmf", from: "a", digit: "5", durationMs: 160 } as const;

  test("a key that went on as RTP is not sent once more", () => {
    expect(kinds(play(connected(), { ...key, relayed: true }).orders)).toEqual([]);
  });

  test("a trunk that takes keys in INFO gets those that its RTP could not carry", () => {
    const start = withoutRefer();
    const { phase } = start.call;
    const taking = {
      ...start,
      call: {
        ...start.call,
        phase: { ...phase, trunk: { ...phase.trunk, abilities: { infoDtmf: true, refer: false } } },
      },
    };
    expect(play(taking, { ...key, relayed: false }).orders).toEqual([
      { kind: "sip.info", digit: "5", durationMs: 160 },
    ]);
    expect(kinds(play(start, { ...key, relayed: false }).orders)).toEqual([]);
  });

  test("a key of the trunk in INFO is heard by the client", () => {
    const { orders } = play(connected(), { kind: "sip.dtmf", digit: "#", durationMs: 100 });
    expect(orders).toEqual([{ kind: "media.dtmf", to: "a", digit: "#", durationMs: 100 }]);
  });

  test("the client is told once who is at the telephone now, and nothing while it is the number that was called", () => {
    const itself = {
      kind: "identity.resolved",
      shown: { ghost: request.leg.ghost, displayName: "0181 811 8181" },
    } as const;
    const somebody = { kind: "identity.resolved", shown } as const;
    expect(kinds(play(connected(), itself).orders)).toEqual([]);
    expect(kinds(play(connected(), somebody, somebody).orders)).toEqual(["matrix.signal"]);
  });
});

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
