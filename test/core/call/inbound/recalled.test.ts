// A transfer failed: the far end, still on the line, rings whoever had handed it over.
import { describe, expect, test } from "vitest";
import { beginRecall } from "../../../../src/core/call/inbound/recalled.ts";
import { kinds, play, request, told } from "../examples/examples.ts";
import { heardIn } from "../examples/inbound-examples.ts";
import { answers, comeBack, described, ids, recall } from "../examples/recalled-examples.ts";

const { leg } = request;

describe("a far end that comes back", () => {
  test("rings the person in the room in which they handed it over, by a call of its own", () => {
    const { orders } = play(comeBack(), described);
    expect(orders).toContainEqual({
      kind: "matrix.signal",
      leg: { room: leg.room, ghost: leg.ghost, ...ids.ring },
      signal: { kind: "invite", description: "offer for the person", lifetimeMs: 90_000, invitee: leg.person },
    });
    expect(kinds(orders)).not.toContain("matrix.findRoom");
  });

  test("is talked to again when the person answers, no longer than the call could have lasted", () => {
    const { call, orders } = play(
      comeBack(),
      described,
      told("invite"),
      answers,
      { kind: "media.answered", from: "a", description: "for the far end" },
      { kind: "sip.reanswered", description: "far end's" },
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(call).toMatchObject({ phase: { kind: "connected", renegotiation: { by: "nobody" } } });
    expect(kinds(orders).filter((kind) => kind.startsWith("sip."))).toEqual(["sip.reoffer"]);
    expect(orders).toContainEqual({ kind: "deadline.set", name: "duration", atMs: recall.endsAtMs });
  });

  test("and that changes its session while its answer is worked in: it has its turn after that", () => {
    const { orders } = play(
      comeBack(),
      described,
      told("invite"),
      answers,
      { kind: "media.answered", from: "a", description: "for the far end" },
      { kind: "sip.reanswered", description: "far end's" },
      { kind: "sip.offered", description: "moved" },
      { kind: "media.answered", from: "b", description: "not needed" },
    );
    expect(orders.at(-1)).toEqual({ kind: "media.offer", from: "b", description: "moved" });
  });

  test.each([
    ["declines", { kind: "matrix.declined", room: leg.room, person: leg.person, said: undefined }],
    ["does not answer", { kind: "deadline.passed", name: "stage" }],
    ["cannot be told", { kind: "matrix.unreachable", signal: "invite", room: leg.room, message: "gone" }],
  ] as const)("is hung up when the person %s", (_how, fact) => {
    const { orders } = play(comeBack(), described, fact);
    expect(kinds(orders).filter((kind) => kind.startsWith("sip."))).toEqual(["sip.bye"]);
    expect(kinds(orders)).not.toContain("transfer.recall");
  });

  test("that hangs up while the person rings lets nothing ring on", () => {
    const history = { ...recall, notices: { failures: true, history: true } };
    const { orders } = play(beginRecall(ids, history, 1_000), described, { kind: "sip.hungUp", q850: 16 });
    expect(heardIn(leg.room, orders)).toEqual(["invite", "hangup user_hangup"]);
  });
});
