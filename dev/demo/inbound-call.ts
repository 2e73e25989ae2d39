// A call from the gateway to the demo's person, who has no browser, measured at both ends: what
// `npm run demo -- --headless --inbound` is about.
import type { GatewayCall } from "../gateway/gateway.ts";
import type { HeadlessCall, HeadlessCaller } from "../headless/caller.ts";
import { PERSON } from "./config-text.ts";
import { after, failure, measureTones, pressKeys, sayTo, withPerson, type Print } from "./measured-call.ts";
import { ringPerson } from "./ring.ts";
import type { Stack } from "./stack.ts";

const KEYS = "159#";
const KEYS_BACK = "204";
/** From the INVITE until it rings, and from the answer until there is audio. */
const STEP_TIMEOUT_MS = 10_000;

/** Resolves when the call has worked from end to end. Throws DemoError where it has not. */
export async function takeCall(stack: Stack, print: Print): Promise<void> {
  const say = sayTo(print);
  await withPerson(stack, async (person) => {
    const far = await ringPerson(stack, { sound: { hz: 440 } });
    const call = await ringing(person, far, stack);
    await stack.gateway
      .until(() => far.statuses.some((status) => status === 180 || status === 183), STEP_TIMEOUT_MS)
      .catch((cause: unknown) => {
        throw failure("The client rings, and the gateway was not told.", { cause });
      });
    await call.answer();
    await call
      .until(({ state, end }) => state === "connected" || end !== undefined, STEP_TIMEOUT_MS)
      .catch((cause: unknown) => {
        throw failure("The call was answered, and there is no audio.", { cause });
      });
    // The client has audio as soon as ICE is done, which may be before the 200 is there.
    await stack.gateway
      .until(() => far.state !== "ringing", STEP_TIMEOUT_MS)
      .catch((cause: unknown) => {
        throw failure("The call was answered, and the gateway was not told.", { cause });
      });
    print("");
    say("invite", `${far.from.displayName} calls ${PERSON.number}`);
    say("ghost", call.user);
    say("ringing", `the client rings, the gateway got ${[...new Set(far.statuses)].join(", ")}`);
    say("answer", `${after(call, "answered")}, audio connected ${after(call, "connected")}`);
    if (call.end !== undefined) throw failure(`The call ended (${call.end.how}) when it was answered.`);

    const measured = { stack, call, far, say };
    await measureTones(measured, "the gateway");
    await pressKeys(measured, KEYS);
    await far.press(KEYS_BACK);
    await call.until(({ keys }) => keys.length >= KEYS_BACK.length).catch(() => undefined);
    say("keys back", `the person got ${call.keys.join("")}`);
    if (call.keys.join("") !== KEYS_BACK) throw failure(`The client should get the keys ${KEYS_BACK}.`);
    await far.hangUp();
    const end = await call.until((each) => each.end);
    say("hang-up", `the client got ${end.how} (${end.reason ?? "no reason"})`);
    if (end.by !== "bridge" || end.how !== "hung up") throw failure("The client should be hung up.");
  });
}

/** Throws DemoError where the gateway is refused before anything rings. */
async function ringing(person: HeadlessCaller, far: GatewayCall, stack: Stack): Promise<HeadlessCall> {
  const refused = stack.gateway
    .until(() => far.end, STEP_TIMEOUT_MS)
    .then(({ status, how }) => {
      throw failure(`The gateway's call was refused (${status ?? how}) before anything rang.`);
    });
  // Whoever is later says nothing that anybody waits for.
  refused.catch(() => undefined);
  const rings = person.incoming(STEP_TIMEOUT_MS).catch((cause: unknown) => {
    throw failure(`Nothing rang within ${STEP_TIMEOUT_MS / 1_000} seconds.`, { cause });
  });
  return await Promise.race([rings, refused]);
}
