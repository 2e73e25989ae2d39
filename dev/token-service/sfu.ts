// The service's side of a LiveKit server: rooms, tokens, who is there.
import { AccessToken, RoomServiceClient, ServerError } from "livekit-server-sdk";
import { TokenError } from "./requests.ts";

export interface SfuOptions {
  /** Where clients and the service find it: `ws://127.0.0.1:7880`. */
  readonly url: string;
  readonly apiKey: string;
  readonly apiSecret: string;
}

export interface Sfu {
  /** @throws {TokenError} if the server cannot be asked */
  makeRoom(room: string): Promise<void>;
  /** A JWT, good for an hour. */
  token(room: string, identity: string): Promise<string>;
  isThere(room: string, identity: string): Promise<boolean>;
}

/** How long a room is kept for the first to come, and after the last has left. */
const EMPTY_S = 300;
const DEPARTED_S = 20;

export function connectSfu({ url, apiKey, apiSecret }: SfuOptions): Sfu {
  const rooms = new RoomServiceClient(url.replace(/^ws/, "http"), apiKey, apiSecret);
  return {
    async makeRoom(room) {
      try {
        await rooms.createRoom({ name: room, emptyTimeout: EMPTY_S, departureTimeout: DEPARTED_S });
      } catch (cause) {
        throw new TokenError(500, "M_UNKNOWN", "Unable to create room on SFU", { cause });
      }
    },
    async token(room, identity) {
      const token = new AccessToken(apiKey, apiSecret, { identity, ttl: "1h" });
      token.addGrant({ room, roomJoin: true, canPublish: true, canSubscribe: true, canUpdateOwnMetadata: true });
      return token.toJwt();
    },
    async isThere(room, identity) {
      try {
        await rooms.getParticipant(room, identity);
        return true;
      } catch (error) {
        if (error instanceof ServerError && error.status === 404) return false;
        throw error;
      }
    },
  };
}
