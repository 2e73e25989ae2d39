// What a call costs the bridge's process beside another kind of call, both in turns, so that whatever else the machine does
// is in both: with a line in its room, and from the trunk. Each kind has an installation of its own, all of one age.
import type { Installation } from "./parts/installation.ts";
import { figure, median } from "./parts/statistics.ts";

export interface TurnsOptions {
  /** Half as many of each kind. */
  readonly calls: number;
  readonly concurrency: number;
  /** Whether calls of the trunk are measured too. */
  readonly inbound: boolean;
}

export interface TurnsReport {
  readonly lines: readonly string[];
  readonly failures: readonly string[];
}

interface Kind {
  readonly name: string;
  readonly installation: Installation;
  readonly call: "run" | "ring";
}

interface Turn {
  /** Of one call. */
  readonly cpuMs: number;
  readonly elapsedMs: number;
  readonly answeredAfterMs: readonly number[];
}

const pairs = 8;
const warmUpCalls = 300;

/** @param start gives an installation of no media, in which calls leave a line in their room or not; the caller ends it. */
export async function compareCalls(
  start: (history: boolean) => Promise<Installation>,
  { calls, concurrency, inbound }: TurnsOptions,
): Promise<TurnsReport> {
  const kinds: Kind[] = [
    { name: "outbound", installation: await start(false), call: "run" },
    { name: "lined", installation: await start(true), call: "run" },
  ];
  if (inbound) kinds.push({ name: "inbound", installation: await start(false), call: "ring" });
  const failures: string[] = [];
  const turn = async ({ installation, call }: Kind, count: number): Promise<Turn> => {
    const cpuBeforeMs = await installation.cpuMs();
    const result = await installation[call](count, concurrency);
    const cpuMs = (await installation.cpuMs()) - cpuBeforeMs;
    failures.push(...result.failures);
    return { cpuMs: cpuMs / count, elapsedMs: result.elapsedMs / count, answeredAfterMs: result.answeredAfterMs };
  };
  for (const kind of kinds) {
    await turn({ ...kind, call: "run" }, warmUpCalls / 2);
    await turn(kind, warmUpCalls / 2);
  }
  const turns = new Map<string, Turn[]>(kinds.map(({ name }) => [name, []]));
  const callsInTurn = Math.ceil(calls / 2 / pairs);
  for (let pair = 0; pair < pairs; pair += 1) {
    // Who goes first changes, so that none always has the machine when somebody else wants it.
    const order = pair % 2 === 0 ? kinds : kinds.toReversed();
    for (const kind of order) turns.get(kind.name)?.push(await turn(kind, callsInTurn));
  }
  for (const { installation } of kinds) failures.push(...(await installation.audit()));
  return { lines: [...report((name) => turns.get(name) ?? [])], failures };
}

function* report(of: (name: string) => readonly Turn[]): Generator<string> {
  const cpu = (name: string): string => `${figure(median(of(name).map(({ cpuMs }) => cpuMs)), 2)} ms CPU`;
  const beside = (name: string): string => {
    const outbound = of("outbound");
    const ratios = of(name).map(({ cpuMs }, index) => cpuMs / (outbound[index]?.cpuMs ?? Number.NaN));
    const range = `${figure(Math.min(...ratios), 2)} to ${figure(Math.max(...ratios), 2)} in ${ratios.length} pairs`;
    return `${figure(median(ratios), 2)} of that (${range})`;
  };
  yield `calls, in turns      : ${cpu("outbound")} an outbound call`;
  yield `calls, in turns      : ${cpu("lined")} one that leaves a line in its room, ${beside("lined")}`;
  const inbound = of("inbound");
  if (inbound.length === 0) return;
  const answeredAfterMs = median(inbound.flatMap((turn) => turn.answeredAfterMs));
  const callsPerSecond = 1000 / median(inbound.map(({ elapsedMs }) => elapsedMs));
  yield `calls, in turns      : ${cpu("inbound")} an inbound call, ${beside("inbound")}`;
  yield `calls, in turns      : ${figure(callsPerSecond)} inbound calls/s, answered after ${figure(answeredAfterMs)} ms`;
}
