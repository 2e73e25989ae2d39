// A room of several people that have calls with each other in it.
import type { Account, RealHomeserver } from "./real-homeserver.ts";

/** Made by `owner` as clients with Element Call make it: everybody may be in its call. */
export async function makeMeetingRoom(
  homeserver: RealHomeserver,
  owner: Account,
  invite: readonly string[],
): Promise<string> {
  const made = (await homeserver.request("POST", "/_matrix/client/v3/createRoom", {
    token: owner.accessToken,
    body: {
      preset: "private_chat",
      invite,
      power_level_content_override: { events: { "org.matrix.msc3401.call.member": 0 } },
    },
  })) as { room_id: string };
  return made.room_id;
}
