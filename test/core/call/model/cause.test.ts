// The vocabulary of ends is total: every status, every Q.850 value, every client reason, every cause.
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  allCauses,
  causeOfBye,
  causeOfHangup,
  causeOfMediaFault,
  causeOfRejection,
  describeCause,
  finalStatusOf,
  isInfrastructureFailure,
} from "../../../../src/core/call/model/cause.ts";

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

// Asterisk answers Hangup(n) with 603 and Reason for every n that it has no status for.
test.each([
  [603, 41, "congestion", true],
  [603, 50, "forbidden", true],
  [603, 52, "forbidden", true],
  [603, 65, "incompatible", true],
  [603, 88, "incompatible", false],
  [603, 38, "trunk-error", true],
  [603, 17, "busy", false],
  [603, 1, "not-in-service", false],
  [603, 21, "declined", false],
  [600, 34, "congestion", true],
  [486, 42, "congestion", true],
  [486, 17, "busy", false],
  [408, 17, "busy", false],
  // What means nothing of its own leaves the status to speak.
  [603, 16, "declined", false],
  [603, 31, "declined", false],
  [603, 127, "declined", false],
  [486, 16, "busy", false],
  // A challenge is about the trunk's login.
  [407, 17, "trunk-credentials", true],
] as const)("%i with Q.850 cause %i is %s; worth another trunk: %s", (status, q850, cause, another) => {
  expect(causeOfRejection(status, q850, false)).toBe(cause);
  expect(isInfrastructureFailure(status, q850)).toBe(another);
});

test("no Q.850 value in a 603 is taken for the person's own refusal unless it says so", () => {
  const plain = new Set([16, 21, 24, 31, 127]);
  const defined = [...Array(128).keys()].filter((q850) => causeOfRejection(603, q850, false) !== "declined");
  // Every value that ITU-T Q.850 (2018) table 1 defines.
  const table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 18, 19, 20, 22, 23, 25, 26, 27, 28, 29, 34, 38, 39, 40, 41, 42, 43, 44];
  table.push(46, 47, 49, 50, 53, 55, 57, 58, 62, 63, 65, 66, 69, 70, 79, 81, 82, 83, 84, 85, 86, 87, 88, 90, 91, 95);
  table.push(96, 97, 98, 99, 100, 101, 102, 103, 110, 111);
  expect(defined).toEqual(expect.arrayContaining(table.filter((value) => !plain.has(value))));
});

test.each([
  [undefined, "callee-hung-up", "caller-hung-up"],
  [16, "callee-hung-up", "caller-hung-up"],
  [31, "callee-hung-up", "caller-hung-up"],
  [127, "callee-hung-up", "caller-hung-up"],
  [41, "cut-off", "cut-off"],
  [38, "cut-off", "cut-off"],
  [27, "cut-off", "cut-off"],
  [102, "cut-off", "cut-off"],
] as const)("BYE with Q.850 cause %s is %s of an outbound call and %s of an inbound one", (q850, outbound, inbound) => {
  expect([causeOfBye(q850, "outbound"), causeOfBye(q850, "inbound")]).toEqual([outbound, inbound]);
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

test.each([
  [undefined, "caller-cancelled", "caller-hung-up"],
  ["busy", "caller-cancelled", "caller-hung-up"],
  ["no-answer", "no-answer", "caller-hung-up"],
  ["media-failed", "media-failed", "media-failed"],
  ["callee-media-failed", "caller-media-failed", "caller-media-failed"],
] as const)("a caller's client that says %s means %s before the answer and %s after it", (said, before, after) => {
  expect([causeOfHangup(said, false), causeOfHangup(said, true)]).toEqual([before, after]);
});

test.each([
  [undefined, "declined", "callee-hung-up"],
  ["no-answer", "no-answer", "callee-hung-up"],
  ["media-failed", "media-failed", "media-failed"],
  ["callee-media-failed", "callee-media-failed", "callee-media-failed"],
] as const)("of somebody who was called %s means %s before and %s after they are through", (said, before, after) => {
  const causes = [false, true].map((isThrough) => causeOfHangup(said, isThrough, "inbound"));
  expect(causes).toEqual([before, after]);
});

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
  for (const side of ["client", "trunk"] as const) {
    const found = faults.map((fault) => causeOfMediaFault(fault, side));
    expect(found).toEqual(["incompatible", "incompatible", "too-many-calls", "too-many-calls", "media-lost"]);
  }
  // The person reads that their client could not be reached, which is so.
  expect(causeOfMediaFault("no-admission", "client")).toBe("media-failed");
  expect(causeOfMediaFault("bad-description", "client")).toBe("bad-offer");
  expect(causeOfMediaFault("bad-description", "trunk")).toBe("incompatible");
});

test("every cause can be put into a Reason header", () => {
  for (const cause of allCauses) expect(describeCause(cause).q850).toBeGreaterThan(0);
});
