// `npm run demo`: a homeserver, a telephone gateway, the bridge between them and a page to call from, on this machine.
// `npm run demo -- --headless`: one call without a browser, `--inbound` for one that comes from the gateway, `--rtc` for one by
// MatrixRTC; exits with 0 if it worked, with 1 if not.
import { ConfigError } from "../src/config/reading/problem.ts";
import { freshConfig } from "./demo/fresh-config.ts";
import { DemoError, readOptions, USAGE, type DemoOptions } from "./demo/options.ts";

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The bridge takes a moment to load, for which no help and no configuration should wait. */
async function run(options: DemoOptions): Promise<void> {
  const interrupted = interrupt();
  const demo = await import("./demo/run.ts");
  await demo.run(options, print, interrupted);
}

/** The first signal ends the demo in good order, the second at once. */
function interrupt(): Promise<void> {
  return new Promise((resolve) => {
    let count = 0;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        count += 1;
        if (count > 1) process.exit(1);
        resolve();
      });
    }
  });
}

/** One line for what can go wrong on any machine, the whole trace of what was not foreseen. */
function explain(error: unknown): string {
  if (error instanceof ConfigError || error instanceof DemoError) return error.message;
  if (error instanceof Error) return "code" in error ? error.message : (error.stack ?? error.message);
  return String(error);
}

try {
  const options = readOptions(process.argv.slice(2));
  if (options.help) print(USAGE);
  else if (options.printConfig) process.stdout.write(await freshConfig(options.transport, "demo.db"));
  else await run(options);
  // The native WebRTC library keeps threads, which would keep the process.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
