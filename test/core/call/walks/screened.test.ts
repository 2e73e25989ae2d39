// Calls to a number with a PIN, whatever comes in: who is told of them, and what their trunk is owed.
import fc from "fast-check";
import { expect, test } from "vitest";
import { isLive, type Call } from "../../../../src/core/call/model/call.ts";
import type { CallOrder } from "../../../../src/core/call/model/order.ts";
import { trunkLegsOf } from "../../../../src/core/call/model/queries.ts";
import { screenedWalks, walk } from "./walks.ts";

const runs = { numRuns: 3_000 };

const count = (orders: readonly CallOrder[], ...kinds: readonly CallOrder["kind"][]): number =>
  orders.filter(({ kind }) => kinds.includes(kind)).length;

const stateOf = (call: Call): string | undefined => (isLive(call) ? trunkLegsOf(call)[0]?.state : undefined);

test("nobody in Matrix is told of the call, and no room is looked for, before the PIN was right", () => {
  fc.assert(
    fc.property(screenedWalks, (one) => {
      let isRight = false;
      for (const { fact, before, orders } of walk(one).seen) {
        isRight ||= before.phase.kind === "keying" && fact.kind === "pin.checked" && fact.verdict === "right";
        if (!isRight) expect(orders.filter(({ kind }) => /^(matrix|transfer)\./.test(kind))).toEqual([]);
      }
    }),
    runs,
  );
});

test("three PINs are compared at most, and none once the caller is in or on the way out", () => {
  fc.assert(
    fc.property(screenedWalks, (one) => {
      const { seen, orders } = walk(one);
      expect(count(orders, "pin.check")).toBeLessThanOrEqual(3);
      for (const { before, orders: brought } of seen)
        if (count(brought, "pin.check") > 0) expect(before.phase).toMatchObject({ kind: "keying", awaiting: "keys" });
    }),
    runs,
  );
});

test("the INVITE gets one final response, and one that was accepted is ended once, or handed on", () => {
  fc.assert(
    fc.property(screenedWalks, (one) => {
      const { seen, orders } = walk(one);
      const gone = (state: string, ...kinds: readonly string[]): number =>
        seen.filter(({ before, fact }) => stateOf(before) === state && kinds.includes(fact.kind)).length;
      const accepted = count(orders, "sip.accept");
      expect(accepted + count(orders, "sip.reject") + gone("incoming", "sip.cancelled", "sip.hungUp")).toBe(1);
      const taken = seen.filter(
        ({ before, fact }) => before.phase.kind === "transferring" && fact.kind === "transfer.taken",
      ).length;
      const passedOn = count(orders, "transfer.join", "transfer.recall") + taken;
      expect(count(orders, "sip.bye") + gone("confirmed", "sip.hungUp") + passedOn).toBe(accepted);
      expect(count(orders, "sip.ring")).toBe(0);
    }),
    runs,
  );
});

test("no key of the caller goes on to anybody before they are in", () => {
  fc.assert(
    fc.property(screenedWalks, (one) => {
      for (const { before, orders } of walk(one).seen)
        if (before.phase.kind === "picking-up" || before.phase.kind === "keying")
          expect(count(orders, "media.dtmf", "sip.info")).toBe(0);
    }),
    runs,
  );
});
