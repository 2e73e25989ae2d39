import { expect, test } from "vitest";
import { RecentMap } from "../../src/core/recent-map.ts";

test("what was set longest ago is forgotten, and what is set again is the latest", () => {
  const map = new RecentMap<string, number>(2);
  map.set("a", 1).set("b", 2).set("a", 3);
  expect([...map]).toEqual([
    ["b", 2],
    ["a", 3],
  ]);
  map.set("c", 4);
  expect([...map.keys()]).toEqual(["a", "c"]);
});
