// Connections that may not stay: counted by reason, so that a flood of them is one line of the log each minute.
import type { Clock } from "../../ports/clock.ts";
import { Tally } from "../../ports/tally.ts";
import type { Log } from "../../ports/telemetry.ts";

export function tallyTurnedAway(log: Log, clock: Clock): (why: string, address: string) => void {
  const tallies = new Map<string, Tally>();
  return (why, address) => {
    const tally = tallies.get(why) ?? new Tally(log, clock, "SIP connection closed");
    tallies.set(why, tally);
    tally.add({ why, address, setting: "peers" });
  };
}
