// Whether a room that the bridge makes is encrypted from the start: as the configuration says, and by default as the
// person's other rooms with numbers are. The homeserver may encrypt it all the same.
import type { UserId } from "../../core/ids.ts";
import { HomeserverError, type Homeserver } from "../../ports/homeserver.ts";
import type { ConversationDirectory } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";

export type EncryptRooms = "auto" | "never" | "always";

export interface NewRoomsParts {
  readonly encryptRooms: () => EncryptRooms;
  readonly homeserver: Pick<Homeserver, "bot" | "botReadsEncrypted" | "encrypted" | "readsEncrypted">;
  readonly directory: Pick<ConversationDirectory, "latest">;
  readonly log: Log;
}

/** The ghosts of more rooms than this may have left them unnoticed. */
const mostAsked = 3;

/** Never rejects for what the homeserver says. */
export async function isToBeEncrypted(person: UserId, as: UserId, parts: NewRoomsParts): Promise<boolean> {
  const { homeserver, directory, log } = parts;
  const encryptRooms = parts.encryptRooms();
  if (encryptRooms === "never" || !homeserver.readsEncrypted) return false;
  if (encryptRooms === "always") return true;
  if (as === homeserver.bot && !homeserver.botReadsEncrypted) return false;
  for (const { room, ghost } of await directory.latest(person, mostAsked + 1)) {
    if (ghost === homeserver.bot) continue;
    try {
      return await homeserver.encrypted(room, ghost);
    } catch (error) {
      if (!(error instanceof HomeserverError)) throw error;
      log.debug("could not find out whether a room is encrypted", { room, error });
    }
  }
  return false;
}
