// Whole calls without a browser: client, homeserver, bridge and gateway in this process, on real sockets. What the
// person hears and what the other end got.
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { keyFrequencies } from "../../dev/audio/tone.ts";
import { PERSON } from "../../dev/demo/config-text.ts";
import { ringPerson } from "../../dev/demo/ring.ts";
import { startStack, type Stack } from "../../dev/demo/stack.ts";
import type { GatewayCall } from "../../dev/gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCall, type HeadlessCaller } from "../../dev/headless/caller.ts";
import { quickNumbers } from "../dev-gateway/quick-numbers.ts";

let stack: Stack;
let caller: HeadlessCaller;
const errors: string[] = [];
const placed: HeadlessCall[] = [];

beforeAll(async () => {
  stack = await startStack({
    transport: "udp",
    configPath: undefined,
    gatewayLog: () => undefined,
    numbers: quickNumbers(500),
    bridgeLog: (line) => {
      if (line.includes('"level":"error"')) errors.push(line);
    },
  });
  caller = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: 800,
    bindHost: "127.0.0.1",
  });
});
afterEach(async () => {
  // A test that failed in the middle must not leave its call to the next one.
  for (const call of placed.splice(0)) if (call.end === undefined) await call.hangup();
  expect(errors).toEqual([]);
});
afterAll(async () => {
  await caller.stop();
  await stack.stop();
});

async function place(number: string): Promise<HeadlessCall> {
  const call = await caller.call(number);
  placed.push(call);
  return call;
}

/** The gateway's view of the call that was placed last. */
const farEnd = (call: HeadlessCall, number: string): Promise<GatewayCall> =>
  stack.gateway.until((calls) => {
    const last = calls.at(-1);
    return last?.number.endsWith(number.slice(-4)) === true && call.state !== "invited" ? last : undefined;
  });

async function connected(number: string) {
  const call = await place(number);
  await call.until(({ state, end }) => state === "connected" || end !== undefined);
  expect(call.end).toBeUndefined();
  return { call, far: await farEnd(call, number) };
}

/** Waits for a second of fresh audio and says which tone it was; a busy machine may tear one second, but not each. */
async function hears(end: HeadlessCall | GatewayCall, frequencies: readonly number[]) {
  const fromMs = end.heardMs;
  const enough = (): boolean => end.heardMs >= fromMs + 1_100;
  const clear = (): boolean => enough() && end.heard(1_000, frequencies).ratio > 100;
  await ("facts" in end ? end.until(enough) : stack.gateway.until(enough));
  const isClear = await ("facts" in end ? end.until(clear) : stack.gateway.until(clear)).catch(() => false);
  return { hz: end.heard(1_000, frequencies).hz, clear: isClear };
}

describe("the caller", () => {
  it("hears the other end and is heard, under the identity that the trunk wants", async () => {
    const { call, far } = await connected("02079460103");
    expect(await hears(call, [440, 800, 1_000])).toEqual({ hz: 1_000, clear: true });
    expect(await hears(far, [440, 800, 1_000])).toEqual({ hz: 800, clear: true });
    expect(far.number).toBe("+442079460103");
    expect(far.from.uri).toContain("442079460000");
    expect(far.headers("P-Asserted-Identity")).toHaveLength(1);
    expect(far.rtp).toMatchObject({ strangers: 0, ssrcs: [expect.any(Number)] });
    await call.hangup();
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "caller", how: "bye" });
  });

  it("hears itself where the number is an echo, and the keys it presses where they are said back", async () => {
    const { call } = await connected("02079460101");
    expect(await hears(call, [440, 800, 1_000])).toEqual({ hz: 800, clear: true });
    await call.hangup();

    const keys = await connected("02079460105");
    const [low, high] = keyFrequencies("7") ?? [0, 0];
    await keys.call.dtmf("7");
    await keys.call.until((each) => each.heard(120, [low]).ratio > 0.3 && each.heard(120, [high]).ratio > 0.3);
    expect(keys.far.digits).toEqual([{ digit: "7", durationMs: 160 }]);
    await keys.call.hangup();
  });

  it("holds the other end, hears nothing of it, and comes back in the same stream", async () => {
    const { call, far } = await connected("02079460102");
    await hears(far, [800]);
    await call.hold();
    await stack.gateway.until(() => far.peerDirection === "sendonly");
    const silentMs = call.heardMs;
    await hears(far, [800]);
    expect(call.heardMs - silentMs).toBeLessThan(200);
    await call.resume();
    await stack.gateway.until(() => far.peerDirection === "sendrecv");
    expect(await hears(call, [440, 800])).toEqual({ hz: 440, clear: true });
    expect(await hears(far, [440, 800])).toEqual({ hz: 800, clear: true });
    expect(far.rtp.ssrcs).toHaveLength(1);
    expect(call.rtp.ssrcs).toHaveLength(1);
    expect(far.requests).toEqual(["INVITE", "ACK", "INVITE", "ACK", "INVITE", "ACK"]);
    await call.hangup();
  });

  it("gives up while it rings, and the other end stops ringing", async () => {
    const call = await place("02079460180");
    const far = await stack.gateway.until((calls) =>
      calls.find(({ end, statuses }) => !end && statuses.at(-1) === 180),
    );
    await call.hangup();
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "caller", how: "cancel", status: 487 });
  });

  it("calls the same number again in the same room", async () => {
    const first = await connected("02079460102");
    await first.call.hangup();
    const second = await connected("02079460102");
    expect(second.call.roomId).toBe(first.call.roomId);
    expect(second.far).not.toBe(first.far);
    await second.call.hangup();
  });
});

describe("the other end", () => {
  it.each([
    ["02079460486", "user_busy"],
    ["02079460404", "unknown_error"],
    ["02079460503", "unknown_error"],
  ])("of %s refuses, and the client hears %s", async (number, reason) => {
    const call = await place(number);
    expect(await call.until(({ end }) => end)).toEqual({ by: "bridge", how: "rejected", reason });
  });

  it("says in the room that a number is not in service, after early media too", async () => {
    const call = await place("02079460183");
    await call.until(({ notices }) => notices.includes("This number is not in service."));
    expect(call.end).toMatchObject({ how: "rejected", reason: "unknown_error" });
  });

  it("is heard after early media", async () => {
    const { call } = await connected("02079460184");
    expect(await hears(call, [440, 800])).toEqual({ hz: 440, clear: true });
    await call.hangup();
  });

  it("hangs up, and the client hears of it", async () => {
    // The number hangs up by the clock: the client may hear of the answer and of the end at once.
    const call = await place("02079460201");
    expect(await call.until(({ end }) => end)).toEqual({ by: "bridge", how: "hung up", reason: "user_hangup" });
    const far = await farEnd(call, "02079460201");
    expect(call.facts.map(({ kind }) => kind)).toContain("answered");
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "gateway", how: "bye" });
  });

  it("holds the client, plays to it, and comes back", async () => {
    const { call, far } = await connected("02079460102");
    await hears(far, [800]);
    await far.hold();
    expect(far.peerDirection).toBe("recvonly");
    await call.until((each) => shown(each).join(" ") === "sendonly");
    const silentMs = far.heardMs;
    await hears(call, [440]);
    expect(far.heardMs - silentMs).toBeLessThan(200);
    await far.resume();
    expect(far.peerDirection).toBe("sendrecv");
    await call.until((each) => shown(each).join(" ") === "sendonly sendrecv");
    expect(await hears(call, [440, 800])).toEqual({ hz: 440, clear: true });
    expect(await hears(far, [440, 800])).toEqual({ hz: 800, clear: true });
    expect(call.rtp.ssrcs).toHaveLength(1);
    await call.hangup();
  });
});

/** What the bridge has offered the client inside the call. */
function shown({ facts }: HeadlessCall): readonly string[] {
  return facts.flatMap((fact) => (fact.kind === "renegotiated" && fact.by === "bridge" ? [fact.direction] : []));
}

/** The gateway calls, and the person's client rings. */
async function rung(order: Parameters<typeof ringPerson>[1] = { sound: { hz: 440 } }) {
  const far = await ringPerson(stack, order);
  const call = await caller.incoming();
  placed.push(call);
  return { far, call };
}

async function pickedUp(order?: Parameters<typeof ringPerson>[1]) {
  const { far, call } = await rung(order);
  await call.answer();
  await call.until(({ state, end }) => state === "connected" || end !== undefined);
  await stack.gateway.until(() => far.state === "answered");
  return { far, call };
}

describe("somebody who is called", () => {
  it("sees who it is, rings, and is heard and hears", async () => {
    const { far, call } = await rung();
    await stack.gateway.until(() => far.statuses.includes(180));
    expect(call).toMatchObject({ direction: "in", capabilities: { "m.call.dtmf": true } });
    await call.answer();
    await call.until(({ state }) => state === "connected");
    await call.until(({ facts }) => facts.some(({ kind }) => kind === "selected"));
    expect(await hears(call, [440, 800, 1_000])).toEqual({ hz: 440, clear: true });
    expect(await hears(far, [440, 800, 1_000])).toEqual({ hz: 800, clear: true });
    expect(far.statuses.at(-1)).toBe(200);
    expect([call.rtp.strangers, far.rtp.strangers]).toEqual([0, 0]);
    await far.hangUp();
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "bridge", how: "hung up" });
  });

  it("presses keys and hears keys", async () => {
    const { far, call } = await pickedUp();
    await hears(call, [440]);
    await call.dtmf("15#");
    await stack.gateway.until(() => far.digits.length === 3);
    expect(far.digits.map(({ digit }) => digit).join("")).toBe("15#");
    await far.press("94");
    await call.until(({ keys }) => keys.join("") === "94");
    await call.hangup();
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "callee", how: "bye" });
  });

  it("declines, and the caller is told", async () => {
    const { far, call } = await rung();
    await call.decline();
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "callee", how: "refused", status: 603 });
  });

  it("misses a call, of which its own client tells alone", async () => {
    const { far, call } = await rung();
    await far.hangUp();
    expect(await call.until(({ end }) => end)).toMatchObject({ by: "bridge", how: "hung up" });
    expect(call.notices).toEqual([]);
    expect(far.end).toMatchObject({ by: "gateway", how: "cancel", status: 487 });
  });

  it("answers on one of two devices, and the other one stops ringing", async () => {
    const second = await secondDevice();
    try {
      const { far, call } = await rung();
      const there = await second.incoming();
      await there.answer();
      expect(await call.until(({ end }) => end)).toMatchObject({ by: "device", how: "answered elsewhere" });
      await there.until(({ state }) => state === "connected");
      expect(await hears(far, [600, 800])).toEqual({ hz: 600, clear: true });
      await there.hangup();
      await stack.gateway.until(() => far.end);
    } finally {
      await second.stop();
    }
  });

  it("holds and is held", async () => {
    const { far, call } = await pickedUp();
    await hears(far, [800]);
    await call.hold();
    await stack.gateway.until(() => far.peerDirection === "sendonly");
    await call.resume();
    await stack.gateway.until(() => far.peerDirection === "sendrecv");
    await far.hold();
    await stack.gateway.until(() => far.peerDirection === "recvonly");
    await call.until((each) => shown(each).at(-1) === "sendonly");
    await far.resume();
    await call.until((each) => shown(each).at(-1) === "sendrecv");
    expect(await hears(call, [440, 800])).toEqual({ hz: 440, clear: true });
    expect(await hears(far, [440, 800])).toEqual({ hz: 800, clear: true });
    await call.hangup();
  });

  it("and the telephone hold each other: each hold is taken back by itself", async () => {
    const { far, call } = await pickedUp();
    await hears(far, [800]);
    await call.hold();
    await stack.gateway.until(() => far.peerDirection === "sendonly");
    await far.hold();
    await stack.gateway.until(() => far.peerDirection === "inactive");
    await call.until((each) => shown(each).length === 1);
    await far.resume();
    await call.until((each) => shown(each).at(-1) === "sendrecv");
    await stack.gateway.until(() => far.peerDirection === "sendonly");
    await call.resume();
    await stack.gateway.until(() => far.peerDirection === "sendrecv");
    expect(await hears(call, [440, 800])).toEqual({ hz: 440, clear: true });
    expect(await hears(far, [440, 800])).toEqual({ hz: 800, clear: true });
    await call.hangup();
  });

  it("is called back by a number after its own call", async () => {
    const first = await connected("02079460203");
    await first.call.hangup();
    const back = await caller.incoming();
    placed.push(back);
    await back.answer();
    await back.until(({ state }) => state === "connected");
    expect(await hears(back, [440, 1_000])).toEqual({ hz: 1_000, clear: true });
    await back.hangup();
  });

  it("reads the text that a number writes", async () => {
    const { call } = await connected("+442079460106");
    await call.until(({ notices }) => notices.some((notice) => notice.includes("You called 106.")));
    await call.hangup();
  });
});

async function secondDevice(): Promise<HeadlessCaller> {
  return await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: 600,
    bindHost: "127.0.0.1",
  });
}
