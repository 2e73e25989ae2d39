// For every test: it fails if a secret has come into a log, whatever it is about.
import { afterAll, afterEach, expect, inject } from "vitest";
import { leaksFound, plant, watchRealLogs } from "./scanner.ts";

plant(inject("secrets"));
watchRealLogs();

function expectNone(): void {
  expect(leaksFound(), "no log may have a secret").toEqual([]);
}
afterEach(expectNone);
afterAll(expectNone);
