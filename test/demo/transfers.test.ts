// Transfers through the whole bridge, on real sockets: who talks to whom afterwards is told by the tones.
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { PERSON } from "../../dev/demo/config-text.ts";
import { ringPerson } from "../../dev/demo/ring.ts";
import { startStack, type Stack, type StackOptions } from "../../dev/demo/stack.ts";
import type { GatewayCall } from "../../dev/gateway/gateway.ts";
import { createHeadlessCaller, type HeadlessCall, type HeadlessCaller } from "../../dev/headless/caller.ts";
import { quickNumbers } from "../dev-gateway/quick-numbers.ts";

const errors: string[] = [];
afterEach(() => {
  expect(errors.splice(0)).toEqual([]);
});

async function stackWith(gateway: NonNullable<StackOptions["gateway"]> = {}) {
  const stack = await startStack({
    transport: "udp",
    configPath: undefined,
    gatewayLog: () => undefined,
    numbers: quickNumbers(200),
    gateway,
    bridgeLog: (line) => {
      if (line.includes('"level":"error"')) errors.push(line);
    },
  });
  onTestFinished(() => stack.stop());
  const person = await createHeadlessCaller({
    homeserverUrl: stack.homeserver.url,
    user: PERSON.localpart,
    password: PERSON.password,
    toneHz: 800,
    bindHost: "127.0.0.1",
  });
  onTestFinished(() => person.stop());
  return { stack, person };
}

async function connected({ stack, person }: { stack: Stack; person: HeadlessCaller }, number: string) {
  const call = await person.call(number);
  await call.until(({ state, end }) => state === "connected" || end !== undefined);
  expect(call.end).toBeUndefined();
  const far = await stack.gateway.until((calls) => calls.findLast((each) => each.number.endsWith(number.slice(-7))));
  return { call, far };
}

const TONES = [440, 800, 1_000];

const hears = (stack: Stack, call: GatewayCall, hz: number): Promise<boolean> =>
  stack.gateway.until(() => call.heard(1_000, TONES).hz === hz && call.heard(1_000, TONES).ratio > 100);

const transferred = (call: HeadlessCall) => call.until(({ end }) => end?.how === "transferred" && end);

describe("a person who sends the far end on", () => {
  it("leaves the call, and the far end talks to the number", async () => {
    const { stack, person } = await stackWith();
    const { call, far } = await connected({ stack, person }, "02079460102");
    const target = (await person.lookup("02079460103")) ?? "";
    await call.transfer(target);
    await transferred(call);
    await stack.gateway.until(() => far.referrals[0]?.notified.includes(200));
    const third = await stack.gateway.until((calls) =>
      calls.find((each) => each.direction === "in" && each.number.endsWith("0103")),
    );
    await hears(stack, third, 440);
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "caller", how: "bye" });
  });

  it("after asking there first, and the two far ends talk to each other", async () => {
    const { stack, person } = await stackWith();
    const first = await connected({ stack, person }, "02079460102");
    await first.call.hold();
    const second = await connected({ stack, person }, "02079460103");
    await first.call.transferTo(second.call);
    await Promise.all([transferred(first.call), transferred(second.call)]);
    // Which of the two far ends took the other's place is the bridge's choice.
    const taken = await stack.gateway.until((calls) =>
      calls.find((each) => each.direction === "in" && each.headers("Replaces").length > 0),
    );
    const calling = await stack.gateway.until(
      () => [first.far, second.far].flatMap(({ referrals }) => referrals)[0]?.call,
    );
    const [one, other] = await Promise.all(
      [taken, calling].map((call) =>
        stack.gateway.until(() => call.heard(1_000, TONES).ratio > 100 && call.heard(1_000, TONES).hz),
      ),
    );
    expect(new Set([one, other])).toEqual(new Set([440, 1_000]));
    await stack.gateway.until(() => first.far.end && second.far.end);
  });

  it("who called, the same way", async () => {
    const { stack, person } = await stackWith();
    const far = await ringPerson(stack, { sound: { hz: 440 } });
    const call = await person.incoming();
    await call.answer();
    await call.until(({ state }) => state === "connected");
    await call.transfer((await person.lookup("02079460103")) ?? "");
    await transferred(call);
    const third = await stack.gateway.until((calls) => calls.find((each) => each.number.endsWith("0103")));
    await stack.gateway.until(() => third.state === "answered");
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "callee", how: "bye" });
  });

  it("is served by the bridge where the trunk follows no REFER", async () => {
    const { stack, person } = await stackWith({ referStatus: 603 });
    const { call, far } = await connected({ stack, person }, "02079460102");
    await call.transfer((await person.lookup("02079460103")) ?? "");
    await transferred(call);
    const third = await stack.gateway.until((calls) => calls.find((each) => each.number.endsWith("0103")));
    await Promise.all([hears(stack, third, 440), hears(stack, far, 1_000)]);
    expect(far).toMatchObject({ state: "answered", referrals: [] });
    await far.hangUp();
    expect(await stack.gateway.until(() => third.end)).toMatchObject({ how: "bye" });
  });
});

describe("a transfer that the trunk accepts and then cannot carry out", () => {
  it("is carried out by the bridge: the far end and the number talk to each other", async () => {
    const { stack, person } = await stackWith({ referFailure: 400 });
    const { call, far } = await connected({ stack, person }, "02079460102");
    await call.transfer((await person.lookup("02079460103")) ?? "");
    await transferred(call);
    const third = await stack.gateway.until((calls) => calls.find((each) => each.number.endsWith("0103")));
    await Promise.all([hears(stack, third, 440), hears(stack, far, 1_000)]);
    expect(far.referrals.map(({ notified }) => notified)).toEqual([[100, 400]]);
    await far.hangUp();
    expect(await stack.gateway.until(() => third.end)).toMatchObject({ how: "bye" });
  });

  it("to a number that is busy comes back: the person is rung, and the two hear each other again", async () => {
    const { stack, person } = await stackWith({ referFailure: 400 });
    const { call, far } = await connected({ stack, person }, "02079460102");
    await call.transfer((await person.lookup("02079460486")) ?? "");
    await transferred(call);
    const back = await person.incoming();
    await back.answer();
    await Promise.all([
      hears(stack, far, 800),
      back.until((each) => each.heard(1_000, TONES).hz === 440 && each.heard(1_000, TONES).ratio > 100),
    ]);
    await back.hangup();
    expect(await stack.gateway.until(() => far.end)).toMatchObject({ by: "caller", how: "bye" });
  });

  it("to a number that rings and is declined comes back by the trunk's own word", async () => {
    const { stack, person } = await stackWith();
    const { call, far } = await connected({ stack, person }, "02079460102");
    await call.transfer((await person.lookup("02079460603")) ?? "");
    await transferred(call);
    const back = await person.incoming();
    await back.answer();
    await hears(stack, far, 800);
    await back.hangup();
  });
});

describe("a person whom the far end sends on", () => {
  it("stays in the call, and hears the number", async () => {
    const { stack, person } = await stackWith();
    const { call, far } = await connected({ stack, person }, "02079460204");
    await stack.gateway.until(() => far.notified.includes(200));
    await call.until((each) => each.heard(1_000, TONES).hz === 1_000 && each.heard(1_000, TONES).ratio > 100);
    const third = await stack.gateway.until((calls) => calls.find((each) => each.number.endsWith("0103")));
    await hears(stack, third, 800);
    await stack.gateway.until(() => far.end);
    await call.hangup();
    await stack.gateway.until(() => third.end);
  });
});

describe("keys", () => {
  it("go as INFO where the trunk takes no RTP events, and come so", async () => {
    const { stack, person } = await stackWith({ rtpEvents: false });
    const { call, far } = await connected({ stack, person }, "02079460102");
    await call.dtmf("42");
    await stack.gateway.until(() => far.infoDigits.length === 2);
    expect(far.infoDigits.map(({ digit }) => digit)).toEqual(["4", "2"]);
    expect(await far.info("7")).toBe(200);
    await call.until(({ keys }) => keys.join("") === "7");
    await call.hangup();
  });
});
