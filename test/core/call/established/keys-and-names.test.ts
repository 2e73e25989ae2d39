// Inside a call: keys, and who the other party is.
import { describe, expect, test } from "vitest";
import { connected, kinds, play, request } from "../examples/examples.ts";
import { shown, withoutRefer } from "../examples/transfer-examples.ts";

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
