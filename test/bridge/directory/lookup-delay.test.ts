// A number that is looked up is told when it may be called: during a call it may be the next far end, so that its profile is
// there when the client asks for it; and where numbers have keys ahead, it has them.
import { expect, it } from "vitest";
import { lookupDelay } from "../../../src/bridge/directory/lookup-delay.ts";
import type { Call } from "../../../src/core/call/model/call.ts";
import type { UserId } from "../../../src/core/ids.ts";
import { begin, connected } from "../../core/call/examples/examples.ts";
import { VirtualClock } from "../../fakes/virtual-clock.ts";

const ghost = "@_sip_102%40sip.example.org:example.org" as UserId;

function asked(calls: readonly Call[], made: Promise<void>, keys?: Promise<void>) {
  const clock = new VirtualClock();
  const homeserver = { givesKeysAhead: keys !== undefined, giveKeys: async () => keys };
  const answer = lookupDelay(ghost, { ghosts: { ensure: () => made }, homeserver, calls: () => calls, clock });
  return { clock, answer };
}

it("is told at once while nobody talks", () => {
  expect(asked([], Promise.resolve()).answer).toBeUndefined();
  expect(asked([begin().call], Promise.resolve()).answer).toBeUndefined();
});

it("is told during a call when its ghost has been made, or could not be", async () => {
  await asked([connected().call], Promise.resolve()).answer;
  await asked([connected().call], Promise.reject(new Error("the homeserver is away"))).answer;
});

it("keeps nobody waiting for a slow homeserver", async () => {
  const { clock, answer } = asked([connected().call], new Promise(() => {}));
  clock.advance(1_000);
  await answer;
});

it("is told when it has its keys, where numbers have them ahead", async () => {
  let told = false;
  const keys = Promise.withResolvers<void>();
  const { answer } = asked([], Promise.resolve(), keys.promise);
  const telling = answer?.then(() => (told = true));
  await Promise.resolve();
  expect(told).toBe(false);
  keys.resolve();
  await telling;
  expect(told).toBe(true);
});
