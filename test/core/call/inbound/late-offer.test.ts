// A call from the telephone whose INVITE brings no offer.
import { describe, expect, test } from "vitest";
import type { CallFact } from "../../../../src/core/call/model/fact.ts";
import { kinds, play, released } from "../examples/examples.ts";
import {
  ann,
  annRings,
  annsRoom,
  answeredByClient,
  answers,
  arrive,
  glare,
  heardByTrunk,
  heardIn,
} from "../examples/inbound-examples.ts";

describe("the caller wants our offer", () => {
  const late = { description: undefined } as const;
  const described: CallFact = { kind: "media.described", end: "a", description: "client offer" };
  const ringing = [described, ...annRings.slice(1)];
  const accepted = [...ringing, answers(annsRoom, ann), { ...answeredByClient, description: "our offer" } as CallFact];

  test("it stands in the 200, and what comes in the ACK completes it", () => {
    const { call, orders } = play(
      arrive(late),
      ...accepted,
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "media.answered", from: "b", description: "" },
    );
    expect(kinds(orders).filter((kind) => !kind.startsWith("matrix"))).toEqual([
      "media.describe",
      "sip.ring",
      "media.answer",
      "sip.accept",
      "media.answer",
    ]);
    expect(heardByTrunk(orders)).toEqual(["180", "200 our offer"]);
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
  });

  test("an ACK without an answer, or with one that nobody can use, ends the call: there is no session", () => {
    const refused: CallFact = { kind: "sip.offerRefused", status: 488 };
    expect(heardByTrunk(play(arrive(late), ...accepted, refused).orders).at(-1)).toBe("BYE");
    const unusable: CallFact = { kind: "media.refused", from: "b", fault: "no-common-codec", message: "" };
    const { call } = play(arrive(late), ...accepted, { kind: "sip.reanswered", description: "?" }, unusable);
    expect(call).toMatchObject({ phase: { kind: "ending", cause: "incompatible", trunks: [{ state: "confirmed" }] } });
  });

  test("and the person calls the caller at that moment: their offer goes to the caller as it is", () => {
    const { call, orders } = play(
      arrive(late),
      ...ringing,
      glare,
      released,
      { kind: "media.offered", from: "a", description: "our offer" },
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "media.answered", from: "b", description: "client answer" },
    );
    expect(kinds(orders).filter((kind) => !kind.startsWith("matrix"))).toEqual([
      "media.describe",
      "sip.ring",
      "media.handOver",
      "media.release",
      "media.offer",
      "sip.accept",
      "media.answer",
    ]);
    expect(heardIn(annsRoom, orders)).toEqual(["invite", "hangup answered_elsewhere", "answer"]);
    expect(call).toMatchObject({ phase: { kind: "connected", leg: glare.leg }, outstanding: { releases: 0 } });
  });

  test("and changes its session right behind its ACK: it has its turn once the answer in that is worked in", () => {
    const { orders } = play(
      arrive(late),
      ...ringing,
      glare,
      released,
      { kind: "media.offered", from: "a", description: "our offer" },
      { kind: "sip.reanswered", description: "in the ACK" },
      { kind: "sip.offered", description: "moved" },
      { kind: "media.answered", from: "b", description: "client answer" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "b", description: "moved" });
  });
});
