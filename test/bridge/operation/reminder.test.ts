// A line that stays true for a while: how often the log has it.
import { expect, test } from "vitest";
import { Reminder } from "../../../src/bridge/operation/reminder.ts";
import { FakeTelemetry } from "../../fakes/telemetry.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

function bench() {
  const clock = new VirtualClock();
  const { log, lines } = new FakeTelemetry();
  const reminder = new Reminder(clock, log);
  return { clock, lines, reminder };
}

test("a line that stays true for a week comes every hour, not ever more rarely", () => {
  const { clock, lines, reminder } = bench();
  const hours = 7 * 24;
  for (let minute = 0; minute < hours * 60; minute++) {
    reminder.say("homeserver cannot be reached", {});
    clock.advance(60_000);
  }
  expect(lines.length).toBeGreaterThan(hours - 2);
  expect(lines.length).toBeLessThan(hours + 8);
});

test("what was mended and breaks again is said at once", () => {
  const { lines, reminder } = bench();
  reminder.say("homeserver cannot be reached", {});
  reminder.settle();
  reminder.say("homeserver cannot be reached", {});
  expect(lines).toHaveLength(2);
});

test("each line has its own time", () => {
  const { lines, reminder } = bench();
  reminder.say("homeserver cannot be reached", {});
  reminder.say("homeserver does not know the bridge", {});
  expect(lines).toHaveLength(2);
});
