// Complete calls through the whole bridge: from the ghost's invitation to the record in the store, with real HTTP,
// real SIP over UDP and SQLite. Once with the embedded media engine and once without any, so that the two costs are told apart;
// what call-turns.ts compares comes after.
import { setTimeout as delay } from "node:timers/promises";
import { measureGoals } from "./call-goals.ts";
import { compareCalls, type StartInstallation } from "./call-turns.ts";
import type { CallsResult } from "./parts/caller.ts";
import { Installation, type Media, type Usage } from "./parts/installation.ts";
import type { ProgramOptions } from "./parts/program.ts";
import { figure, quantile } from "./parts/statistics.ts";

export interface CallsOptions {
  readonly calls: number;
  /** Calls at once. */
  readonly concurrency: number;
  /** Whether calls of the trunk are measured too. */
  readonly inbound: boolean;
  /** Whether the goals are measured instead, and with how many calls up at most. */
  readonly goals: boolean;
  readonly up: number;
  readonly execArgv?: ProgramOptions["execArgv"];
}

export interface CallsReport {
  readonly lines: readonly string[];
  /** What went wrong, one line each; empty if nothing did. */
  readonly failures: readonly string[];
}

interface Measurement {
  readonly media: Media;
  readonly result: CallsResult;
  /** Of the bridge's own process and of its workers, over the measured calls. */
  readonly cpuMs: number;
  readonly workersCpuMs: number | undefined;
  readonly atFirst: Usage;
  readonly before: Usage;
  readonly after: Usage;
  readonly failures: readonly string[];
}

/** Before anything is measured, so that the code is hot. */
const warmUpCalls = 300;
/** RFC 3261 has transactions remembered for 64*T1. */
const sipTimersMs = 33_000;
const mb = 1_000_000;

export async function run(options: CallsOptions): Promise<CallsReport> {
  const { execArgv = [] } = options;
  const installations: Installation[] = [];
  const start: StartInstallation = async (settings) => {
    const installation = await Installation.start({ ...settings, execArgv });
    installations.push(installation);
    return installation;
  };
  try {
    if (options.goals) return await measureGoals(start, options);
    const measurements: Measurement[] = [];
    for (const media of ["none", "embedded"] as const) {
      const installation = await start({ media });
      measurements.push(await measure(installation, options));
    }
    // What SIP remembers has been forgotten by then, in both.
    await delay(sipTimersMs);
    const lines: string[] = [];
    const failures: string[] = [];
    for (const [index, installation] of installations.entries()) {
      const measured = measurements[index];
      if (measured === undefined) continue;
      lines.push(...report(measured, options.concurrency, await installation.usage()));
      failures.push(...measured.failures, ...(await installation.audit()));
    }
    const turns = await compareCalls(start, options);
    lines.push(...turns.lines);
    failures.push(...turns.failures);
    for (const { complaints } of installations) {
      const [complaint] = complaints;
      if (complaint !== undefined) lines.push(`calls: ${complaints.length} warnings: ${complaint}`);
    }
    return { lines: [...lines, `calls: ${failures.length} failures`], failures };
  } finally {
    await Promise.all(installations.map((installation) => installation.stop()));
  }
}

async function measure(installation: Installation, { calls, concurrency }: CallsOptions): Promise<Measurement> {
  const atFirst = await installation.usage();
  const warmUp = await installation.run(warmUpCalls, concurrency);
  const before = await installation.usage();
  const cpuBeforeMs = await installation.cpuMs();
  const workersBefore = installation.workers();
  const result = await installation.run(calls, concurrency);
  const cpuMs = (await installation.cpuMs()) - cpuBeforeMs;
  const workersAfter = installation.workers();
  const workersCpuMs = workersBefore && workersAfter && workersAfter.cpuMs - workersBefore.cpuMs;
  const after = await installation.usage();
  const failures = [...warmUp.failures, ...result.failures];
  return { media: installation.media, result, cpuMs, workersCpuMs, atFirst, before, after, failures };
}

function report(measured: Measurement, concurrency: number, rest: Usage): readonly string[] {
  const { media, result, cpuMs, workersCpuMs, atFirst, before, after } = measured;
  const { calls, elapsedMs, answeredAfterMs } = result;
  const name = `calls, ${media === "none" ? "no media      " : "embedded media"}:`;
  const inMb = (bytes: number): string => figure(bytes / mb);
  const perThousand = (bytes: number): string => `${figure((bytes / mb / calls) * 1000, 1)} MB`;
  const lines = [
    `${name} ${figure((calls * 1000) / elapsedMs)} calls/s, ${concurrency} at once, ${figure(calls)} in all`,
    `${name} answered after ${figure(quantile(answeredAfterMs, 0.5))} ms, 99 of 100 within ${figure(quantile(answeredAfterMs, 0.99))} ms`,
    `${name} ${figure(cpuMs / calls, 2)} ms CPU a call in the bridge's process`,
    `${name} ${perThousand(after.bridge.rss - before.bridge.rss)} RSS (${perThousand(after.bridge.heap - before.bridge.heap)} heap) more per 1,000 calls while SIP's timers run`,
    `${name} heap ${inMb(atFirst.bridge.heap)} MB before the first call, ${inMb(rest.bridge.heap)} MB when all was over; RSS ${inMb(atFirst.bridge.rss)} and ${inMb(rest.bridge.rss)} MB`,
  ];
  if (before.workers === undefined || after.workers === undefined || after.workers.count === 0) return lines;
  return [
    ...lines,
    `${name} ${figure((workersCpuMs ?? 0) / calls, 2)} ms CPU a call in ${after.workers.count} media workers`,
    `${name} ${perThousand(after.workers.rss - before.workers.rss)} RSS more per 1,000 calls in them; ${inMb(atFirst.workers?.rss ?? 0)} MB before the first call, ${inMb(rest.workers?.rss ?? 0)} MB when all was over`,
  ];
}
