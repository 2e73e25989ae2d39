import { expect, test } from "vitest";
import { trunkName, type UserId } from "../../../../src/core/ids.ts";
import type { Shortage } from "../../../../src/core/policy/spending/account.ts";
import { wholeBridge, type Scope } from "../../../../src/core/policy/spending/allowance.ts";
import {
  crowdedWords,
  endWords,
  nearWords,
  refusalWords,
  tooOftenWords,
  warningWords,
} from "../../../../src/core/policy/spending/words.ts";

const telling = { zone: "Europe/Berlin", currency: "EUR", atMs: Date.UTC(2026, 11, 1, 12) };
const ann: Scope = { kind: "user", name: "@ann:example.org" as UserId };
const latvia: Scope = { kind: "country", name: "LV" };
const hour: Shortage = { scope: ann, span: "day", of: "seconds", limit: 3600, used: 3590, held: 0 };
const money: Shortage = { scope: latvia, span: "month", of: "money", limit: 5_000_000, used: 4_000_000, held: 900_000 };

test("whoever is refused reads which limit, how much of it, and when it ends", () => {
  expect(refusalWords(hour, telling)).toBe(
    "Your 60 minutes of calls for today are used up, so this call was not placed. Try again after 00:00 on Wednesday 2 December (Europe/Berlin).",
  );
  expect(refusalWords({ ...money, held: 0 }, telling)).toBe(
    "The 5.00 EUR of calls to Latvia for this month is used up, so this call was not placed. Try again after 00:00 on Friday 1 January (Europe/Berlin).",
  );
});

test("what calls in progress hold may come back sooner", () => {
  expect(refusalWords(money, telling)).toBe(
    "The 5.00 EUR of calls to Latvia for this month is used or kept for calls in progress, so this call was not placed. Try again when a call has ended, or after 00:00 on Friday 1 January (Europe/Berlin).",
  );
});

test("whoever is in a call reads it before the end, and at the end", () => {
  expect(nearWords(hour, 60, telling)).toBe(
    "This call ends in one minute: then your 60 minutes of calls for today will be used up.",
  );
  expect(nearWords({ ...hour, scope: wholeBridge }, 40, telling)).toBe(
    "This call ends in 40 seconds: then the 60 minutes of calls of everybody here for today will be used up.",
  );
  expect(endWords({ ...hour, scope: { kind: "trunk", name: trunkName("main") } }, telling)).toBe(
    "The call ended because the 60 minutes of calls over this telephone line for today are used up. You can call again after 00:00 on Wednesday 2 December (Europe/Berlin).",
  );
});

test("at 80 % the person reads how much is used", () => {
  expect(warningWords({ ...hour, used: 2890 }, telling)).toBe(
    "You have used 48 minutes of your 60 minutes of calls for today. A new day begins at 00:00 on Wednesday 2 December (Europe/Berlin).",
  );
});

test("too many calls to a country are said so", () => {
  expect(crowdedWords(latvia, 2)).toBe(
    "Only 2 calls to Latvia may be made at once. Please try again when one has ended.",
  );
  expect(tooOftenWords({ kind: "country", name: "+881" }, 1)).toBe(
    "Only 1 call a minute to +881 may be tried. Please wait a minute.",
  );
});
