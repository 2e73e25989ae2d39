// A call to a number without a browser, measured at both ends: what `npm run demo -- --headless` is about.
import type { GatewayCall } from "../gateway/gateway.ts";
import { NoSuchNumber, type HeadlessCall } from "../headless/caller.ts";
import { after, failure, measureTones, pressKeys, sayTo, withPerson, type Print, type Say } from "./measured-call.ts";
import type { DemoError } from "./options.ts";
import type { Stack } from "./stack.ts";

const KEYS = "159#";
const NOTICE_TIMEOUT_MS = 5_000;
const ANSWER_TIMEOUT_MS = 15_000;

/** Resolves when the call has worked from end to end. Throws DemoError where it has not. */
export async function placeCall(stack: Stack, number: string, print: Print): Promise<void> {
  const say = sayTo(print);
  await withPerson(stack, async (person) => {
    const call = await person.call(number).catch((error: unknown) => {
      throw error instanceof NoSuchNumber ? failure(`The lookup of ${number} found nobody.`) : error;
    });
    await answered(call);
    print("");
    const far = stack.gateway.calls.at(-1);
    tellStory(call, far, say, number);
    if (call.end !== undefined) throw await refused(call);
    if (far === undefined) throw failure("The call was answered, but not by the gateway.");
    const measured = { stack, call, far, say };
    await measureTones(measured, number);
    await pressKeys(measured, KEYS);
    await call.hangup();
    const end = await stack.gateway.until(() => far.end);
    say("hang-up", `the gateway got BYE${end.reason === undefined ? "" : ` (${end.reason})`}`);
    if (end.by !== "caller" || end.how !== "bye") throw failure("The gateway should get a BYE.");
  });
}

/** Or refused, or ended. */
async function answered(call: HeadlessCall): Promise<void> {
  try {
    await call.until(({ state, end }) => end !== undefined || state === "connected", ANSWER_TIMEOUT_MS);
  } catch (cause) {
    const what = call.state === "invited" ? "Nobody answered" : "There was an answer, but no audio";
    throw failure(`${what} within ${ANSWER_TIMEOUT_MS / 1000} seconds.`, { cause });
  }
}

function tellStory(call: HeadlessCall, far: GatewayCall | undefined, say: Say, number: string): void {
  say("lookup", `${number} is ${call.user}`);
  say("invite", `sent ${after(call, "invited")}`);
  say("ghost", `joined ${after(call, "ghost joined")}`);
  say("ringing", far?.statuses.includes(180) === true ? "the gateway sent 180" : "not at all");
  say("answer", `${after(call, "answered")}, audio connected ${after(call, "connected")}`);
}

async function refused(call: HeadlessCall): Promise<DemoError> {
  const { how, reason } = call.end ?? {};
  // The room is told why after the client was told that. Busy speaks for itself: nothing more comes.
  const waitMs = reason === "user_busy" ? 0 : NOTICE_TIMEOUT_MS;
  const notice = await call.until(({ notices }) => notices.at(-1), waitMs).catch(() => undefined);
  const what = how === "rejected" ? "refused" : `ended (${how})`;
  return failure(`The call was ${what} as ${reason ?? "declined"}${notice ? `: ${notice}` : "."}`);
}
