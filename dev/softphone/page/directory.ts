// From what was typed to the room to call in, in the steps that Element Web takes: the
// telephone protocol, the lookup, the direct room, the wait for its other member.
import type { MatrixClient, Room } from "matrix-js-sdk";
import { EventType, KnownMembership, Preset, RoomStateEvent, Visibility } from "matrix-js-sdk";

/** In the order of preference. */
const pstnProtocols = ["m.protocol.pstn", "im.vector.protocol.pstn"];
const joined: string = KnownMembership.Join;
const invited: string = KnownMembership.Invite;
const protocolAttempts = 3;
const protocolRetryMs = 10_000;
const memberWaitMs = 1500;

/** The homeserver's telephone protocol, undefined where no bridge offers one. */
export async function findProtocol(client: MatrixClient): Promise<string | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      const protocols = await client.getThirdpartyProtocols();
      return pstnProtocols.find((protocol) => protocols[protocol]);
    } catch (error) {
      if (attempt === protocolAttempts) throw error;
      await new Promise((resolve) => setTimeout(resolve, protocolRetryMs));
    }
  }
}

/** The user who stands for the number, exactly as typed; undefined where there is none. */
export async function lookUp(client: MatrixClient, protocol: string, typed: string): Promise<string | undefined> {
  const [first] = await client.getThirdpartyUser(protocol, { "m.id.phone": typed });
  return first?.userid;
}

/** The direct room with the user: the one there is, or a new one. */
export async function ensureDirectRoom(client: MatrixClient, userId: string): Promise<string> {
  const direct = directRooms(client);
  const known = (direct[userId] ?? [])
    .map((roomId) => client.getRoom(roomId))
    .find((room) => room !== null && isStillDirect(room, userId));
  const roomId = known?.roomId ?? (await createDirectRoom(client, userId, direct));
  await waitForMember(client, roomId, userId);
  return roomId;
}

async function createDirectRoom(
  client: MatrixClient,
  userId: string,
  direct: Record<string, string[]>,
): Promise<string> {
  const { room_id: roomId } = await client.createRoom({
    preset: Preset.TrustedPrivateChat,
    visibility: Visibility.Private,
    invite: [userId],
    is_direct: true,
    initial_state: [
      { type: EventType.RoomGuestAccess, state_key: "", content: { guest_access: "can_join" } },
      { type: EventType.RoomHistoryVisibility, state_key: "", content: { history_visibility: "invited" } },
    ],
  });
  await client.setAccountData(EventType.Direct, { ...direct, [userId]: [roomId, ...(direct[userId] ?? [])] });
  return roomId;
}

function directRooms(client: MatrixClient): Record<string, string[]> {
  return client.getAccountData(EventType.Direct)?.getContent<Record<string, string[]>>() ?? {};
}

function isStillDirect(room: Room, userId: string): boolean {
  const members = room.getMembers().filter(({ membership }) => membership === joined || membership === invited);
  return (
    room.getMyMembership() === joined && members.length === 2 && members.some((member) => member.userId === userId)
  );
}

/** Waits until the room and the member have come by sync, 1.5 s at most, and goes on in any case. */
function waitForMember(client: MatrixClient, roomId: string, userId: string): Promise<void> {
  const isThere = () => Boolean(client.getRoom(roomId)?.getMember(userId));
  if (isThere()) return Promise.resolve();
  return new Promise((resolve) => {
    const finish = () => {
      clearTimeout(timer);
      client.off(RoomStateEvent.NewMember, look);
      resolve();
    };
    const look = () => {
      if (isThere()) finish();
    };
    const timer = setTimeout(finish, memberWaitMs);
    client.on(RoomStateEvent.NewMember, look);
  });
}
