import { expect, test } from "vitest";
import { offersVideo } from "../../../src/core/sdp/video.ts";
import { elementSdp } from "./samples.ts";

test("video is offered by a video section that is not switched off", () => {
  const video = elementSdp("out-video-invite");
  expect(offersVideo(video)).toBe(true);
  expect(offersVideo(video.replace(/m=video \d+/, "m=video 0"))).toBe(false);
  expect(offersVideo(elementSdp("out-invite"))).toBe(false);
});
