// Puts together what first calls from a number need.
import type { DidMatch } from "../../core/number/plan/did.ts";
import type { UserId } from "../../core/ids.ts";
import type { OurUser } from "../../core/number/plan/number-key.ts";
import type { GhostIds } from "../../core/number/ghost/ghost-id.ts";
import { mayCall, type Policy } from "../../core/policy/permission.ts";
import type { Homeserver, PeopleRooms } from "../../ports/homeserver.ts";
import type { PartReadiness } from "../../ports/admin/admin-door.ts";
import type { RoomDirectory, Settings } from "../../ports/store.ts";
import type { Ghosts } from "../rooms/ghosts.ts";
import type { Rooms } from "../rooms/rooms.ts";
import { BotRoomVisits, type BotRoomVisitsParts } from "./bot-room-visits.ts";
import { CallBacks } from "./call-backs.ts";
import type { Conversations } from "../rooms/conversations.ts";
import { FirstCalls } from "./first-calls.ts";
import { Greeter } from "./greeter.ts";
import { JoinWatch } from "./join-watch.ts";
import { LateInvites } from "./late-invites.ts";

export interface FirstCallsSetup extends BotRoomVisitsParts {
  readonly ids: GhostIds;
  readonly policy: () => Policy;
  readonly homeserver: Homeserver;
  readonly ghosts: Pick<Ghosts, "ours">;
  readonly rooms: Rooms;
  readonly conversations: Conversations;
  /** Undefined: the configuration does not let the bridge act in people's names. */
  readonly people: PeopleRooms | undefined;
  /** Whom numbers ring, and by which entries of the number table. */
  readonly rung: () => ReadonlyMap<UserId, readonly DidMatch[]>;
  readonly directory: RoomDirectory;
  readonly settings: Settings;
}

export interface FirstCallsOfBridge {
  readonly firstCalls: FirstCalls;
  readonly greeter: Greeter;
  readonly callBacks: CallBacks;
  /** Parts of readiness that never keep the bridge from being ready. */
  readonly notes: Readonly<Record<string, () => PartReadiness>>;
  /** Before the first call. Throws StoreError. */
  load(): Promise<void>;
  /** The homeserver is there: what a crash left behind is cleared away, and people are greeted. Never rejects. */
  begin(): Promise<void>;
  stop(): void;
}

export function createFirstCalls(setup: FirstCallsSetup): FirstCallsOfBridge {
  const { ids, policy, homeserver, people, rung, log, clock } = setup;
  const nameOf = ({ user, target }: OurUser): string => (target === undefined ? user : ids.displayName(target));
  const joins = new JoinWatch(clock);
  const lateInvites = new LateInvites({ homeserver, joins, log });
  const visits = new BotRoomVisits(setup);
  const firstCalls = new FirstCalls({ homeserver, people, visits, joins, lateInvites, nameOf, log });
  const greeter = new Greeter({ ...setup, firstCalls, people: rung, mayCall: (person) => mayCall(person, policy()) });
  return {
    firstCalls,
    notes: {
      first_calls: () => ({
        ready: true,
        detail: rung().size === 0 ? "no number rings a person" : firstCalls.describe(),
      }),
    },
    greeter,
    callBacks: new CallBacks({ ...setup, nameOf }),
    load: () => visits.load(),
    async begin() {
      await visits.tidy();
      await greeter.start();
    },
    stop: () => greeter.stop(),
  };
}
