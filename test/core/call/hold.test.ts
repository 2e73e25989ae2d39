// The telephone holds, and the client is to show it: when it is offered what, and what goes first.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../src/core/call/model/fact.ts";
import type { Step } from "../../../src/core/call/step.ts";
import { accepted, answered, anyLeg, begin, connected, kinds, offered, play, request } from "./examples.ts";
import { talking } from "./inbound-examples.ts";

const changed: CallFact = { kind: "media.holdChanged" };
const described: CallFact = { kind: "media.described", side: "matrix", sdp: "sendonly" };
const recvonly: CallFact = { kind: "matrix.reanswered", sdp: "recvonly" };
const taken: CallFact = { kind: "media.answered", from: "matrix", sdp: "" };
const reoffer = {
  kind: "matrix.signal",
  leg: anyLeg,
  signal: { kind: "reoffer", sdp: "sendonly", lifetimeMs: 10_000 },
};
const clientHolds: CallFact = { kind: "matrix.offered", sdp: "client holds" };

const nobody = { phase: "connected", renegotiation: { by: "nobody" } };

describe("a hold of the telephone", () => {
  test("is offered to the client, and nothing is asked of the trunk", () => {
    const { call, effects } = play(connected(), changed, described, recvonly, taken);
    expect(effects.filter(({ kind }) => !kind.startsWith("deadline."))).toEqual([
      { kind: "media.describe", side: "matrix" },
      reoffer,
      { kind: "media.answer", from: "matrix", sdp: "recvonly" },
    ]);
    expect(call).toMatchObject(nobody);
  });

  test("is not shown to a client of version 0, whose call goes on as it is", () => {
    const { call } = play(begin({ leg: { ...request.leg, version: "0" } }), offered, accepted, answered);
    expect(kinds(play({ call, effects: [] }, changed).effects)).toEqual([]);
  });

  test.each([
    ["does not answer", { kind: "deadline.passed", name: "renegotiation" }],
    ["cannot be reached", { kind: "matrix.unreachable", signal: "reoffer", room: request.leg.room, message: "gone" }],
  ] as const)("leaves the call as it is where the client %s", (_how, fact) => {
    const { call, effects } = play(connected(), changed, described, fact);
    expect(call).toMatchObject(nobody);
    expect(kinds(effects)).toEqual(["media.describe", "matrix.signal"]);
  });

  test("leaves the call as it is where the offer cannot be made, or its answer cannot be used", () => {
    const refused: CallFact = { kind: "media.refused", from: "matrix", fault: "engine", message: "" };
    expect(play(connected(), changed, refused).call).toMatchObject(nobody);
    expect(play(connected(), changed, described, recvonly, refused).call).toMatchObject(nobody);
  });
});

describe("what the telephone does while the client is shown its hold", () => {
  const resumes: CallFact = { kind: "sip.offered", sdp: "sendrecv" };
  const settled: CallFact = { kind: "media.settled", from: "trunk", sdp: "answer" };

  test("it resumes: it has its answer at once, and is never told 491", () => {
    const { call, effects } = play(connected(), changed, described, resumes, settled);
    expect(effects).toContainEqual({ kind: "sip.answerReoffer", sdp: "answer" });
    expect(kinds(effects)).not.toContain("sip.refuseReoffer");
    expect(call).toMatchObject(nobody);
    // The answer to the offer that was overtaken changes nothing.
    expect(kinds(play({ call, effects: [] }, recvonly).effects)).toEqual(["note.ignored"]);
  });

  test("it resumes while the offer is still being made: it has its answer right after", () => {
    const { call, effects } = play(connected(), changed, resumes, described, settled);
    expect(kinds(effects)).toEqual(["media.describe", "matrix.signal", "media.offer", "sip.answerReoffer"]);
    expect(call).toMatchObject(nobody);
  });

  test("it asks for an offer of ours, or sends the call on: neither has to wait", () => {
    const wanted = play(connected(), changed, described, { kind: "sip.offerWanted" });
    expect(wanted.effects).toContainEqual({ kind: "media.describe", side: "trunk" });
    const referred = play(connected(), changed, described, {
      kind: "sip.referred",
      target: { displayName: undefined, uri: "sip:1@example.org", user: "1", host: "example.org" },
      replaces: undefined,
      referredBy: undefined,
    });
    expect(kinds(referred.effects)).toContain("transfer.plan");
  });
});

describe("the client holds at the same moment", () => {
  function crossing(start: Step) {
    return play(start, changed, described, clientHolds);
  }

  test("having called: it ignores our offer, so its own is answered", () => {
    const { call, effects } = crossing(connected());
    expect(effects).toContainEqual({ kind: "media.offer", from: "matrix", sdp: "client holds" });
    expect(call).toMatchObject({ renegotiation: { by: "matrix" } });
  });

  test("having been called: it takes its own offer back and answers ours", () => {
    const { call, effects } = crossing(talking());
    expect(effects).not.toContainEqual(expect.objectContaining({ kind: "media.offer" }));
    expect(play({ call, effects: [] }, recvonly, taken).call).toMatchObject(nobody);
  });

  test("before our offer is made: that of a client that called has its turn, ours is not sent", () => {
    const { effects } = play(connected(), changed, clientHolds, described);
    expect(kinds(effects)).toEqual(["media.describe", "media.offer"]);
  });

  test("and is still busy with its own: the hold is shown when that is settled", () => {
    const busy = play(connected(), clientHolds, changed);
    expect(kinds(busy.effects)).toEqual(["media.offer"]);
  });
});
