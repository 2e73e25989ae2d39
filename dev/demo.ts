// `npm run demo`: a homeserver, a telephone gateway, the bridge between them and a page to call from, on this machine.
// `npm run demo -- --headless`: one call without a browser, `--inbound` for one that comes from the gateway, `--rtc` for one by
// MatrixRTC; exits with 0 if it worked, with 1 if not.
import { ConfigError } from "../src/config/reading/problem.ts";
import { takeCall } from "./demo/inbound-call.ts";
import { createLadder } from "./demo/ladder.ts";
import { DemoError, readOptions, USAGE, type DemoOptions } from "./demo/options.ts";
import { PERSON } from "./demo/config-text.ts";
import { placeCall } from "./demo/outbound-call.ts";
import { ringPerson } from "./demo/ring.ts";
import { placeCallByRtc } from "./demo/rtc-call.ts";
import { claim, freshConfig, startStack, type Stack } from "./demo/stack.ts";
import { NUMBERS } from "./gateway/gateway.ts";

/** So long the gateway lets the page ring. */
const RINGING_MS = 60_000;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** 020 7946 0000 to 0999 were set aside for film and television; 0181 811 8181 was rung by half a nation's children. */
const exampleNumber = (ending: string): string => (ending.length === 3 ? `02079460${ending}` : `0181811${ending}`);

async function run(options: DemoOptions, interrupted: Promise<void>): Promise<void> {
  const ladder = createLadder(print);
  const stack = await startStack({ ...options, gatewayLog: ladder.gatewayLog, bridgeLog: showWarning });
  try {
    ladder.watch(stack.homeserver, (userId) => userId.startsWith(`@${stack.config.ghosts.prefix}`));
    const ended = Promise.race([interrupted, stack.bridge.refused]);
    const call = (): Promise<void> =>
      options.inbound
        ? takeCall(stack, print)
        : (options.rtc ? placeCallByRtc : placeCall)(stack, options.number, print);
    if (options.headless) await Promise.race([call(), interruption(ended)]);
    else await servePage(stack, options.port, ended);
  } finally {
    await stack.stop();
  }
  if (options.headless) print("\nThe call worked from end to end.");
}

async function servePage(stack: Stack, port: number, ended: Promise<void>): Promise<void> {
  // The page brings a bundler and matrix-js-sdk; a call without it should not wait for them.
  const { serveSoftphone } = await import("./softphone/serve.ts");
  const numbers = NUMBERS.filter(({ ending }) => ending !== "").map(({ ending, what }) => ({
    number: exampleNumber(ending),
    description: what,
  }));
  print("Building the page ...");
  const page = await claim("the page", "--port names another one", () =>
    serveSoftphone({
      port,
      homeserverUrl: stack.homeserver.url,
      user: PERSON.localpart,
      password: PERSON.password,
      numbers,
      ownNumber: PERSON.number,
      ring: () => ringPerson(stack, { sound: { hz: 440 }, answerTimeoutMs: RINGING_MS }),
    }),
  );
  try {
    print(`\nOpen ${page.url} and dial one of these, in any format:\n`);
    for (const { number, description } of numbers) print(`  ${number.padEnd(15)}  ${description}`);
    print("\nThe page has a button that lets the gateway call you.");
    print("Ctrl-C ends everything. The ladder of each call:");
    await ended;
  } finally {
    await page.stop();
  }
}

async function interruption(ended: Promise<void>): Promise<never> {
  await ended;
  throw new DemoError("call-failed", "Interrupted.");
}

/** The bridge logs JSON; a newcomer is told what is wrong. */
function showWarning(line: string): void {
  const { level, msg, err } = JSON.parse(line) as { level: string; msg: string; err?: { message: string } };
  if (level === "warn" || level === "error") print(`  bridge: ${msg}${err === undefined ? "" : ` (${err.message})`}`);
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
  else await run(options, interrupt());
  // The native WebRTC library keeps threads, which would keep the process.
  process.exit(0);
} catch (error) {
  process.stderr.write(`${explain(error)}\n`);
  process.exit(1);
}
