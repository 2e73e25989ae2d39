// Which traffic looks like fraud. What is generated is the same on every run.
import { describe, expect, test } from "vitest";
import type { E164, UserId } from "../../../../src/core/ids.ts";
import { hourAt } from "../../../../src/core/policy/spending/calendar.ts";
import {
  rangeOf,
  RecentCalls,
  suspicionWords,
  type PatternPolicy,
} from "../../../../src/core/policy/spending/patterns.ts";
import { isExpensive } from "../../../../src/core/policy/spending/spending-policy.ts";
import { exampleSpending } from "../../../scenarios/settings.ts";

const policy = exampleSpending.patterns;
const minute = 60_000;
const day = 24 * 60 * minute;
/** Friday, 09:00 in London. */
const morning = Date.UTC(2027, 0, 15, 9);
const night = Date.UTC(2027, 0, 15, 23);
const ann = "@ann:example.org" as UserId;

interface Traffic {
  readonly person: UserId;
  readonly number: string;
  readonly atMs: number;
  readonly talkedS: number;
}

interface Held extends Traffic {
  readonly words: string;
}

/** As the bridge does it: what is held does not go out. */
function heldOf(traffic: readonly Traffic[], changes: Partial<PatternPolicy> = {}): readonly Held[] {
  const recent = new RecentCalls();
  const held: Held[] = [];
  const settings = { ...policy, ...changes };
  for (const [index, call] of traffic.toSorted((one, other) => one.atMs - other.atMs).entries()) {
    const number = call.number as E164;
    if (!isExpensive(number, [], "GB", settings)) continue;
    const at = { atMs: call.atMs, hour: hourAt(call.atMs, "Europe/London") };
    const range = rangeOf(number);
    const suspicion = recent.suspicion(call.person, { range, ...at }, settings);
    if (suspicion !== undefined) held.push({ ...call, words: suspicionWords(suspicion, range) });
    else {
      recent.began(call.person, { id: String(index), number, ...at });
      recent.ended(call.person, String(index), call.talkedS);
    }
  }
  return held;
}

/** `count` calls, one every `everyS` seconds. */
function dialler(count: number, everyS: number, call: (index: number) => Partial<Traffic> = () => ({})): Traffic[] {
  return Array.from({ length: count }, (_, index) => ({
    person: ann,
    number: `+3712900${String(index).padStart(4, "0")}`,
    atMs: morning + index * everyS * 1_000,
    talkedS: 20,
    ...call(index),
  }));
}

/** mulberry32: the same numbers, from 0 to 1, for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** How many calls get through before the first is held. */
function letThrough(traffic: readonly Traffic[]): number {
  const [first] = heldOf(traffic);
  return first === undefined ? traffic.length : traffic.findIndex(({ atMs }) => atMs === first.atMs);
}

describe("fraud", () => {
  test.each<[string, Traffic[], number]>([
    ["one number of a range after the other, 20 s each", dialler(60, 30), 6],
    ["one number over and over", dialler(60, 30, () => ({ number: "+37129000001" })), 6],
    ["a call every nine minutes", dialler(60, 540), 6],
    ["calls of 59 s", dialler(60, 65, () => ({ talkedS: 59 })), 6],
    ["a search for numbers that answer", dialler(60, 10, () => ({ talkedS: 0 })), 6],
    [
      "a range of the Caribbean, which has the country code of the USA",
      dialler(60, 30, (at) => ({ number: `+187655501${10 + at}` })),
      6,
    ],
    ["calls at night", dialler(60, 600, (at) => ({ atMs: night + at * 600_000 })), 4],
    ["calls after midnight", dialler(60, 600, (at) => ({ atMs: night + 3 * 3_600_000 + at * 600_000 })), 4],
    ["long calls between the short ones", dialler(60, 100, (at) => ({ talkedS: at % 2 === 0 ? 600 : 10 })), 12],
    ["two ranges in turn", dialler(60, 30, (at) => ({ number: `+371${at % 2 === 0 ? 29 : 67}0000${10 + at}` })), 12],
  ])("as %s is held", (_, traffic, count) => {
    expect(letThrough(traffic)).toBe(count);
  });

  test("that keeps to five calls an hour by day, or to other ranges, is for the limits to find", () => {
    expect(heldOf(dialler(60, 12 * 60))).toEqual([]);
    expect(
      heldOf(dialler(60, 30, (at) => ({ number: `+371${20 + (at % 12)}000${100 + at}`, talkedS: 20 })).slice(0, 60)),
    ).toEqual([]);
  });

  test("says how many calls of which shape it was", () => {
    expect(heldOf(dialler(7, 30)).map(({ words }) => words)).toEqual(["6 short calls to +37129… within an hour"]);
    const atNight = dialler(5, 30, (at) => ({ atMs: night + at * 30_000 }));
    expect(heldOf(atNight).map(({ words }) => words)).toEqual(["4 short calls to +37129… at night within an hour"]);
  });

  test("is not looked for where the setting says so", () => {
    expect(heldOf(dialler(60, 30), { shortCalls: undefined })).toEqual([]);
    const atNight = dialler(6, 30, (at) => ({ atMs: night + at * 30_000 }));
    expect(heldOf(atNight, { shortCallsAtNight: undefined })).toEqual([]);
  });

  test("with other hours of the night", () => {
    const early = dialler(5, 30);
    expect(heldOf(early)).toEqual([]);
    expect(heldOf(early, { night: { from: 8, until: 10 } })).toHaveLength(1);
  });
});

describe("a price", () => {
  const rate = { name: "", perMinute: 150_000, connection: 50_000, initialS: 60, followingS: 60 };

  test.each<[number, boolean]>([
    [200_000, true],
    [200_001, false],
  ])("of 0.20 for the first minute, where %d is expensive", (expensiveFrom, expected) => {
    expect(isExpensive("+442079460123" as E164, [rate], "GB", { ...policy, expensiveFrom })).toBe(expected);
  });
});

describe("ordinary calls", () => {
  const months = 6;
  const quantities = { family: { people: 5, aDay: 3 }, office: { people: 20, aDay: 25 } } as const;

  /** People call who they know, some of them abroad; try again where nobody answers; some calls are short. */
  function ordinary(kind: keyof typeof quantities, seed: number): Traffic[] {
    const random = generator(seed);
    const pick = <One>(all: readonly One[]): One => all[Math.floor(random() * all.length)] as One;
    const abroad = ["+4930", "+4917", "+3361", "+4860", "+3712", "+1212", "+9198", "+3531"];
    const traffic: Traffic[] = [];
    for (let who = 0; who < quantities[kind].people; who += 1) {
      const person = `@p${who}:example.org` as UserId;
      const share = kind === "office" ? 0.25 : 0.15;
      const known = Array.from({ length: kind === "office" ? 60 : 15 }, () => {
        const first = random() < share ? pick(abroad) : "+4420";
        return `${first}${String(Math.floor(random() * 10_000_000)).padStart(7, "0")}`;
      });
      for (let at = 0; at < months * 30; at += 1) {
        const isWeekend = at % 7 === 1 || at % 7 === 2;
        if (kind === "office" && isWeekend) continue;
        const calls = Math.floor(random() * 2 * quantities[kind].aDay);
        for (let call = 0; call < calls; call += 1) {
          const number = pick(known);
          const hours = kind === "office" ? random() * 9 : random() * 15 - 1;
          let atMs = morning + at * day + hours * 60 * minute;
          // Up to six tries until somebody answers.
          for (let tried = 0; tried < 6; tried += 1) {
            const answers = random() < 0.7;
            const talkedS = answers ? (random() < 0.3 ? 5 + random() * 50 : 60 + random() * 900) : 0;
            traffic.push({ person, number, atMs, talkedS });
            if (answers) break;
            atMs += (0.5 + random() * 5) * minute;
          }
        }
      }
    }
    return traffic;
  }

  /** Four seeds each: two years of one household or office. */
  test.each([
    ["family", 10_000, 0],
    ["office", 200_000, 1],
  ] as const)("of a %s over two years: of more than %d calls, %d are held", (kind, many, expected) => {
    const all = [1, 2, 3, 4].map((seed) => ordinary(kind, seed));
    expect(all.flat().length).toBeGreaterThan(many);
    expect(all.flatMap((traffic) => heldOf(traffic))).toHaveLength(expected);
  });

  test("again and again to somebody who does not answer, who answers in between, or in a long talk, are not held", () => {
    expect(heldOf(dialler(60, 30, () => ({ number: "+37129000001", talkedS: 0 })))).toEqual([]);
    expect(heldOf(dialler(60, 100, () => ({ talkedS: 60 })))).toEqual([]);
  });

  test("within the country, however many, are not held", () => {
    expect(heldOf(dialler(300, 5, (at) => ({ number: `+44207946${String(at).padStart(4, "0")}` })))).toEqual([]);
  });

  test("of somebody else to the same range are their own", () => {
    const two = dialler(10, 30, (at) => ({ person: (at % 2 === 0 ? "@a:example.org" : "@b:example.org") as UserId }));
    expect(heldOf(two)).toEqual([]);
  });
});
