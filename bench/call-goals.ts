// What a call may cost at most, and whether it does: CPU beside the floor and alone, calls a second, the bridge's own delay,
// memory of calls that are up, and whether a call costs the same however many others are up. Without media.
import { setTimeout as delay } from "node:timers/promises";
import { cpuOfCall, outboundAndFloor, range, ratios, takeTurns, type StartInstallation } from "./call-turns.ts";
import type { Installation } from "./parts/installation.ts";
import { figure, median, quantile } from "./parts/statistics.ts";

export interface GoalsOptions {
  readonly calls: number;
  readonly concurrency: number;
  /** The most calls that are up at once. */
  readonly up: number;
}

export interface GoalsReport {
  readonly lines: readonly string[];
  readonly failures: readonly string[];
}

interface Goal {
  readonly name: string;
  readonly measured: string;
  readonly goal: string;
  readonly met: boolean;
}

const mostTimesFloor = 1.5;
const mostCpuMs = 2.5;
const fewestCallsPerSecond = 300;
const paceCallsPerSecond = 50;
const paceSeconds = 10;
const mostDelayMs = 15;
const mostHeapBytes = 10_000;
const mostRssBytes = 500_000_000;
/** Two measurements of one thing differ by about so much. */
const mostSlope = 1.15;

const warmUpCalls = 300;
/** Complete calls measured while so many others are up, and how often. */
const callsBeside = 100;
const timesBeside = 3;
/** RFC 3261 has transactions remembered for 64*T1. */
const sipTimersMs = 33_000;

export async function measureGoals(start: StartInstallation, options: GoalsOptions): Promise<GoalsReport> {
  const failures: string[] = [];
  const goals = [
    ...(await costGoals(start, options, failures)),
    ...(await delayGoals(await start({ media: "none" }), failures)),
    ...(await upGoals(await start({ media: "none" }), options, failures)),
  ];
  return { lines: goals.map(lineOf), failures };
}

function lineOf({ name, measured, goal, met }: Goal): string {
  return `goal ${met ? "met    " : "not met"}: ${name}: ${measured} (goal: ${goal})`;
}

async function costGoals(
  start: StartInstallation,
  options: GoalsOptions,
  failures: string[],
): Promise<readonly Goal[]> {
  const kinds = await outboundAndFloor(start);
  const turns = await takeTurns(kinds, options, failures);
  const timesFloor = ratios(turns, "outbound", "floor");
  const cpuMs = cpuOfCall(turns, "outbound");
  const callsPerSecond = 1000 / median(turns("outbound").map(({ elapsedMs }) => elapsedMs));
  const share = (cpuMs * callsPerSecond) / 1000;
  return [
    {
      name: "CPU of a call beside the floor",
      measured: `${figure(median(timesFloor), 2)} times (${range(timesFloor)}; floor ${figure(cpuOfCall(turns, "floor"), 2)} ms)`,
      goal: `at most ${mostTimesFloor}`,
      met: median(timesFloor) <= mostTimesFloor,
    },
    {
      name: "CPU of a call",
      measured: `${figure(cpuMs, 2)} ms`,
      goal: `at most ${mostCpuMs} ms`,
      met: cpuMs <= mostCpuMs,
    },
    {
      name: "complete calls a second on one core",
      measured: `${figure(callsPerSecond)} while the bridge had ${figure(share * 100)}% of a core, ${figure(1000 / cpuMs)} at 100%`,
      goal: `at least ${fewestCallsPerSecond}`,
      met: callsPerSecond >= fewestCallsPerSecond,
    },
  ];
}

async function delayGoals(installation: Installation, failures: string[]): Promise<readonly Goal[]> {
  failures.push(...(await installation.run(warmUpCalls, paceCallsPerSecond)).failures);
  const { inviteMs: warmInvites } = await installation.delays();
  failures.push(...(await installation.pace(paceCallsPerSecond * paceSeconds, paceCallsPerSecond)).failures);
  const { inviteMs, answerMs } = await installation.delays();
  failures.push(...(await installation.audit()));
  const goalOf = (name: string, all: readonly number[]): Goal => {
    // What was measured while it warmed up comes first.
    const values = all.slice(warmInvites.length);
    const worst = quantile(values, 0.99);
    return {
      name: `${name} at ${paceCallsPerSecond} calls/s`,
      measured: `99 of 100 within ${figure(worst, 1)} ms, half within ${figure(median(values), 1)} ms`,
      goal: `99 of 100 within ${mostDelayMs} ms`,
      met: worst <= mostDelayMs,
    };
  };
  return [goalOf("from the invite to the INVITE", inviteMs), goalOf("from the 200 to the answer", answerMs)];
}

/** Steps by tens up to the most: 10, 100, 1,000 ... */
function steps(most: number): readonly number[] {
  const all: number[] = [];
  for (let up = 10; up < most; up *= 10) all.push(up);
  return [...all, most];
}

async function upGoals(
  installation: Installation,
  { concurrency, up }: GoalsOptions,
  failures: string[],
): Promise<readonly Goal[]> {
  failures.push(...(await installation.run(warmUpCalls, concurrency)).failures);
  await delay(sipTimersMs);
  const { bridge: before } = await installation.usage();
  const costs: { readonly up: number; readonly cpuMs: number }[] = [];
  let raised = 0;
  let complete = 0;
  for (const target of steps(up)) {
    failures.push(...(await installation.raise(target - raised, concurrency)));
    raised = target;
    const measured: number[] = [];
    for (let time = 0; time < timesBeside; time += 1) {
      const cpuBeforeMs = await installation.cpuMs();
      failures.push(...(await installation.run(callsBeside, concurrency)).failures);
      complete += callsBeside;
      measured.push(((await installation.cpuMs()) - cpuBeforeMs) / callsBeside);
    }
    costs.push({ up: target, cpuMs: median(measured) });
  }
  await delay(sipTimersMs);
  const { bridge: held } = await installation.usage();
  failures.push(...(await installation.hangUp(concurrency)));
  await delay(sipTimersMs);
  const { bridge: after } = await installation.usage();
  failures.push(...(await installation.audit()));
  const heap = (held.heap - before.heap) / up;
  const slope = (costs.at(-1)?.cpuMs ?? Number.NaN) / (costs[0]?.cpuMs ?? Number.NaN);
  const kb = (bytes: number): string => `${figure(bytes / 1000, 1)} KB`;
  return [
    {
      name: "heap of a call that is up",
      measured: `${kb(heap)} with ${figure(up)} up, of which ${kb((after.heap - before.heap) / up)} stayed when they were over (${complete} other calls included)`,
      goal: `at most ${kb(mostHeapBytes)}`,
      met: heap <= mostHeapBytes,
    },
    {
      name: `RSS with ${figure(up)} calls up`,
      measured: `${figure(held.rss / 1_000_000)} MB`,
      goal: `under ${figure(mostRssBytes / 1_000_000)} MB with 10,000 up`,
      met: up >= 10_000 && held.rss < mostRssBytes,
    },
    {
      name: "CPU of a call beside others that are up",
      measured: costs.map(({ up: others, cpuMs }) => `${figure(cpuMs, 2)} ms beside ${figure(others)}`).join(", "),
      goal: `at most ${mostSlope} times as much beside the most as beside 10`,
      met: slope <= mostSlope,
    },
  ];
}
