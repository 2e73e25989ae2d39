// What an admin is told of calls at media servers that cannot work.
import { expect, test } from "vitest";
import { checkConferences } from "../../../src/bridge/operation/conference-check.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";

test("each problem is a line in the log, and all of them are in the note", async () => {
  const { log, lines } = new FakeTelemetry();
  const problems = [
    { line: "the token service does not answer: check rtc", reason: "status 404" },
    { line: "the homeserver delays no events", reason: "/versions" },
  ];
  const note = await checkConferences({ conferenceProblems: async () => problems }, log);
  expect(note).toBe(
    "the token service does not answer: check rtc (status 404); the homeserver delays no events (/versions)",
  );
  expect(lines).toMatchObject([
    { level: "warn", message: problems[0]?.line, fields: { reason: "status 404" } },
    { level: "warn", message: problems[1]?.line },
  ]);
});

test("where nothing is wrong, nothing is said", async () => {
  const { log, lines } = new FakeTelemetry();
  expect(await checkConferences({ conferenceProblems: async () => [] }, log)).toBeUndefined();
  expect(lines).toEqual([]);
});
