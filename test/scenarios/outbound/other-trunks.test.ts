// A person dials, and not everything goes well on the way: further trunks, announcements before the answer, hidden numbers.
import { describe, expect, test } from "vitest";
import { codecsOf } from "../../fakes/media.ts";
import { trunkName, type UserId } from "../../../src/core/ids.ts";
import { callerOf } from "../../fakes/arrivals.ts";
import { invite } from "../../core/call/examples/examples.ts";
import { telephoneSays } from "../../fakes/descriptions.ts";
import { accepted, TestBridge } from "../test-bridge.ts";
import { examplePlan, exampleTemplates } from "../settings.ts";

const [main] = examplePlan.trunks;
if (main === undefined) throw new Error("the example plan has no trunk");
const second = trunkName("second");
const twoTrunks = {
  ...examplePlan,
  trunks: [main, { ...main, name: second, host: "second.example.org" }],
  routes: [{ prefix: "", trunks: [main.name, second], strip: 0, prepend: "" }],
};
const unavailable = { kind: "sip.rejected", status: 503, phrase: "Service Unavailable", q850: undefined } as const;
const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };

describe("a trunk that is out of order", () => {
  test("is passed over: the call rings over the second one, and the person notices nothing", async () => {
    const bridge = new TestBridge({ plan: twoTrunks });
    await bridge.ring();
    await bridge.take({ ...bridge.callOf(), kind: "call.candidates", candidates: [candidate] });
    await bridge.sip(unavailable);
    expect(bridge.trunks.orders).toMatchObject([
      { verb: "invite", argument: { trunk: "main", target: "sip:+441818118181@sip.example.org" } },
      { verb: "invite", argument: { trunk: "second", target: "sip:+441818118181@second.example.org" } },
    ]);
    expect(bridge.media.orders).toEqual([
      "offer a client offer",
      "candidates 1",
      "close",
      "offer a client offer",
      "candidates 1",
    ]);
    expect(bridge.media.engine.opened.map(({ options: { b } }) => codecsOf(b).at(-1))).toEqual([
      "codec of main",
      "codec of second",
    ]);
    await bridge.sip(accepted);
    expect([bridge.signals, bridge.words]).toEqual([["answer"], []]);
  });

  test("and the second too: the person is told once", async () => {
    const bridge = new TestBridge({ plan: twoTrunks });
    await bridge.ring();
    await bridge.sip(unavailable);
    await bridge.sip(unavailable);
    expect(bridge.trunks.verbs).toEqual(["invite", "invite"]);
    expect([bridge.signals, bridge.words]).toEqual([
      ["reject failed"],
      ["The telephone network is busy. Please try again later."],
    ]);
    expect(bridge.telemetry.ended).toMatchObject([{ trunk: "second" }]);
  });

  test("is not left once the telephone has rung there", async () => {
    const bridge = new TestBridge({ plan: twoTrunks });
    await bridge.ring();
    await bridge.sip({ kind: "sip.ringing" });
    await bridge.sip(unavailable);
    expect(bridge.trunks.verbs).toEqual(["invite"]);
  });

  test("what its audio still reports when the call has gone on is not taken for the new one's", async () => {
    const bridge = new TestBridge({ plan: twoTrunks });
    await bridge.ring();
    const [ofTheFirst] = bridge.media.engine.opened;
    await bridge.sip(unavailable);
    ofTheFirst?.report({ kind: "media.lost" });
    await bridge.quiet();
    await bridge.sip(accepted);
    expect(bridge.signals).toEqual(["answer"]);
    bridge.media.engine.crash();
    await bridge.quiet();
    expect(bridge.signals).toEqual(["answer", "hangup unknown_error"]);
  });
});

describe("announcements before the answer", () => {
  test("are heard where the configuration wants it: the client is answered early, and the call goes on in it", async () => {
    const bridge = new TestBridge({ features: { earlyMedia: "answer" } });
    await bridge.ring();
    await bridge.sip({ kind: "sip.sent", invite });
    await bridge.sip({ kind: "sip.progressed", description: telephoneSays("early answer") });
    expect(bridge.signals).toEqual(["answer"]);
    await bridge.sip(accepted);
    expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
    await bridge.sip({ kind: "sip.hungUp", q850: 16 });
    expect(bridge.signals).toEqual(["answer", "hangup user_hangup"]);
  });

  test("otherwise the client plays its own ringing tone", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip({ kind: "sip.progressed", description: telephoneSays("early answer") });
    expect(bridge.signals).toEqual([]);
  });

  test("a person who hangs up during one takes back what was dialled", async () => {
    const bridge = new TestBridge({ features: { earlyMedia: "answer" } });
    await bridge.ring();
    await bridge.sip({ kind: "sip.progressed", description: telephoneSays("early answer") });
    await bridge.take({ ...bridge.callOf(), kind: "call.hungUp", said: undefined });
    expect(bridge.trunks.verbs).toEqual(["invite", "cancel"]);
  });
});

describe("who is at the other end", () => {
  test("is told to the client when it changes", async () => {
    const bridge = new TestBridge();
    await bridge.ring();
    await bridge.sip(accepted);
    await bridge.sip({ kind: "sip.identified", identity: callerOf("+442079460123", "Alice") });
    expect(bridge.homeserver.told.at(-1)?.signal).toMatchObject({
      kind: "identity",
      identity: { displayName: "Alice" },
    });
  });

  test("does not see who calls, where the person dialled that it shall not", async () => {
    const bridge = new TestBridge({
      plan: { ...examplePlan, withholdPrefixes: ["*31*"] },
      identity: { ...exampleTemplates, fromDisplayName: "{displayname}" },
    });
    const hidden = "@_sip_%2a31%2a01818118181%40sip.example.org:example.org" as UserId;
    await bridge.take({
      ...bridge.origin(),
      kind: "member.invited",
      user: hidden,
      direct: true,
      encrypted: false,
      public: false,
    });
    await bridge.take(bridge.inviteFact());
    expect(bridge.trunks.orders).toMatchObject([
      { verb: "invite", argument: { target: "sip:+441818118181@sip.example.org", identity: { privacy: ["id"] } } },
    ]);
    expect(bridge.homeserver.askedNames).toEqual([]);
  });
});

test("keys that the person presses go as INFO to a trunk that takes no others", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  bridge.media.engine.opened
    .at(-1)
    ?.report({ kind: "media.dtmf", from: "a", digit: "5", durationMs: 100, relayed: false });
  await bridge.quiet();
  expect(bridge.trunks.orders.at(-1)).toMatchObject({ verb: "info", argument: "5" });
});

test.each([
  ["may not be called", "09098790000", "premium-barred"],
  ["can be called in emergencies only", "999", "emergency"],
])("a trunk that redirects the call to what %s is not followed, and the log says why", async (_what, user, cause) => {
  const bridge = new TestBridge();
  await bridge.ring();
  expect(bridge.switchboard.mayReach(bridge.call(), callerOf("02079460999").from)).toBe(true);
  expect(bridge.switchboard.mayReach(bridge.call(), callerOf(user).from)).toBe(false);
  const lines = bridge.telemetry.lines.filter(({ message }) => message === "transfer refused");
  expect(lines).toMatchObject([{ level: "warn", fields: { by: "trunk", cause } }]);
});
