// Puts together the parts that know ghosts and rooms, because each needs the others.
import type { Call } from "../../core/call/model/call.ts";
import type { DialPlan } from "../../core/number/plan/dial-plan.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Homeserver } from "../../ports/homeserver.ts";
import type { Store } from "../../ports/store.ts";
import type { Log } from "../../ports/telemetry.ts";
import { Ghosts } from "./ghosts.ts";
import { Rooms } from "./rooms.ts";
import { Conversations } from "./conversations.ts";
import { GhostProfiles, type GhostProfilesParts } from "./ghost-profiles.ts";
import type { EncryptRooms } from "./new-rooms.ts";
import { OccupiedRooms } from "./occupied-rooms.ts";
import { RecalledRooms } from "./recalled-rooms.ts";

export interface RoomsAndGhostsParts {
  readonly encryptRooms: () => EncryptRooms;
  readonly homeserver: Homeserver;
  readonly ids: GhostIds;
  readonly plan: () => DialPlan;
  readonly store: Pick<Store, "conversations" | "ghosts" | "rooms" | "settings">;
  readonly profiles: Pick<GhostProfilesParts, "book" | "digest" | "telephonePicture">;
  /** Those of the moment. */
  readonly calls: () => readonly Call[];
  readonly clock: Clock;
  readonly log: Log;
}

export function createRooms(parts: RoomsAndGhostsParts) {
  const { homeserver, ids, plan, store, calls, clock, log } = parts;
  const recalled = new RecalledRooms({
    homeserver,
    ids,
    plan,
    ghosts: store.ghosts,
    directory: store.rooms,
    conversations: store.conversations,
    log,
  });
  const profiles = new GhostProfiles({ ...parts.profiles, ids, plan, homeserver, settings: store.settings, log });
  const ghosts = new Ghosts({ ids, plan, homeserver, directory: store.ghosts, recalled, profiles, clock, log });
  parts.profiles.book.onChange(() => void ghosts.contactsChanged());
  const rooms = new Rooms({ homeserver, directory: store.rooms, recalled, log });
  const occupied = new OccupiedRooms(calls);
  const directory = store.conversations;
  const conversations = new Conversations({
    encryptRooms: parts.encryptRooms,
    homeserver,
    directory,
    ghosts,
    rooms,
    occupied,
    recalled,
    log,
  });
  return { ghosts, rooms, occupied, conversations, profiles };
}
