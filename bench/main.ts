// `npm run bench`: every figure of docs/benchmarks.md in one run; `npm run bench -- lookups calls` some of them.
import { parseArgs } from "node:util";

const usage = `Usage: npm run bench -- [PART ...] [--calls N] [--concurrency N] [--profile FOLDER]
Parts: lookups, parser, calls, rtc, media, encryption; all without any.
  --calls N         calls to measure, besides those that warm up (1000)
  --concurrency N   calls at once (30)
  --inbound         measure calls of the trunk too (calls)
  --goals           print what a call may cost, and whether it does, instead (calls; about ten minutes)
  --up N            with --goals: calls that are up at once, at most (10000)
  --profile FOLDER  leave CPU profiles of the bridge's process there (lookups, calls)`;

interface Report {
  readonly lines: readonly string[];
  readonly failures?: readonly string[];
}

interface Options {
  readonly calls: number;
  readonly concurrency: number;
  readonly inbound: boolean;
  readonly goals: boolean;
  readonly up: number;
  readonly execArgv: readonly string[];
}

/** In the order in which they run; each is loaded only when it does. */
const parts: Readonly<Record<string, (options: Options) => Promise<Report>>> = {
  lookups: async ({ execArgv }) => ({ lines: await (await import("./lookups.ts")).run({ execArgv }) }),
  parser: async () => ({ lines: await (await import("./sip-parser.ts")).run() }),
  media: async () => ({ lines: await (await import("./media-packets.ts")).run() }),
  encryption: async () => ({ lines: await (await import("./encryption.ts")).run() }),
  rtc: async () => (await import("./rtc/rtc-calls.ts")).run(),
  calls: async (options) => (await import("./calls.ts")).run(options),
};
/** A list of every failed call would hide why the first one failed. */
const shownFailures = 10;

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} should be a whole number from 1 on`);
  return value;
}

async function main(): Promise<number> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      calls: { type: "string", default: "1000" },
      concurrency: { type: "string", default: "30" },
      inbound: { type: "boolean", default: false },
      goals: { type: "boolean", default: false },
      up: { type: "string", default: "10000" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  const unknown = positionals.find((name) => !Object.hasOwn(parts, name));
  if (unknown !== undefined) throw new Error(`no part is called ${unknown}`);
  if (values.help) {
    console.log(usage);
    return 0;
  }
  const { profile } = values;
  const options: Options = {
    calls: count(values.calls, "calls"),
    concurrency: count(values.concurrency, "concurrency"),
    inbound: values.inbound,
    goals: values.goals,
    up: count(values.up, "up"),
    execArgv: profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`],
  };
  let failed = 0;
  for (const [name, run] of Object.entries(parts)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const { lines, failures = [] } = await run(options);
    for (const line of lines) console.log(line);
    for (const failure of failures.slice(0, shownFailures)) console.error(failure);
    failed += failures.length;
  }
  return failed === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof Error ? error.message : String(error));
    console.error(usage);
    process.exit(1);
  },
);
