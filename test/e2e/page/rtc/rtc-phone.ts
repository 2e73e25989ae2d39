// The page's telephone for MatrixRTC calls, one at a time.
import { theClient } from "../session.ts";
import type { RtcPhone } from "./api.ts";
import { allRings } from "./rings.ts";
import { meetAt } from "./media-server.ts";
import { othersIn, RtcCall } from "./rtc-call.ts";

let newest: RtcCall | undefined;

function theCall(): RtcCall {
  if (newest === undefined) throw new Error("there is no MatrixRTC call");
  return newest;
}

export const rtcPhone: RtcPhone = {
  async join(roomId, options) {
    newest = await RtcCall.join(roomId, options);
  },
  meetAt,
  async leave() {
    await newest?.leave();
  },
  report: async () => theCall().report(),
  othersIn,
  rings: allRings,
  async decline(roomId, notificationId) {
    await theClient().sendRtcDecline(roomId, notificationId);
  },
  mute: (muted) => theCall().mute(muted),
  heard: (frequencies, durationMs) => newest?.heard(frequencies, durationMs),
};
