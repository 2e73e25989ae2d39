// How the console writes times, durations and addresses, and reads events and searches.
import { describe, expect, test } from "vitest";
import { createEventLines } from "../../web/api/event-lines.ts";
import { hrefOf, placeOf } from "../../web/app/router.ts";
import { searchOf } from "../../web/pages/record-search.ts";
import { formatsOf } from "../../web/text/formats.ts";
import { partiesOf } from "../../web/text/parties.ts";

const at = "2026-11-30T12:34:56Z";

describe("formats", () => {
  const english = formatsOf("en-GB", "Europe/London");
  const german = formatsOf("de", "Europe/Berlin");

  test("write the time of today, the day of another day, and the year of long ago, in the reader's zone", () => {
    expect(english.moment(at, Date.parse("2026-11-30T20:00:00Z"))).toBe("12:34:56");
    expect(german.moment(at, Date.parse("2026-11-30T20:00:00Z"))).toBe("13:34:56");
    expect(english.moment(at, Date.parse("2026-12-02T20:00:00Z"))).toBe("30 Nov, 12:34");
    expect(english.moment(at, Date.parse("2028-01-01T00:00:00Z"))).toBe("30 Nov 2026");
  });

  test("give the whole date with its zone", () => {
    expect(german.full(at)).toBe("Montag, 30. November 2026 um 13:34:56 MEZ");
  });

  test("tick, and say durations in their two largest units", () => {
    expect([0, 42_000, 125_000, 3_725_000].map(english.ticking)).toEqual(["0:00", "0:42", "2:05", "1:02:05"]);
    // A clock that is set back.
    expect(english.ticking(-5_000)).toBe("0:00");
    expect(german.duration(3_725_000)).toBe("1 Std. 2 Min.");
    expect(english.duration(0)).toBe("0 secs");
  });

  test("write numbers as the language does", () => {
    expect(german.percent(0.0345)).toBe("3,5\u00a0%");
    expect(german.number(12_345)).toBe("12.345");
    expect(english.milliseconds(12.4)).toBe("12 ms");
    expect(english.list(["a", "b", "c"])).toBe("a, b and c");
  });
});

test("whoever calls stands first", () => {
  const call = { person: "@ann:example.org", number: "+44*1", called: undefined } as const;
  expect(partiesOf({ ...call, direction: "outbound" })).toBe("@ann:example.org → +44*1");
  expect(partiesOf({ ...call, direction: "inbound" })).toBe("+44*1 → @ann:example.org");
  expect(partiesOf({ number: "+44*1", direction: "inbound" })).toBe("+44*1");
});

describe("addresses", () => {
  test("lead to a page, to a call and to a search, and back", () => {
    expect(placeOf(hrefOf("calls", "c-1/%x"))).toEqual({ page: "calls", id: "c-1/%x", query: {} });
    expect(placeOf(hrefOf("history", undefined, { number: "+44 1", to: "" }))).toEqual({
      page: "history",
      id: undefined,
      query: { number: "+44 1" },
    });
  });

  test("that lead nowhere lead to the calls", () => {
    for (const hash of ["", "#", "#/nowhere", "#javascript:alert(1)"]) expect(placeOf(hash).page).toBe("calls");
    expect(placeOf("#/calls/%E0%A4%A")).toMatchObject({ id: "%E0%A4%A" });
  });
});

test("events come whole, however the network cuts them, and comments are none", () => {
  const stream = ': hello\n\nevent: a\ndata: {"kind":"a"}\n\n: nothing new\n\ndata: {"kind":\ndata: "b"}\n\n';
  for (const size of [1, 3, 1_000]) {
    const lines = createEventLines();
    const pieces = Array.from({ length: Math.ceil(stream.length / size) }, (_, i) =>
      stream.slice(i * size, (i + 1) * size),
    );
    expect(pieces.flatMap((piece) => lines.take(piece))).toEqual(['{"kind":"a"}', '{"kind":\n"b"}']);
  }
});

test("a search begins its days at midnight where the reader is, and leaves out what is empty", () => {
  const midnight = new Date(2026, 10, 30).toISOString();
  expect(searchOf({ from: "2026-11-30", person: "", number: "020", text: "x" })).toEqual({
    from: midnight,
    number: "020",
  });
  expect(searchOf({ from: "soon" })).toEqual({ from: "soon" });
});
