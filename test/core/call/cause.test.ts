// The vocabulary of ends is total: every status, every Q.850 value, every client reason, every cause.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  allCauses,
  causeOfHangup,
  causeOfMediaFault,
  causeOfRejection,
  describeCause,
  finalStatusOf,
  isInfrastructureFailure,
} from "../../../src/core/call/cause.ts";

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

// RFC 3398 s7.2.4.1: what a gateway of the telephone network answers for a cause, which it repeats in Reason.
test.each([
  [1, 404, "not-in-service"],
  [2, 404, "no-route"],
  [3, 404, "no-route"],
  [17, 486, "busy"],
  [18, 408, "no-answer"],
  [19, 480, "no-answer"],
  [20, 480, "unavailable"],
  [21, 403, "declined"],
  [22, 410, "number-changed"],
  [22, 301, "number-changed"],
  [23, 410, "number-changed"],
  [26, 404, "answered-elsewhere"],
  [27, 502, "unavailable"],
  [28, 484, "invalid-number"],
  [29, 501, "forbidden"],
  [31, 480, "unavailable"],
  [34, 503, "congestion"],
  [38, 503, "trunk-error"],
  [41, 503, "congestion"],
  [42, 503, "congestion"],
  [47, 503, "congestion"],
  [55, 403, "forbidden"],
  [57, 403, "forbidden"],
  [58, 503, "congestion"],
  [65, 488, "incompatible"],
  [70, 488, "incompatible"],
  [79, 501, "incompatible"],
  [87, 403, "forbidden"],
  [88, 503, "incompatible"],
  [102, 504, "trunk-timeout"],
  [111, 500, "trunk-error"],
  [127, 500, "trunk-error"],
] as const)("Q.850 cause %i, which a gateway answers with %i, is %s", (q850, status, cause) => {
  expect(causeOfRejection(status, q850, false)).toBe(cause);
});

// The statuses alone, RFC 3398 s8.2.6.1 in mind; where RFC 3261 or another says more, that.
test.each([
  [300, "trunk-error"],
  [301, "number-changed"],
  [401, "trunk-credentials"],
  [403, "forbidden"],
  [404, "not-in-service"],
  [407, "trunk-credentials"],
  [408, "trunk-timeout"],
  [410, "number-changed"],
  [433, "declined"],
  [480, "unavailable"],
  [484, "invalid-number"],
  [486, "busy"],
  [488, "incompatible"],
  [500, "trunk-error"],
  [503, "congestion"],
  [504, "trunk-timeout"],
  [600, "busy"],
  [603, "declined"],
  [604, "not-in-service"],
  [606, "incompatible"],
  [607, "declined"],
  [608, "forbidden"],
  [699, "declined"],
] as const)("status %i alone is %s", (status, cause) => {
  expect(causeOfRejection(status, undefined, false)).toBe(cause);
});

test("every client reason has a cause", () => {
  fc.assert(
    fc.property(fc.option(fc.string(), { nil: undefined }), fc.boolean(), (reason, answered) => {
      expect(allCauses).toContain(causeOfHangup(reason, answered));
    }),
  );
});

test.each([
  [undefined, "caller-cancelled", "caller-hung-up"],
  ["user_hangup", "caller-cancelled", "caller-hung-up"],
  ["replaced", "caller-cancelled", "caller-hung-up"],
  ["invite_timeout", "no-answer", "caller-hung-up"],
  ["ice_failed", "media-failed", "media-failed"],
  ["ice_timeout", "media-failed", "media-failed"],
  ["user_media_failed", "caller-media-failed", "caller-media-failed"],
] as const)("the client's reason %s is %s before the answer and %s after it", (reason, before, after) => {
  expect([causeOfHangup(reason, false), causeOfHangup(reason, true)]).toEqual([before, after]);
});

test.each([
  [undefined, "declined", "callee-hung-up"],
  ["user_hangup", "declined", "callee-hung-up"],
  ["invite_timeout", "no-answer", "callee-hung-up"],
  ["ice_failed", "media-failed", "media-failed"],
  ["user_media_failed", "callee-media-failed", "callee-media-failed"],
] as const)(
  "of somebody who was called the reason %s is %s before and %s after they are through",
  (reason, before, after) => {
    const causes = [false, true].map((isThrough) => causeOfHangup(reason, isThrough, "inbound"));
    expect(causes).toEqual([before, after]);
  },
);

test("every cause can refuse a trunk's INVITE", () => {
  for (const cause of allCauses) {
    expect(finalStatusOf(cause), cause).toBeGreaterThanOrEqual(400);
    expect(finalStatusOf(cause), cause).toBeLessThan(700);
  }
});

// RFC 3261 s21.4 to s21.6. 503 has the trunk try elsewhere (RFC 3261 s21.5.4, RFC 3263 s4.3).
test.each([
  ["declined", 603],
  ["busy", 486],
  ["no-answer", 480],
  ["unavailable", 480],
  ["not-in-service", 404],
  ["no-route", 404],
  ["incompatible", 488],
  ["bad-offer", 488],
  ["too-many-calls", 503],
  ["restarting", 503],
  ["restarted", 503],
  ["missed", 487],
  ["not-permitted", 403],
] as const)("a caller hears of %s by %i", (cause, status) => {
  expect(finalStatusOf(cause)).toBe(status);
});

test.each([
  [503, undefined, true],
  [500, undefined, true],
  [408, undefined, true],
  [401, undefined, true],
  [480, 34, true],
  [404, 41, true],
  [500, 1, false],
  [503, 17, false],
  [486, 34, false],
  [603, undefined, false],
  [404, undefined, false],
  [488, undefined, false],
  // A value that means nothing to us leaves the status to speak.
  [503, 127, true],
] as const)("%i with Q.850 %s is the trunk's own trouble: %s", (status, q850, isTrunks) => {
  expect(isInfrastructureFailure(status, q850)).toBe(isTrunks);
});

test("each fault of the media engine has a cause", () => {
  const faults = ["no-common-codec", "encryption-mismatch", "no-ports", "no-capacity", "engine"] as const;
  for (const side of ["matrix", "trunk"] as const) {
    const found = faults.map((fault) => causeOfMediaFault(fault, side));
    expect(found).toEqual(["incompatible", "incompatible", "too-many-calls", "too-many-calls", "media-lost"]);
  }
  expect(causeOfMediaFault("bad-description", "matrix")).toBe("bad-offer");
  expect(causeOfMediaFault("bad-description", "trunk")).toBe("incompatible");
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
