// What the state of a room says, as one of our users in it sees it.
import type { RoomId, UserId } from "../../core/ids.ts";
import type { HomeserverClient, Patience } from "./homeserver-client.ts";
import { failureOf } from "./request-failure.ts";

const patience: Patience = { again: "repeatable", giveUpAfterMs: 20_000 };

/** Whether what is sent in the room is encrypted now. Throws HomeserverError. */
export async function askEncrypted(client: HomeserverClient, room: RoomId, as: UserId): Promise<boolean> {
  const path = ["v3", "rooms", room, "state", "m.room.encryption"];
  try {
    await client.request(as, { method: "GET", path }, patience);
    return true;
  } catch (cause) {
    const { error } = failureOf(cause);
    if (error.code !== "M_NOT_FOUND") throw error;
    return false;
  }
}
