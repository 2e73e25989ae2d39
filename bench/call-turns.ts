// What a call costs the bridge's process beside another kind of call, all in turns, so that whatever else the machine does
// is in all: beside the floor, with a line in its room, and from the trunk. Each kind has an installation of its own, all of one age.
import type { Installation, InstallationOptions } from "./parts/installation.ts";
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

/** Starts an installation; whoever gave this ends it. */
export type StartInstallation = (options: InstallationOptions) => Promise<Installation>;

export interface Kind {
  readonly name: string;
  readonly installation: Installation;
  readonly call: "run" | "ring";
}

interface Turn {
  /** Of one call. */
  readonly cpuMs: number;
  readonly elapsedMs: number;
  /** To the homeserver, of one call. */
  readonly requests: number;
  readonly answeredAfterMs: readonly number[];
}

export type Turns = (name: string) => readonly Turn[];

export const pairs = 8;
const warmUpCalls = 300;

export async function compareCalls(start: StartInstallation, options: TurnsOptions): Promise<TurnsReport> {
  const kinds = await outboundAndFloor(start);
  kinds.push({ name: "lined", installation: await start({ media: "none", history: true }), call: "run" });
  if (options.inbound) kinds.push({ name: "inbound", installation: await start({ media: "none" }), call: "ring" });
  const failures: string[] = [];
  const turns = await takeTurns(kinds, options, failures);
  return { lines: [...report(turns)], failures };
}

export async function outboundAndFloor(start: StartInstallation): Promise<Kind[]> {
  return [
    { name: "outbound", installation: await start({ media: "none" }), call: "run" },
    { name: "floor", installation: await start({ media: "none", program: "floor-program.ts" }), call: "run" },
  ];
}

/** Adds to `failures` what went wrong, a line each. */
export async function takeTurns(
  kinds: readonly Kind[],
  { calls, concurrency }: Pick<TurnsOptions, "calls" | "concurrency">,
  failures: string[],
): Promise<Turns> {
  const turn = async ({ installation, call }: Kind, count: number): Promise<Turn> => {
    const cpuBeforeMs = await installation.cpuMs();
    const requestsBefore = installation.requests;
    const result = await installation[call](count, concurrency);
    const cpuMs = (await installation.cpuMs()) - cpuBeforeMs;
    failures.push(...result.failures);
    return {
      cpuMs: cpuMs / count,
      elapsedMs: result.elapsedMs / count,
      requests: (installation.requests - requestsBefore) / count,
      answeredAfterMs: result.answeredAfterMs,
    };
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
  return (name) => turns.get(name) ?? [];
}

/** CPU of each turn of one kind, as a multiple of the other kind's turn beside it. */
export function ratios(turns: Turns, name: string, base: string): readonly number[] {
  const beside = turns(base);
  return turns(name).map(({ cpuMs }, index) => cpuMs / (beside[index]?.cpuMs ?? Number.NaN));
}

/** CPU of one call, in ms. */
export function cpuOfCall(turns: Turns, name: string): number {
  return median(turns(name).map(({ cpuMs }) => cpuMs));
}

export function range(values: readonly number[]): string {
  return `${figure(Math.min(...values), 2)} to ${figure(Math.max(...values), 2)} in ${values.length} pairs`;
}

function* report(turns: Turns): Generator<string> {
  const cpu = (name: string): string => `${figure(cpuOfCall(turns, name), 2)} ms CPU`;
  const beside = (name: string): string => {
    const all = ratios(turns, name, "outbound");
    return `${figure(median(all), 2)} of that (${range(all)})`;
  };
  const requests = (name: string): string => figure(median(turns(name).map((turn) => turn.requests)), 1);
  const toFloor = ratios(turns, "outbound", "floor");
  yield `calls, in turns      : ${cpu("outbound")} an outbound call, ${requests("outbound")} requests`;
  yield `calls, in turns      : ${cpu("floor")} its input and output alone, ${requests("floor")} requests`;
  yield `calls, in turns      : ${figure(median(toFloor), 2)} times the floor (${range(toFloor)})`;
  yield `calls, in turns      : ${cpu("lined")} one that leaves a line in its room, ${beside("lined")}`;
  const inbound = turns("inbound");
  if (inbound.length === 0) return;
  const answeredAfterMs = median(inbound.flatMap((turn) => turn.answeredAfterMs));
  const callsPerSecond = 1000 / median(inbound.map(({ elapsedMs }) => elapsedMs));
  yield `calls, in turns      : ${cpu("inbound")} an inbound call, ${beside("inbound")}`;
  yield `calls, in turns      : ${figure(callsPerSecond)} inbound calls/s, answered after ${figure(answeredAfterMs)} ms`;
}
