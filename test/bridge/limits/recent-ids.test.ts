// A set that forgets its oldest members.
import { expect, test } from "vitest";
import { RecentIds } from "../../../src/bridge/limits/recent-ids.ts";

test("what was added is known until enough else was", () => {
  const ids = new RecentIds(3);
  expect(["a", "b", "c", "a"].map((id) => ids.add(id))).toEqual([true, true, true, false]);
  ids.add("d");
  expect(["a", "b", "c", "d"].map((id) => ids.has(id))).toEqual([false, true, true, true]);
});
