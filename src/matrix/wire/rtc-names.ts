// The words of MatrixRTC: types of events, keys of state, names of participants. Each is written under the first name, which
// clients use today, and read under the second too, which its proposal has for the time when it is part of the specification.
import { createHash } from "node:crypto";
import { deviceId, type DeviceId, type UserId } from "../../core/ids.ts";

/** A membership as room state, one for each device (MSC3401 as Element Call 0.22 and 0.26 use it; MSC4143's predecessor). */
export const stateMembershipType = "org.matrix.msc3401.call.member";
/** A membership as sticky event (MSC4143, MSC4354). */
export const stickyMembershipTypes = ["org.matrix.msc4143.rtc.member", "m.rtc.member"] as const;
/** "It rings" (MSC4075). */
export const notificationTypes = ["org.matrix.msc4075.rtc.notification", "m.rtc.notification"] as const;
/** (MSC4310) */
export const declineTypes = ["org.matrix.msc4310.rtc.decline", "m.rtc.decline"] as const;
/** The one call of a room (MSC4143: application and id of the slot). */
export const roomSlot = "m.call#ROOM";

/** Anybody may write state keys that begin with `_`, only the user those that begin with the user's id. */
export function stateKeyOf(user: UserId, device: DeviceId): string {
  return `_${user}_${device}_m.call`;
}

/** undefined: it is no such key of the user's. */
export function deviceInKey(user: UserId, key: string): DeviceId | undefined {
  const before = `_${user}_`;
  const after = "_m.call";
  const isOne = key.startsWith(before) && key.endsWith(after) && key.length > before.length + after.length;
  return isOne ? deviceId(key.slice(before.length, -after.length)) : undefined;
}

/** What a LiveKit server calls whoever has a membership in state. */
export function stateIdentity(user: UserId, device: DeviceId): string {
  return `${user}:${device}`;
}

/** The same of a sticky one, where `id` tells the user's times in the call apart. */
export function stickyIdentity(user: UserId, device: DeviceId, id: string): string {
  const digest = createHash("sha256")
    .update(JSON.stringify([user, device, id]))
    .digest("base64");
  return digest.replaceAll("=", "");
}

/** `memberId`: of a sticky membership. */
export function identityOf(user: UserId, device: DeviceId, memberId: string | undefined): string {
  return memberId === undefined ? stateIdentity(user, device) : stickyIdentity(user, device, memberId);
}
