// Video calls: the audio of one works, and the person reads once that there is no video.
import { expect, test } from "vitest";
import { matrixCallId, type UserId } from "../../src/core/ids.ts";
import { dialog } from "../core/call/examples.ts";
import { elementSdp } from "../core/sdp/samples.ts";
import { House } from "./house.ts";

const words = "Telephone numbers have no video. The call goes on with audio.";
const accepted = { kind: "sip.accepted", sdp: "trunk answer", dialog } as const;
const withVideo = elementSdp("out-video-invite");

test("a video call is dialled, and its room reads once, however often it calls, that there is no video", async () => {
  const house = new House();
  await house.enterRoom();
  for (const name of ["one", "two"]) {
    await house.take(house.inviteFact({ matrixCallId: matrixCallId(name), sdp: withVideo }));
    await house.take({ ...house.callOf(undefined, name), kind: "call.hungUp", reason: undefined });
  }
  expect(house.trunks.verbs.filter((verb) => verb === "invite")).toHaveLength(2);
  expect(house.words).toEqual([words]);
});

test("a voice call, or one whose video section is switched off, is told nothing of video", async () => {
  const house = new House();
  await house.enterRoom();
  await house.take(house.inviteFact({ sdp: elementSdp("out-invite") }));
  await house.take(
    house.inviteFact({ matrixCallId: matrixCallId("off"), sdp: withVideo.replace(/m=video \d+/, "m=video 0") }),
  );
  expect(house.words).toEqual([]);
});

test("video that is switched on in a call is declined in words, and the call goes on", async () => {
  const house = new House();
  await house.ring();
  await house.sip(accepted);
  await house.take({ ...house.callOf(), kind: "call.offered", sdp: withVideo, lifetimeMs: 60_000 });
  expect(house.words).toEqual([words]);
  expect(house.switchboard.calls.map(({ phase }) => phase)).toEqual(["connected"]);
});

test("somebody who may not call reads why, and nothing of video", async () => {
  const house = new House();
  await house.enterRoom();
  await house.take(house.inviteFact({ sender: "@eve:elsewhere.org" as UserId, sdp: withVideo }));
  expect(house.words).toEqual(["You do not have permission to make telephone calls here."]);
});
