// A ring for clients of the VoIP module and of MatrixRTC at once, by people of whom nobody knows which one they use. Whichever
// answers has a leg of its own kind from then on.
import type { LegForm, OwnSide } from "../../core/call/model/matrix-leg.ts";
import { legacyClient, legacySide } from "./legacy-form.ts";
import { newDevice, newMemberId, placeIn, rtcClient, type RtcPlace } from "./rtc-form.ts";

export const bothKind = "both";

/** What is offered is for the client of the VoIP module; the other one needs no words. */
export function bothSide(newId: () => string): OwnSide {
  const device = newDevice(newId);
  const form: Omit<LegForm, symbol> & RtcPlace = {
    kind: bothKind,
    media: "client",
    device,
    memberId: newMemberId(),
  };
  return { ...legacySide(newId), own: device, form: form as unknown as LegForm };
}

/** Our side of the call as clients of each kind know it. */
export function sidesOf<Side extends OwnSide>(side: Side): { readonly legacy: Side; readonly rtc: Side } {
  return {
    legacy: { ...side, form: legacyClient("1").form },
    rtc: { ...side, form: rtcClient(placeIn(side.form) ?? { device: side.own }).form },
  };
}
