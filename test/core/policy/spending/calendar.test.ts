import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { endOf, hourAt, momentText, nextTime, windowsAt } from "../../../../src/core/policy/spending/calendar.ts";

const at = (iso: string): number => Date.parse(iso);

describe("days and months begin by the clocks of the zone", () => {
  test.each([
    ["UTC", "2026-11-30T23:59:59Z", "2026-11-30", "2026-11"],
    ["Europe/Berlin", "2026-11-30T23:00:00Z", "2026-12-01", "2026-12"],
    ["America/New_York", "2027-01-01T04:59:00Z", "2026-12-31", "2026-12"],
    ["Asia/Kathmandu", "2026-12-01T18:15:00Z", "2026-12-02", "2026-12"],
  ])("%s at %s", (zone, iso, day, month) => expect(windowsAt(at(iso), zone)).toEqual({ day, month }));

  test.each([
    ["the day on which clocks go forward has 23 hours", "Europe/Berlin", "2026-03-28T23:00:00Z", 23],
    ["the day on which they go back has 25", "Europe/Berlin", "2026-10-24T22:00:00Z", 25],
    ["an ordinary day has 24", "Europe/Berlin", "2026-07-01T22:00:00Z", 24],
    ["a day that begins at 01:00, because the clocks skip midnight", "America/Santiago", "2026-09-06T04:00:00Z", 23],
  ])("%s", (_, zone, iso, hours) => {
    const from = at(iso);
    expect(windowsAt(from - 1, zone).day).not.toBe(windowsAt(from, zone).day);
    expect((endOf("day", from, zone) - from) / 3_600_000).toBe(hours);
  });

  test("the end is the first moment of the next one", () => {
    const zones = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];
    const moment = fc.integer({ min: at("2020-01-01T00:00:00Z"), max: at("2035-01-01T00:00:00Z") });
    fc.assert(
      fc.property(
        moment,
        fc.constantFrom(...zones),
        fc.constantFrom("day" as const, "month" as const),
        (ms, zone, span) => {
          const end = endOf(span, ms, zone);
          expect(end).toBeGreaterThan(ms);
          expect(windowsAt(end - 1, zone)[span]).toBe(windowsAt(ms, zone)[span]);
          expect(windowsAt(end, zone)[span]).not.toBe(windowsAt(ms, zone)[span]);
        },
      ),
    );
  });
});

test("a moment is said with its day and zone", () => {
  expect(momentText(at("2026-12-01T23:00:00Z"), "Europe/Berlin")).toBe("00:00 on Wednesday 2 December (Europe/Berlin)");
  expect(hourAt(at("2026-12-01T23:30:00Z"), "Europe/Berlin")).toBe(0);
});

describe("the next time that clocks show", () => {
  test.each([
    ["Europe/Berlin", "2026-12-01T05:00Z", 8, 0, "2026-12-01T07:00Z"],
    ["Europe/Berlin", "2026-12-01T07:00Z", 8, 0, "2026-12-02T07:00Z"],
    ["Europe/Berlin", "2026-12-31T22:59:30Z", 0, 0, "2026-12-31T23:00Z"],
    ["Asia/Kathmandu", "2026-12-01T05:00Z", 10, 45, "2026-12-02T05:00Z"],
    // Clocks go from 02:00 to 03:00.
    ["Europe/Berlin", "2027-03-27T23:00Z", 2, 30, "2027-03-28T01:00Z"],
    ["Europe/Berlin", "2027-03-27T23:00Z", 8, 0, "2027-03-28T06:00Z"],
    // Clocks go from 03:00 to 02:00.
    ["Europe/Berlin", "2026-10-24T22:00Z", 2, 30, "2026-10-25T00:30Z"],
    ["Europe/Berlin", "2026-10-24T22:00Z", 8, 0, "2026-10-25T07:00Z"],
  ])("in %s after %s, %i:%i", (zone, from, hour, minute, next) => {
    expect(nextTime({ hour, minute }, Date.parse(from), zone)).toBe(Date.parse(next));
  });
});
