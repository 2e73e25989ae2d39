// With what the frames of a call are encrypted, as devices tell each other (Element Call, `io.element.call.encryption_keys`).
import { z } from "zod";
import { type DeviceId, type RoomId, roomId, type UserId } from "../../core/ids.ts";
import type { FrameKey } from "../../ports/conference.ts";
import { stateIdentity } from "./rtc-names.ts";

/** To a device. */
export const frameKeysType = "io.element.call.encryption_keys";

export interface ToldKey {
  readonly room: RoomId;
  /** Whose it is, as they say themselves. */
  readonly device: string;
  readonly key: FrameKey;
}

const secretOf = z
  .string()
  .max(100)
  .regex(/^[A-Za-z0-9+/_-]+=*$/)
  .transform((text) => Buffer.from(text, "base64"))
  .refine(({ length }) => length >= 16 && length <= 32);

const form = z.object({
  keys: z.object({ index: z.number().int().min(0).max(255), key: secretOf }),
  room_id: z.string().min(1).max(255).transform(roomId),
  member: z.object({ claimed_device_id: z.string().min(1).max(255) }),
});

/** undefined: it tells of no key. */
export function readFrameKey(content: unknown): ToldKey | undefined {
  const parsed = form.safeParse(content);
  if (!parsed.success) return undefined;
  const { keys, room_id, member } = parsed.data;
  return { room: room_id, device: member.claimed_device_id, key: { index: keys.index, secret: keys.key } };
}

/** As a real client tells its own. */
export function frameKeyContent(
  { index, secret }: FrameKey,
  {
    room,
    user,
    device,
    memberId = stateIdentity(user, device),
  }: {
    readonly room: RoomId;
    readonly user: UserId;
    readonly device: DeviceId;
    /** As in our membership, if that is a sticky one. */
    readonly memberId?: string | undefined;
  },
  nowMs: number,
): object {
  return {
    keys: { index, key: Buffer.from(secret).toString("base64").replaceAll("=", "") },
    room_id: room,
    member: { claimed_device_id: device, id: memberId },
    session: { call_id: "", application: "m.call", scope: "m.room" },
    sent_ts: nowMs,
  };
}
