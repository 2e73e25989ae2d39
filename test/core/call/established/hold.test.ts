// The telephone holds, and the client is to show it: when it is offered what, and what goes first.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import type { Step } from "../../../../src/core/call/step.ts";
import { accepted, answered, anyLeg, begin, connected, kinds, offered, play, request } from "../examples/examples.ts";
import { talking } from "../examples/inbound-examples.ts";
import type { MediaDescription } from "../../../../src/core/media-description.ts";
import { legacyClient } from "../../../../src/matrix/legs/legacy-form.ts";
import { sipUri } from "../../address/sip-uri.ts";

const settled: CallFact = { kind: "media.settled", from: "b", description: "recvonly", untold: "sendonly" };
/** The telephone holds, and has its answer. */
const holds: readonly CallFact[] = [{ kind: "sip.offered", description: "sendonly" }, settled];
const described: CallFact = { kind: "media.described", end: "a", description: "sendonly", untold: "sendonly" };
const recvonly: CallFact = { kind: "matrix.reanswered", description: "recvonly" };
const taken: CallFact = { kind: "media.answered", from: "a", description: "" };
const reoffer = {
  kind: "matrix.signal",
  leg: anyLeg,
  signal: { kind: "reoffer", description: "sendonly", lifetimeMs: 10_000 },
};
const clientHolds: CallFact = { kind: "matrix.offered", description: "client holds" };

/** The telephone takes its hold back, and has its answer. */
const resumes: CallFact = { kind: "sip.offered", description: "sendrecv" };
const resumed: CallFact = { kind: "media.settled", from: "b", description: "sendrecv", untold: "sendrecv" };
const backShown: CallFact = { kind: "media.described", end: "a", description: "sendrecv", untold: "sendrecv" };
const expired: CallFact = { kind: "deadline.passed", name: "renegotiation" };

/** A call in which the telephone has held, before the client is offered anything. */
function held(start: Step): Step {
  return { call: play(start, ...holds).call, orders: [] };
}

/** The directions that the client was offered. */
function shown(orders: Step["orders"]): readonly MediaDescription[] {
  return orders.flatMap((order) =>
    order.kind === "matrix.signal" && order.signal.kind === "reoffer" ? [order.signal.description] : [],
  );
}

const nobody = { phase: { kind: "connected", renegotiation: { by: "nobody" } } };

describe("a hold of the telephone", () => {
  test("is offered to the client, after the trunk's answer", () => {
    const { call, orders } = play(connected(), ...holds, described, recvonly, taken);
    expect(orders.filter(({ kind }) => !kind.startsWith("deadline."))).toEqual([
      { kind: "media.offer", from: "b", description: "sendonly" },
      { kind: "sip.answerReoffer", description: "recvonly" },
      { kind: "media.describe", end: "a" },
      reoffer,
      { kind: "media.answer", from: "a", description: "recvonly" },
    ]);
    expect(call).toMatchObject(nobody);
  });

  test("is said in words to a client of version 0, which is told nothing of how to say digits", () => {
    const leg = { ...request.leg, ...legacyClient("0") };
    const notices = { failures: true, history: true };
    const words = ({ orders }: Pick<Step, "orders">): readonly string[] =>
      orders.flatMap((order) => (order.kind === "matrix.notice" ? [order.text] : []));
    const start = play(begin({ leg, notices }), offered, accepted, { ...answered, untold: "sendrecv" });
    expect(words(start)).toEqual([]);
    const hold = play({ call: start.call, orders: [] }, ...holds);
    expect(words(hold)).toEqual(["You have been put on hold."]);
    expect(words(play({ call: hold.call, orders: [] }, resumes, resumed))).toEqual(["The call goes on."]);
  });

  test("is not shown to a client of version 0, whose call goes on as it is", () => {
    const { call } = play(begin({ leg: { ...request.leg, ...legacyClient("0") } }), offered, accepted, answered);
    expect(kinds(play({ call, orders: [] }, ...holds).orders)).toEqual(["media.offer", "sip.answerReoffer"]);
  });

  test("in the answer that makes the call is shown right after the client's answer", () => {
    const { orders } = play(begin(), offered, accepted, { ...answered, untold: "sendonly" }, described);
    expect(kinds(orders).slice(-3)).toEqual(["matrix.signal", "media.describe", "matrix.signal"]);
    expect(shown(orders)).toEqual(["sendonly"]);
  });

  test("in early media is shown when the callee has picked up", () => {
    const early: readonly CallFact[] = [
      offered,
      { kind: "sip.progressed", description: "trunk answer" },
      { ...answered, untold: "sendonly" },
    ];
    const ringing = play(begin({ earlyMedia: "answer" }), ...early);
    expect(kinds(ringing.orders)).not.toContain("media.describe");
    expect(kinds(play({ call: ringing.call, orders: [] }, accepted).orders)).toEqual(["media.describe"]);
  });

  test("is offered three times, each time for 10 s, to a client that does not answer", () => {
    const { call, orders } = play(held(connected()), described, expired, described, expired, described, expired);
    expect(call).toMatchObject(nobody);
    expect(shown(orders)).toEqual(["sendonly", "sendonly", "sendonly"]);
    // A change is news.
    const back = play({ call, orders: [] }, resumes, resumed, backShown);
    expect(shown(back.orders)).toEqual(["sendrecv"]);
  });

  test("is offered again when that offer has expired, where the client could not be reached", () => {
    const gone: CallFact = { kind: "matrix.unreachable", signal: "reoffer", room: request.leg.room, message: "gone" };
    const { call, orders } = play(held(connected()), described, gone);
    expect(shown(orders)).toEqual(["sendonly"]);
    expect(kinds(play({ call, orders: [] }, expired).orders)).toEqual(["media.describe"]);
  });

  test("leaves the call as it is where the offer cannot be made, or its answer cannot be used, three times", () => {
    const refused: CallFact = { kind: "media.refused", from: "a", fault: "engine", message: "" };
    expect(play(held(connected()), refused, refused, refused).call).toMatchObject(nobody);
    const one = [described, recvonly, refused];
    expect(play(held(connected()), ...one, ...one, ...one).call).toMatchObject(nobody);
  });
});

describe("what the telephone does while the client is shown its hold", () => {
  test("it resumes: it has its answer at once, and is never told 491", () => {
    const { orders } = play(held(connected()), described, resumes, resumed);
    expect(orders).toContainEqual({ kind: "sip.answerReoffer", description: "sendrecv" });
    expect(kinds(orders)).not.toContain("sip.refuseReoffer");
  });

  test("it resumes: the client's late answer to the hold is not taken for one to what comes next", () => {
    const late = play(held(connected()), described, resumes, resumed);
    // Nothing is offered while the client may still answer.
    expect(shown(late.orders)).toEqual(["sendonly"]);
    const { call, orders } = play(
      { call: late.call, orders: [] },
      recvonly,
      backShown,
      { kind: "matrix.reanswered", description: "sendrecv" },
      taken,
    );
    expect(kinds(orders)).toEqual(["media.describe", "matrix.signal", "media.answer"]);
    expect(orders).toContainEqual({ kind: "media.answer", from: "a", description: "sendrecv" });
    expect(call).toMatchObject(nobody);
  });

  test("it resumes, and the client never answers: it is shown the end of the hold when that offer has expired", () => {
    const { orders } = play(held(connected()), described, resumes, resumed, expired, backShown);
    expect(shown(orders)).toEqual(["sendonly", "sendrecv"]);
  });

  test("it resumes while the offer is still being made: it has its answer right after", () => {
    const { orders } = play(held(connected()), resumes, described, resumed);
    expect(kinds(orders)).toEqual(["matrix.signal", "media.offer", "sip.answerReoffer"]);
  });

  test("it wants another codec while the client may still answer: it is told 491, and tries again", () => {
    const wanted: CallFact = { kind: "media.offered", from: "b", description: "codec", untold: "sendonly" };
    const { call, orders } = play(held(connected()), described, { kind: "sip.offered", description: "codec" }, wanted);
    expect(orders).toContainEqual({ kind: "sip.refuseReoffer", status: 491 });
    const again = play({ call, orders: [] }, recvonly, described, recvonly, taken, resumes, wanted);
    expect(shown(again.orders)).toEqual(["sendonly", "codec"]);
  });

  test("it asks for an offer of ours, or sends the call on: neither has to wait", () => {
    const wanted = play(held(connected()), described, { kind: "sip.offerWanted" });
    expect(wanted.orders).toContainEqual({ kind: "media.describe", end: "b" });
    const referred = play(held(connected()), described, {
      kind: "sip.referred",
      target: { displayName: undefined, uri: sipUri("sip:1@example.org"), user: "1", host: "example.org" },
      replaces: undefined,
    });
    expect(kinds(referred.orders)).toContain("transfer.plan");
  });
});

describe("the client holds at the same moment", () => {
  test("having called: it ignores our offer, so its own is answered", () => {
    const { call, orders } = play(held(connected()), described, clientHolds);
    expect(orders).toContainEqual({ kind: "media.offer", from: "a", description: "client holds" });
    expect(call).toMatchObject({ phase: { renegotiation: { by: "matrix" } } });
  });

  test("having been called: it takes its own offer back and answers ours", () => {
    const { call, orders } = play(held(talking()), described, clientHolds);
    expect(orders).not.toContainEqual(expect.objectContaining({ kind: "media.offer" }));
    expect(play({ call, orders: [] }, recvonly, taken).call).toMatchObject(nobody);
  });

  test.each([
    ["having called: its offer is answered, and shows it that the telephone is back", connected, ["media.offer"]],
    ["having been called: it takes its own offer back", talking, []],
  ] as const)("and the telephone has overtaken our offer. The client %s", (_how, start, expected) => {
    const late = play(held(start()), described, resumes, resumed);
    const { orders } = play({ call: late.call, orders: [] }, clientHolds);
    expect(kinds(orders).filter((kind) => kind !== "note.ignored")).toEqual(expected);
  });

  test("before our offer is made: that of a client that called has its turn, ours is not sent", () => {
    const { orders } = play(held(connected()), clientHolds, described);
    expect(kinds(orders)).toEqual(["media.offer"]);
  });

  test("and is still busy with its own: the answer to that shows the hold, and nothing else is offered", () => {
    const asked: readonly CallFact[] = [clientHolds, { kind: "media.offered", from: "a", description: "hold" }];
    const { call } = play(connected(), ...asked, { kind: "sip.reanswered", description: "inactive" });
    const { orders } = play({ call, orders: [] }, { ...answered, untold: undefined });
    expect(kinds(orders)).toEqual(["matrix.signal"]);
  });
});
