// What a client is told of everything since a position: rooms joined, invited, left,
// account data, typing, receipts (client-server API "Syncing"). Looks, changes nothing.
import type { Requester } from "../http/authentication.ts";
import { strip, toSyncEvent } from "../rooms/event.ts";
import type { Room } from "../rooms/room.ts";
import type { World } from "../world.ts";
import { tokenAt } from "../world.ts";

export type SyncRequest = {
  /** Undefined for a first sync, which tells everything. */
  readonly since: number | undefined;
  readonly timelineLimit: number;
  readonly fullState: boolean;
};

export type SyncAnswer = { readonly hasNews: boolean; readonly body: object };

export function answerSync(world: World, requester: Requester, request: SyncRequest): SyncAnswer {
  const { account } = requester;
  const position = world.stream.position;
  const since = request.since ?? 0;
  const join: Record<string, object> = {};
  const invite: Record<string, object> = {};
  const leave: Record<string, object> = {};

  for (const room of world.rooms.ofUser(account.userId)) {
    const member = room.state("m.room.member", account.userId);
    if (!member) continue;
    switch (room.membership(account.userId)) {
      case "join": {
        const news = joinedRoom(world, room, requester, request);
        if (news) join[room.roomId] = news;
        break;
      }
      case "invite":
        if (member.position > since) {
          const events = [...(member.inviteRoomState ?? []), strip(member)];
          invite[room.roomId] = { invite_state: { events } };
        }
        break;
      default:
        // A room left before the first sync is not told of.
        if (request.since !== undefined && member.position > since) {
          leave[room.roomId] = leftRoom(world, room, requester, request);
        }
    }
  }

  const accountData = account.accountDataSince("", since);
  // As Synapse does it, what is empty is not there at all.
  const rooms = withoutEmpty({ join, invite, leave });
  const news = withoutEmpty({ rooms, account_data: accountData.length > 0 ? { events: accountData } : {} });
  return {
    hasNews: Object.keys(news).length > 0,
    body: {
      next_batch: tokenAt(position),
      device_one_time_keys_count: { signed_curve25519: 0 },
      device_unused_fallback_key_types: [],
      ...news,
    },
  };
}

function withoutEmpty(objects: Record<string, object>): Record<string, object> {
  return Object.fromEntries(Object.entries(objects).filter(([, value]) => Object.keys(value).length > 0));
}

function joinedRoom(world: World, room: Room, requester: Requester, request: SyncRequest): object | undefined {
  const { userId } = requester.account;
  const since = request.since ?? 0;
  const isNew = request.since === undefined || room.membership(userId, since) !== "join";
  const told = timelineSince(world, room, requester, isNew ? 0 : since, request);
  const accountData = requester.account.accountDataSince(room.roomId, isNew ? 0 : since);
  const ephemeral = ephemeralSince(world, room, isNew ? 0 : since);
  const isQuiet = told.isEmpty && accountData.length === 0 && ephemeral.length === 0;
  if (isQuiet && !isNew && !request.fullState) return undefined;
  const isWhole = isNew || request.fullState;
  const state = room.allState(told.start).filter((event) => isWhole || (told.isLimited && event.position > since));
  const heroes = [...room.members("join"), ...room.members("invite")];
  return {
    timeline: told.timeline,
    state: { events: state.map((event) => toSyncEvent(event, world.now())) },
    account_data: { events: accountData },
    ephemeral: { events: ephemeral },
    summary: {
      "m.heroes": heroes.filter((hero) => hero !== userId).slice(0, 5),
      "m.joined_member_count": room.members("join").length,
      "m.invited_member_count": room.members("invite").length,
    },
    unread_notifications: { notification_count: 0, highlight_count: 0 },
  };
}

function leftRoom(world: World, room: Room, requester: Requester, request: SyncRequest): object {
  const told = timelineSince(world, room, requester, request.since ?? 0, request);
  return { timeline: told.timeline, state: { events: [] }, account_data: { events: [] } };
}

function timelineSince(world: World, room: Room, requester: Requester, since: number, { timelineLimit }: SyncRequest) {
  const visible = room.timeline.filter(
    (event) => event.position > since && room.isVisible(event, requester.account.userId),
  );
  const events = timelineLimit === 0 ? [] : visible.slice(-timelineLimit);
  const start = (events[0]?.position ?? world.stream.position + 1) - 1;
  const isLimited = events.length < visible.length;
  return {
    start,
    isLimited,
    isEmpty: visible.length === 0,
    timeline: {
      events: events.map((event) => toSyncEvent(event, world.now(), requester.key)),
      limited: isLimited,
      prev_batch: tokenAt(start),
    },
  };
}

function ephemeralSince(world: World, room: Room, since: number): object[] {
  const events: object[] = [];
  if (room.typingPosition > since) {
    const user_ids = [...room.typing].filter(([, until]) => until > world.now()).map(([id]) => id);
    events.push({ type: "m.typing", content: { user_ids } });
  }
  const receipts = [...room.receipts].filter(([, { position }]) => position > since);
  if (receipts.length > 0) {
    const content = receipts.map(([userId, { eventId, ts }]) => [eventId, { "m.read": { [userId]: { ts } } }]);
    for (const one of content) events.push({ type: "m.receipt", content: Object.fromEntries([one]) as object });
  }
  return events;
}
