// What the demo does once it is clear what is wanted: everything is started, and somebody calls.
import { PERSON } from "./config-text.ts";
import { takeCall } from "./inbound-call.ts";
import { createLadder } from "./ladder.ts";
import type { Print } from "./measured-call.ts";
import { DemoError, type DemoOptions } from "./options.ts";
import { placeCall } from "./outbound-call.ts";
import { ringPerson } from "./ring.ts";
import { placeCallByRtc } from "./rtc-call.ts";
import { claim, startStack, type Stack } from "./stack.ts";
import { NUMBERS } from "../gateway/gateway.ts";

/** So long the gateway lets the page ring. */
const RINGING_MS = 60_000;

/** 020 7946 0000 to 0999 were set aside for film and television; 0181 811 8181 was rung by half a nation's children. */
const exampleNumber = (ending: string): string => (ending.length === 3 ? `02079460${ending}` : `0181811${ending}`);

/** Resolves when the headless call has worked, or the demo was interrupted. Throws ConfigError, DemoError. */
export async function run(options: DemoOptions, print: Print, interrupted: Promise<void>): Promise<void> {
  const ladder = createLadder(print);
  const stack = await startStack({
    ...options,
    gatewayLog: ladder.gatewayLog,
    bridgeLog: (line) => showWarning(line, print),
  });
  try {
    ladder.watch(stack.homeserver, (userId) => userId.startsWith(`@${stack.config.ghosts.prefix}`));
    const ended = Promise.race([interrupted, stack.bridge.refused]);
    const call = (): Promise<void> =>
      options.inbound
        ? takeCall(stack, print)
        : (options.rtc ? placeCallByRtc : placeCall)(stack, options.number, print);
    if (options.headless) await Promise.race([call(), interruption(ended)]);
    else await servePage(stack, options.port, print, ended);
  } finally {
    await stack.stop();
  }
  if (options.headless) print("\nThe call worked from end to end.");
}

async function servePage(stack: Stack, port: number, print: Print, ended: Promise<void>): Promise<void> {
  // The page brings a bundler and matrix-js-sdk; a call without it should not wait for them.
  const { serveSoftphone } = await import("../softphone/serve.ts");
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
function showWarning(line: string, print: Print): void {
  const { level, msg, err } = JSON.parse(line) as { level: string; msg: string; err?: { message: string } };
  if (level === "warn" || level === "error") print(`  bridge: ${msg}${err === undefined ? "" : ` (${err.message})`}`);
}
