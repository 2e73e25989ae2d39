// Video calls: the audio of one works, and the person reads once that there is no video.
import { expect, test } from "vitest";
import { matrixCallId, type UserId } from "../../../src/core/ids.ts";
import { elementSdp } from "../../core/sdp/samples.ts";
import { accepted, TestBridge } from "../test-bridge.ts";

const words = "Telephone numbers have no video. The call goes on with audio.";
const withVideo = elementSdp("out-video-invite");

test("a video call is dialled, and its room reads once, however often it calls, that there is no video", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  for (const name of ["one", "two"]) {
    await bridge.take(bridge.inviteFact({ matrixCallId: matrixCallId(name), description: withVideo, video: true }));
    await bridge.take({ ...bridge.callOf(undefined, name), kind: "call.hungUp", said: undefined });
  }
  expect(bridge.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(2);
  expect(bridge.words).toEqual([words]);
});

test("a voice call is told nothing of video", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ description: elementSdp("out-invite"), video: false }));
  expect(bridge.words).toEqual([]);
});

test("video that is switched on in a call is declined in words, and the call goes on", async () => {
  const bridge = new TestBridge();
  await bridge.ring();
  await bridge.sip(accepted);
  await bridge.take({
    ...bridge.callOf(),
    kind: "call.offered",
    description: withVideo,
    video: true,
    lifetimeMs: 60_000,
  });
  expect(bridge.words).toEqual([words]);
  expect(bridge.switchboard.calls.map(({ phase }) => phase.kind)).toEqual(["connected"]);
});

test("somebody who may not call reads why, and nothing of video", async () => {
  const bridge = new TestBridge();
  await bridge.enterRoom();
  await bridge.take(bridge.inviteFact({ sender: "@eve:elsewhere.org" as UserId, description: withVideo, video: true }));
  expect(bridge.words).toEqual(["You do not have permission to make telephone calls here."]);
});
