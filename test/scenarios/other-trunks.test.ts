// A person dials, and not everything goes well on the way: further trunks, announcements before the answer, hidden numbers.
import { describe, expect, test } from "vitest";
import { trunkName, type UserId } from "../../src/core/ids.ts";
import { callerOf } from "../fakes/arrivals.ts";
import { dialog, invite } from "../core/call/examples.ts";
import { House } from "./house.ts";
import { examplePlan, exampleTemplates } from "./settings.ts";

const [main] = examplePlan.trunks;
if (main === undefined) throw new Error("the example plan has no trunk");
const second = trunkName("second");
const twoTrunks = {
  ...examplePlan,
  trunks: [main, { ...main, name: second, host: "second.example.org" }],
  routes: [{ prefix: "", trunks: [main.name, second], strip: 0, prepend: "" }],
};
const unavailable = { kind: "sip.rejected", status: 503, phrase: "Service Unavailable", q850: undefined } as const;
const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;
const candidate = { candidate: "c", mid: "0", mLineIndex: 0 };

describe("a trunk that is out of order", () => {
  test("is passed over: the call rings over the second one, and the person notices nothing", async () => {
    const house = new House({ plan: twoTrunks });
    await house.ring();
    await house.take({ ...house.callOf(), kind: "call.candidates", candidates: [candidate] });
    await house.sip(unavailable);
    expect(house.trunks.orders).toMatchObject([
      { verb: "invite", argument: { trunk: "main", target: "sip:+441818118181@sip.example.org" } },
      { verb: "invite", argument: { trunk: "second", target: "sip:+441818118181@second.example.org" } },
    ]);
    expect(house.media.orders).toEqual([
      "offer matrix client offer",
      "candidates 1",
      "close",
      "offer matrix client offer",
      "candidates 1",
    ]);
    expect(house.media.opened.map(({ trunk }) => trunk.codecs)).toEqual([["codec of main"], ["codec of second"]]);
    await house.sip(accepted);
    expect([house.signals, house.words]).toEqual([["answer"], []]);
  });

  test("and the second too: the person is told once", async () => {
    const house = new House({ plan: twoTrunks });
    await house.ring();
    await house.sip(unavailable);
    await house.sip(unavailable);
    expect(house.trunks.verbs).toEqual(["invite", "invite"]);
    expect([house.signals, house.words]).toEqual([
      ["reject failed"],
      ["The telephone network is busy. Please try again later."],
    ]);
    expect(house.telemetry.ended).toMatchObject([{ trunk: "second" }]);
  });

  test("is not left once the telephone has rung there", async () => {
    const house = new House({ plan: twoTrunks });
    await house.ring();
    await house.sip({ kind: "sip.ringing" });
    await house.sip(unavailable);
    expect(house.trunks.verbs).toEqual(["invite"]);
  });

  test("what its audio still reports when the call has gone on is not taken for the new one's", async () => {
    const house = new House({ plan: twoTrunks });
    const call = await house.ring();
    const ofTheFirst = house.media.reports.get(call);
    await house.sip(unavailable);
    ofTheFirst?.({ kind: "media.lost" });
    await house.quiet();
    await house.sip(accepted);
    expect(house.signals).toEqual(["answer"]);
    house.media.reports.get(call)?.({ kind: "media.lost" });
    await house.quiet();
    expect(house.signals).toEqual(["answer", "hangup unknown_error"]);
  });
});

describe("announcements before the answer", () => {
  test("are heard where the configuration wants it: the client is answered early, and the call goes on in it", async () => {
    const house = new House({ features: { earlyMedia: "answer" } });
    await house.ring();
    await house.sip({ kind: "sip.sent", invite });
    await house.sip({ kind: "sip.progressed", sdp: "early answer" });
    expect(house.signals).toEqual(["answer"]);
    await house.sip(accepted);
    expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
    await house.sip({ kind: "sip.hungUp", q850: 16 });
    expect(house.signals).toEqual(["answer", "hangup user_hangup"]);
  });

  test("otherwise the client plays its own ringing tone", async () => {
    const house = new House();
    await house.ring();
    await house.sip({ kind: "sip.progressed", sdp: "early answer" });
    expect(house.signals).toEqual([]);
  });

  test("a person who hangs up during one takes back what was dialled", async () => {
    const house = new House({ features: { earlyMedia: "answer" } });
    await house.ring();
    await house.sip({ kind: "sip.progressed", sdp: "early answer" });
    await house.take({ ...house.callOf(), kind: "call.hungUp", reason: "user_hangup" });
    expect(house.trunks.verbs).toEqual(["invite", "cancel"]);
  });
});

describe("who is at the other end", () => {
  test("is told to the client when it changes", async () => {
    const house = new House();
    await house.ring();
    await house.sip(accepted);
    await house.sip({ kind: "sip.identified", identity: callerOf("+442079460123", "Alice") });
    expect(house.homeserver.told.at(-1)?.signal).toMatchObject({
      kind: "identity",
      identity: { displayName: "Alice" },
    });
  });

  test("does not see who calls, where the person dialled that it shall not", async () => {
    const house = new House({
      plan: { ...examplePlan, withholdPrefixes: ["*31*"] },
      identity: { ...exampleTemplates, fromDisplayName: "{displayname}" },
    });
    const hidden = "@_sip_%2a31%2a01818118181%40sip.example.org:example.org" as UserId;
    await house.take({
      ...house.origin(),
      kind: "member.invited",
      user: hidden,
      direct: true,
      encrypted: false,
      public: false,
    });
    await house.take(house.inviteFact());
    expect(house.trunks.orders).toMatchObject([
      { verb: "invite", argument: { target: "sip:+441818118181@sip.example.org", identity: { privacy: ["id"] } } },
    ]);
    expect(house.homeserver.askedNames).toEqual([]);
  });
});

test("keys that the person presses go as INFO to a trunk that takes no others", async () => {
  const house = new House();
  const call = await house.ring();
  await house.sip(accepted);
  house.media.reports.get(call)?.({ kind: "media.dtmf", from: "matrix", digit: "5", durationMs: 100, relayed: false });
  await house.quiet();
  expect(house.trunks.orders.at(-1)).toMatchObject({ verb: "info", argument: "5" });
});
