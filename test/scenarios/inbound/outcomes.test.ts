// How a call ended is written where the client does not show it by itself, as those of MatrixRTC do not.
import { expect, test } from "vitest";
import type { LegForm } from "../../../src/core/call/model/matrix-leg.ts";
import { conferenceForm, ConferenceMedia, conferenceSide, participant } from "../../fakes/conference.ts";
import { made1, TestBridge } from "../test-bridge.ts";

const history = { failures: true, history: true };
const silent: { form: LegForm; abilities: { canRenegotiate: boolean; hasKeypad: boolean } } = {
  form: conferenceForm,
  abilities: { canRenegotiate: false, hasKeypad: false },
};

function conference(): TestBridge {
  const bridge = new TestBridge({ notices: history, media: new ConferenceMedia() });
  bridge.homeserver.side = () => conferenceSide;
  return bridge;
}

test.each([
  [486, "The number was busy."],
  [603, "The call was declined."],
])("a call that the telephone answers with %i leaves a line", async (status, line) => {
  const bridge = conference();
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ ...silent, description: participant("ann") }));
  await bridge.sip({ kind: "sip.rejected", status, phrase: "", q850: undefined });
  expect(bridge.words).toEqual([line]);
});

test("a missed call leaves a line, and one that was talked says how long", async () => {
  const bridge = conference();
  await bridge.arrive();
  await bridge.sip({ kind: "sip.cancelled", elsewhere: false });
  expect(bridge.words).toEqual(["Missed call."]);
  const talked = conference();
  await talked.arrive();
  await talked.take({ ...talked.answer(made1), ...silent, description: participant("ann") });
  talked.clock.advance(65_000);
  await talked.sip({ kind: "sip.hungUp", q850: 16 });
  expect(talked.words.at(-1)).toBe("Call ended after 1 min 5 s.");
});
