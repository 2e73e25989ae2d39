// MatrixRTC from events to readings: who is in the call of a room, who rings, who declines. What a call is to the bridge is
// decided with these by `matrix/rtc`. Types are strict, unknown fields are let be.
import { z } from "zod";
import { type DeviceId, deviceId, type EventId, eventId, type UserId } from "../../core/ids.ts";
import { type Envelope, userIdText } from "./envelope.ts";
import {
  declineTypes,
  notificationTypes,
  roomSlot,
  stateIdentity,
  stateMembershipType,
  stickyIdentity,
  stickyMembershipTypes,
} from "./rtc-names.ts";

type Origin = Pick<Envelope, "eventId" | "room" | "sender" | "ageMs" | "receivedAtMs">;

/** How a membership is written: as room state, or as a sticky event (MSC4354). */
export type MembershipFormat = "state" | "sticky";

/** One device's place in the call of a room. */
export interface RtcMembership {
  readonly format: MembershipFormat;
  /** What replaces or ends this membership has the same; nobody but its sender can have it. */
  readonly key: string;
  readonly user: UserId;
  readonly device: DeviceId;
  /** As the media server names it. */
  readonly identity: string;
  /** Where tokens for its media server are to be had, the best first; without a slash at the end. Hostile until allowed. */
  readonly services: readonly string[];
  /** `oldest`: it goes where the first one in the call is; `own`: where its own first service leads. */
  readonly meets: "own" | "oldest";
  /** From the receipt of the event, in ms. */
  readonly expiresInMs: number;
  /** It was there before, and is only made to last longer. */
  readonly renewed: boolean;
  /** Differs each time that the device comes in; undefined where memberships do not tell that. */
  readonly stay: string | undefined;
}

export type RtcEvent = Origin &
  (
    | { readonly kind: "rtc.joined"; readonly membership: RtcMembership }
    /** `key` as in the membership that is over. */
    | { readonly kind: "rtc.left"; readonly key: string }
    | {
        readonly kind: "rtc.rang";
        /** The event that holds the membership of the one who rings. */
        readonly membership: EventId;
        /** `quiet`: shown, without a sound. */
        readonly loudness: "loud" | "quiet";
        /** For whom; empty: for everybody in the room. */
        readonly named: readonly UserId[];
        /** From when it was sent, in ms. */
        readonly lifetimeMs: number;
        readonly video: boolean;
      }
    /** Somebody refuses the call that this notification told of. */
    | { readonly kind: "rtc.declined"; readonly notification: EventId }
  );

/** As long as a sticky event can last (MSC4354), and longer than clients let a membership in state go unrefreshed. */
const longestMs = 24 * 3_600_000;
/** What clients write, for one that does not say. */
const usualExpiryMs = 4 * 3_600_000;
const longestRingMs = 10 * 60_000;
const usualRingMs = 30_000;
/** Of two clocks that differ more than this, the homeserver's is believed (MSC4075). */
const mostClockDifferenceMs = 20_000;
const mostServices = 10;
const mostNamed = 100;
const mostUrlLength = 2_000;

/** Device ids and ids of members: printable, without a space. */
const opaqueId = z.string().regex(/^[\x21-\x7e]{1,255}$/);
const anEventId = z.string().regex(/^\$[\x21-\x7e]{1,254}$/);
const moment = z.number().finite().optional().catch(undefined);

const transports = z
  .array(z.unknown())
  .catch([])
  .transform((list) => list.slice(0, mostServices).flatMap((item) => serviceIn(item) ?? []));

const transportForm = z.object({ type: z.literal("livekit"), livekit_service_url: z.string().max(mostUrlLength) });
const tokensForm = z.object({
  url: z
    .string()
    .max(mostUrlLength)
    .regex(/^wss?:\/\/[\x21-\x7e]+$/),
});

/** undefined: it is no transport that the bridge can use. */
export function serviceIn(transport: unknown): string | undefined {
  const parsed = transportForm.safeParse(transport);
  if (!parsed.success || !URL.canParse(parsed.data.livekit_service_url)) return undefined;
  const { protocol, username, search, hash, origin, pathname } = new URL(parsed.data.livekit_service_url);
  const isPlain = (protocol === "https:" || protocol === "http:") && username === "" && search === "" && hash === "";
  return isPlain ? `${origin}${pathname}`.replace(/\/+$/, "") : undefined;
}

/** The media server for which the homeserver gives tokens itself (MSC4195, of which the service is the older way). */
export function mediaServerIn(transport: unknown): string | undefined {
  return tokensForm.safeParse(transport).data?.url;
}

const stateForm = z.object({
  application: z.literal("m.call"),
  // The one call of the room has no id.
  call_id: z.union([z.literal(""), z.literal("ROOM")]),
  scope: z.literal("m.room").optional(),
  device_id: opaqueId,
  expires: moment,
  created_ts: moment,
  foci_preferred: transports,
  focus_active: z.object({ focus_selection: z.string() }).partial().optional().catch(undefined),
});

const stickyForm = z.object({
  application: z.object({ type: z.literal("m.call") }),
  slot_id: z.literal(roomSlot),
  // The proposal's text says `claimed_`, clients leave it out.
  member: z
    .object({
      id: opaqueId,
      device_id: opaqueId.optional(),
      claimed_device_id: opaqueId.optional(),
      user_id: z.string().optional(),
      claimed_user_id: z.string().optional(),
    })
    .transform(({ id, device_id, claimed_device_id, user_id, claimed_user_id }) => ({
      id,
      device: device_id ?? claimed_device_id,
      user: user_id ?? claimed_user_id,
    })),
  transports: z.object({ published: transports }).optional().catch(undefined),
  rtc_transports: transports.optional(),
});

const stickyKeyForm = z
  .object({ msc4354_sticky_key: opaqueId.optional(), sticky_key: opaqueId.optional() })
  .transform((keys) => keys.msc4354_sticky_key ?? keys.sticky_key);

const reference = z.object({ rel_type: z.literal("m.reference"), event_id: anEventId });

const notificationForm = z.object({
  "m.relates_to": reference,
  notification_type: z.enum(["ring", "notification"]),
  "m.mentions": z
    .object({
      room: z.boolean().optional().catch(undefined),
      user_ids: z
        .array(z.unknown())
        .transform((ids) => ids.slice(0, mostNamed).flatMap((id) => userIdText.safeParse(id).data ?? []))
        .catch([]),
    })
    .partial()
    .optional()
    .catch(undefined),
  sender_ts: moment,
  lifetime: z.number().finite().positive().optional().catch(undefined),
  "m.call.intent": z.string().optional().catch(undefined),
});

const declineForm = z.object({ "m.relates_to": reference });

function clamp(ms: number): number {
  return Math.max(0, Math.min(ms, longestMs));
}

function originOf({ eventId, room, sender, ageMs, receivedAtMs }: Envelope): Origin {
  return { eventId, room, sender, ageMs, receivedAtMs };
}

type Reader = (event: Envelope) => RtcEvent | undefined;

/** The user's id is in the state key too, but anybody may write there: whose membership it is, only its sender tells. */
function readState(event: Envelope): RtcEvent | undefined {
  const { content, sender, stateKey, sentAtMs, ageMs } = event;
  if (stateKey === undefined) return undefined;
  const key = `state ${sender} ${stateKey}`;
  // `{}`, or a membership in some other call: this place in the room's call is empty.
  if (content["application"] === undefined) return { ...originOf(event), kind: "rtc.left", key };
  const parsed = stateForm.safeParse(content);
  if (!parsed.success) return undefined;
  const { device_id, expires = usualExpiryMs, created_ts, foci_preferred, focus_active } = parsed.data;
  const device = deviceId(device_id);
  const createdMs = created_ts === undefined ? 0 : Math.max(0, sentAtMs - created_ts);
  const membership: RtcMembership = {
    format: "state",
    key,
    user: sender,
    device,
    identity: stateIdentity(sender, device),
    services: foci_preferred,
    meets: focus_active?.focus_selection === "oldest_membership" ? "oldest" : "own",
    expiresInMs: clamp(expires - createdMs - ageMs),
    renewed: created_ts !== undefined,
    stay: undefined,
  };
  return { ...originOf(event), kind: "rtc.joined", membership };
}

function readSticky(event: Envelope): RtcEvent | undefined {
  const { content, sender, stickyMs = usualExpiryMs } = event;
  const stickyKey = stickyKeyForm.safeParse(content).data;
  if (stickyKey === undefined) return undefined;
  const key = `sticky ${sender} ${stickyKey}`;
  if (content["application"] === undefined) return { ...originOf(event), kind: "rtc.left", key };
  const parsed = stickyForm.safeParse(content);
  if (!parsed.success) return undefined;
  const { member, transports: said, rtc_transports = [] } = parsed.data;
  if (member.device === undefined || (member.user !== undefined && member.user !== sender)) return undefined;
  const device = deviceId(member.device);
  const membership: RtcMembership = {
    format: "sticky",
    key,
    user: sender,
    device,
    identity: stickyIdentity(sender, device, member.id),
    services: said?.published ?? rtc_transports,
    meets: "own",
    expiresInMs: clamp(stickyMs),
    renewed: false,
    stay: member.id,
  };
  return { ...originOf(event), kind: "rtc.joined", membership };
}

function readNotification(event: Envelope): RtcEvent | undefined {
  const parsed = notificationForm.safeParse(event.content);
  if (!parsed.success) return undefined;
  const { "m.relates_to": relation, notification_type, "m.mentions": mentions, sender_ts } = parsed.data;
  const lateMs = sender_ts === undefined ? 0 : event.sentAtMs - sender_ts;
  const ownLifetimeMs = Math.min(parsed.data.lifetime ?? usualRingMs, longestRingMs);
  return {
    ...originOf(event),
    kind: "rtc.rang",
    membership: eventId(relation.event_id),
    loudness: notification_type === "ring" ? "loud" : "quiet",
    named: mentions?.room === true ? [] : (mentions?.user_ids ?? []),
    lifetimeMs: Math.max(0, ownLifetimeMs - (Math.abs(lateMs) > mostClockDifferenceMs ? 0 : lateMs)),
    video: parsed.data["m.call.intent"] === "video",
  };
}

function readDecline(event: Envelope): RtcEvent | undefined {
  const parsed = declineForm.safeParse(event.content);
  if (!parsed.success) return undefined;
  return { ...originOf(event), kind: "rtc.declined", notification: eventId(parsed.data["m.relates_to"].event_id) };
}

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [stateMembershipType, readState],
  ...stickyMembershipTypes.map((type): [string, Reader] => [type, readSticky]),
  ...notificationTypes.map((type): [string, Reader] => [type, readNotification]),
  ...declineTypes.map((type): [string, Reader] => [type, readDecline]),
]);

/** Types that `readRtcEvent` understands. */
export const rtcTypes: readonly string[] = [...readers.keys()];

export function isRtcType(type: string): boolean {
  return readers.has(type);
}

/** undefined: it is nothing of the room's call, or not what its type asks for. */
export function readRtcEvent(event: Envelope): RtcEvent | undefined {
  return readers.get(event.type)?.(event);
}
