// One call without a browser, measured at both ends: what `npm run demo -- --headless` is about.
import type { Heard } from "../audio/goertzel.ts";
import type { GatewayCall } from "../gateway/gateway.ts";
import { createHeadlessCaller, NoSuchNumber, type HeadlessCall } from "../headless/caller.ts";
import { DemoError } from "./options.ts";
import { PERSON } from "./config-text.ts";
import type { Stack } from "./stack.ts";

/** Hz; no number of the gateway plays it by itself. */
const CALLER_TONE = 800;
const KEYS = "159#";
/** Power of the tone over all else: 100 is 20 dB. */
const CLEAR_RATIO = 100;
const MEASURED_MS = 1_000;
const NOTICE_TIMEOUT_MS = 1_000;
const HANG_UP_TIMEOUT_MS = 2_000;
const ANSWER_TIMEOUT_MS = 15_000;

type Say = (what: string, how: string) => void;

/** Resolves when the call has worked from end to end. Throws DemoError where it has not. */
export async function placeCall(stack: Stack, number: string, print: (line: string) => void): Promise<void> {
  const say: Say = (what, how) => print(`  ${what.padEnd(10)} ${how}`);
  const caller = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: CALLER_TONE,
    bindHost: stack.config.media.ice.host ?? "127.0.0.1",
  });
  try {
    const call = await caller.call(number);
    await answered(call);
    print("");
    const far = stack.gateway.calls.at(-1);
    tellStory(call, far, say, number);
    if (call.end !== undefined) throw await refused(call);
    if (far === undefined) throw new DemoError("call-failed", "The call was answered, but not by the gateway.");

    await call.until(({ heardMs }) => heardMs >= MEASURED_MS + 200);
    await stack.gateway.until(() => far.heardMs >= MEASURED_MS + 200);
    const outward = far.heard(MEASURED_MS, [CALLER_TONE, 440, 1_000]);
    const inward = call.heard(MEASURED_MS, [440, 1_000, CALLER_TONE]);
    say("tone out", `the gateway hears ${tone(outward)}`);
    say("tone back", `the caller hears ${tone(inward)}`);
    if (outward.hz !== CALLER_TONE || outward.ratio < CLEAR_RATIO) {
      throw new DemoError("call-failed", `The gateway should hear the caller's ${CALLER_TONE} Hz clearly.`);
    }
    if (inward.hz === undefined || inward.ratio < CLEAR_RATIO) {
      throw new DemoError("call-failed", `The caller should hear a tone clearly; does ${number} play one?`);
    }
    await pressKeys(call, far, stack, say);
    await call.hangup();
    const end = await stack.gateway.until(() => far.end);
    say("hang-up", `the gateway got BYE${end.reason === undefined ? "" : ` (${end.reason})`}`);
    if (end.by !== "caller" || end.how !== "bye") throw new DemoError("call-failed", "The gateway should get a BYE.");
  } catch (error) {
    if (error instanceof NoSuchNumber) throw new DemoError("call-failed", `The lookup of ${number} found nobody.`);
    throw error;
  } finally {
    await caller.stop();
    // What the caller said last reaches the gateway before everything is taken down.
    const isOver = (): boolean => stack.gateway.calls.every(({ end }) => end !== undefined);
    await stack.gateway.until(isOver, HANG_UP_TIMEOUT_MS).catch(() => undefined);
  }
}

/** Or refused, or ended. */
async function answered(call: HeadlessCall): Promise<void> {
  try {
    await call.until(({ state, end }) => end !== undefined || state === "connected", ANSWER_TIMEOUT_MS);
  } catch (cause) {
    const what = call.state === "invited" ? "Nobody answered" : "There was an answer, but no audio";
    throw new DemoError("call-failed", `${what} within ${ANSWER_TIMEOUT_MS / 1000} seconds.`, { cause });
  }
}

function tellStory(call: HeadlessCall, far: GatewayCall | undefined, say: Say, number: string): void {
  const after = (kind: string): string => {
    const fact = call.facts.find((each) => each.kind === kind);
    return fact === undefined ? "not at all" : `after ${fact.atMs} ms`;
  };
  say("lookup", `${number} is ${call.user}`);
  say("invite", `sent ${after("invited")}`);
  say("ghost", `joined ${after("ghost joined")}`);
  say("ringing", far?.statuses.includes(180) === true ? "the gateway sent 180" : "not at all");
  say("answer", `${after("answered")}, audio connected ${after("connected")}`);
}

async function pressKeys(call: HeadlessCall, far: GatewayCall, stack: Stack, say: Say): Promise<void> {
  await call.dtmf(KEYS);
  await stack.gateway.until(() => far.digits.length >= KEYS.length);
  const heard = far.digits.map(({ digit }) => digit).join("");
  const durations = far.digits.map(({ durationMs }) => Math.round(durationMs));
  say("keys", `the gateway got ${heard}, ${durations.join(", ")} ms`);
  if (heard !== KEYS) throw new DemoError("call-failed", `The gateway should get the keys ${KEYS}.`);
}

async function refused(call: HeadlessCall): Promise<DemoError> {
  // The room is told why after the client was told that: busy speaks for itself, and nothing more may come.
  const notice = await call.until(({ notices }) => notices.at(-1), NOTICE_TIMEOUT_MS).catch(() => undefined);
  const { how, reason } = call.end ?? {};
  const what = how === "rejected" ? "refused" : `ended (${how})`;
  return new DemoError("call-failed", `The call was ${what} as ${reason ?? "declined"}${notice ? `: ${notice}` : "."}`);
}

const tone = ({ hz, ratio }: Heard): string =>
  hz === undefined ? "nothing" : `${hz} Hz, ${Math.round(ratio).toLocaleString("en")} times all else`;
