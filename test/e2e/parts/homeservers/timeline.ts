// What a homeserver has of its rooms, as it could read it itself.
import type { Account, RealHomeserver } from "./real-homeserver.ts";

export interface TimelineEvent {
  readonly room: string;
  readonly type: string;
  readonly sender: string;
  readonly id: string;
  readonly sessionId: string | undefined;
}

interface Page {
  readonly end?: string;
  readonly chunk: readonly {
    readonly type: string;
    readonly sender: string;
    readonly event_id: string;
    readonly state_key?: string;
    readonly content: { readonly session_id?: string };
  }[];
}

type Asked = Pick<RealHomeserver, "request">;
type Asker = Pick<Account, "accessToken">;

/** All that was sent in a room so far and is no state of it, the oldest first. */
export async function timelineOf(
  homeserver: Asked,
  { accessToken: token }: Asker,
  room: string,
): Promise<readonly TimelineEvent[]> {
  const events: TimelineEvent[] = [];
  for (let from: string | undefined; ;) {
    const query = new URLSearchParams({ dir: "b", limit: "100", ...(from === undefined ? {} : { from }) });
    const path = `/_matrix/client/v3/rooms/${encodeURIComponent(room)}/messages?${query.toString()}`;
    const { chunk, end } = (await homeserver.request("GET", path, { token })) as unknown as Page;
    for (const { type, sender, event_id: id, state_key: stateKey, content } of chunk) {
      if (stateKey === undefined) events.unshift({ room, type, sender, id, sessionId: content.session_id });
    }
    if (end === undefined || chunk.length === 0) return events;
    from = end;
  }
}

/** The same of all rooms that the person is in. */
export async function timelinesOf(homeserver: Asked, person: Asker): Promise<readonly TimelineEvent[]> {
  const { accessToken: token } = person;
  const { joined_rooms: rooms } = await homeserver.request("GET", "/_matrix/client/v3/joined_rooms", { token });
  const timelines = (rooms as string[]).map((room) => timelineOf(homeserver, person, room));
  return (await Promise.all(timelines)).flat();
}

/** Types of what was sent in a room. */
export async function typesIn(homeserver: Asked, person: Asker, room: string): Promise<readonly string[]> {
  return [...new Set((await timelineOf(homeserver, person, room)).map(({ type }) => type))];
}
