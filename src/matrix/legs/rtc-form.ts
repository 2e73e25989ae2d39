// Clients of MatrixRTC: what has to be known of our place in such a call to speak in it, after a restart too.
import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { LegAbilities, LegForm, OwnSide } from "../../core/call/model/matrix-leg.ts";
import { deviceId, type DeviceId, eventId, type EventId, matrixCallId } from "../../core/ids.ts";

export const rtcKind = "rtc";

export interface RtcPlace {
  /** As which device we are in the call: our membership, and our name at the media server. */
  readonly device: DeviceId;
  /** The one by which the person rang us; undefined where we rang. */
  readonly notification?: EventId | undefined;
  /** Of our membership, if that is a sticky one; where we ring, it may yet be none. */
  readonly memberId?: string | undefined;
}

const formOf = z.object({
  device: z.string().transform(deviceId),
  notification: z.string().transform(eventId).optional(),
  memberId: z.string().optional(),
});

/** It has no SDP and no keypad, and what it does with its own microphone is no renegotiation. */
export function rtcClient(place: RtcPlace): { readonly form: LegForm; readonly abilities: LegAbilities } {
  const form: Omit<LegForm, symbol> & RtcPlace = { kind: rtcKind, media: "own", ...place };
  return { form: form as unknown as LegForm, abilities: { canRenegotiate: false, hasKeypad: false } };
}

/** Undefined: it was not made here. */
export function placeIn(form: LegForm): RtcPlace | undefined {
  return formOf.safeParse(form).data;
}

/** A device for one call: a membership that is left behind by a crash then does no harm to the next one. */
export function newDevice(newId: () => string): DeviceId {
  return deviceId(`SIP${newId()}`);
}

/** One time in a call, as clients name theirs. */
export function newMemberId(): string {
  return randomUUID();
}

/** `newId`: a fresh random id. */
export function rtcSide(newId: () => string): OwnSide {
  const place = { device: newDevice(newId), memberId: newMemberId() };
  return { matrixCallId: matrixCallId(newId()), own: place.device, form: rtcClient(place).form };
}
