// The vocabulary of ends is total: every status, every Q.850 value, every client reason, every cause.
import fc from "fast-check";
import { expect, test } from "vitest";
import { allCauses, causeOfHangup, causeOfRejection, describeCause } from "../../../src/core/call/cause.ts";

test("every final status and Q.850 value has a cause with all its words", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 300, max: 699 }),
      fc.option(fc.integer({ min: 0, max: 127 }), { nil: undefined }),
      fc.boolean(),
      (status, q850, rang) => {
        expect(allCauses).toContain(causeOfRejection(status, q850, rang));
      },
    ),
  );
});

test("a busy signal stays busy whatever else the gateway says", () => {
  expect(causeOfRejection(486, 34, true)).toBe("busy");
  expect(causeOfRejection(600, undefined, false)).toBe("busy");
});

test("every client reason has a cause", () => {
  fc.assert(
    fc.property(fc.option(fc.string(), { nil: undefined }), fc.boolean(), (reason, answered) => {
      expect(allCauses).toContain(causeOfHangup(reason, answered));
    }),
  );
  expect(causeOfHangup("invite_timeout", false)).toBe("no-answer");
  expect(causeOfHangup(undefined, false)).toBe("caller-cancelled");
  expect(causeOfHangup("user_hangup", true)).toBe("caller-hung-up");
});

test("where a client can only say that the call failed, there are words for the room", () => {
  for (const cause of allCauses) {
    const { refusal, words, result } = describeCause(cause);
    if (refusal === "failed" && result !== "success") expect(words, cause).toMatch(/^[A-Z].*\.$/);
  }
});

test("every cause can be put into a Reason header", () => {
  for (const cause of allCauses) expect(describeCause(cause).q850).toBeGreaterThan(0);
});
