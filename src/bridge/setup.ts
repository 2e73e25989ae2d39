// What the bridge is made with: its ports, and one plain value that says what the configuration wants (config/mapping).
import type { Notices } from "../core/call/model/notices.ts";
import type { RoomId, TrunkName, UserId } from "../core/ids.ts";
import type { GhostIdOptions } from "../core/number/ghost/ghost-id.ts";
import type { DialPlan } from "../core/number/plan/dial-plan.ts";
import type { DidTable } from "../core/number/plan/did.ts";
import type { VirtualUsers } from "../core/number/plan/virtual-users.ts";
import type { IdentityTemplates } from "../core/policy/caller-identity.ts";
import type { BlockResponse } from "../core/policy/block-list.ts";
import type { CallerTrust } from "../core/policy/caller.ts";
import type { Policy } from "../core/policy/permission.ts";
import type { SpendingPolicy } from "../core/policy/spending/spending-policy.ts";
import type { TrunkFeatures } from "../core/policy/trunk-features.ts";
import type { Clock } from "../ports/clock.ts";
import type { MatrixConnection, PeopleRooms } from "../ports/homeserver.ts";
import type { LadderBook } from "../ports/ladders/ladder.ts";
import type { IceServer, CallMedia, TrunkMedia } from "../ports/media.ts";
import type { SipTrunks } from "../ports/sip.ts";
import type { Store } from "../ports/store.ts";
import type { Telemetry } from "../ports/telemetry.ts";
import type { CallerChoices } from "./blocking/screen.ts";
import type { Pins } from "./admission/pin-guard.ts";
import type { TurnCheckParts } from "./operation/turn-check.ts";
import type { GhostProfilesParts } from "./rooms/ghost-profiles.ts";
import type { EncryptRooms } from "./rooms/new-rooms.ts";

/** The bridge starts and stops the first three; whoever opened the others closes them. */
export interface BridgePorts {
  readonly matrix: MatrixConnection;
  readonly sip: SipTrunks;
  readonly media: CallMedia;
  readonly store: Store;
  readonly contacts: Pick<GhostProfilesParts, "book" | "digest" | "telephonePicture">;
  /** Undefined: the bridge does nothing in people's names. */
  readonly people: PeopleRooms | undefined;
  readonly probeTurn: TurnCheckParts["probe"];
  readonly telemetry: Telemetry;
  /** Undefined: none are kept. */
  readonly ladders?: LadderBook | undefined;
  readonly clock: Clock;
}

/** How the bridge deals with one trunk. */
export interface BridgedTrunk {
  /** As whom people call over it. */
  readonly identity: IdentityTemplates;
  readonly features: TrunkFeatures;
  /** What it is believed of callers. */
  readonly trust: CallerTrust;
  readonly media: TrunkMedia;
  /** When the bridge's own certificate for it ends (ms since the epoch); undefined: it has none. */
  readonly certificateEndsAtMs?: number | undefined;
}

/** Which callers reach nobody. */
interface BlockingSettings extends CallerChoices {
  /** What callers on the block list hear whose entry does not say. */
  readonly response: BlockResponse;
}

export interface BridgeSettings {
  /** What the bot is called. */
  readonly botName: string;
  readonly ghostIds: GhostIdOptions;
  readonly plan: DialPlan;
  readonly policy: Policy;
  /** Limits of minutes and money. */
  readonly spending: SpendingPolicy;
  readonly trunks: ReadonlyMap<TrunkName, BridgedTrunk>;
  /** Whom the numbers of the trunks ring. */
  readonly numbers: DidTable;
  /** The PINs that numbers of theirs want. */
  readonly pins: Pins;
  /** Whose a voice mailbox is, by the account that the trunk names; others belong to whom the number rings. */
  readonly mailboxes: ReadonlyMap<string, readonly UserId[]>;
  readonly blocking: BlockingSettings;
  readonly notices: Notices;
  /** Which kinds of clients a call rings: `auto`, those that people use; `both`; or one of the homeserver's kinds. */
  readonly ringKinds: string;
  /** Which rooms that the bridge makes are encrypted. */
  readonly encryptRooms: EncryptRooms;
  /** Undefined: clients are not told whose numbers there are. */
  readonly virtualUsers: VirtualUsers | undefined;
  readonly ice: {
    readonly servers: readonly IceServer[];
    /** Whether the homeserver's TURN servers are used too. */
    readonly askHomeserver: boolean;
  };
  /** Whom the configuration names as admins of the bridge. */
  readonly admins: ReadonlySet<UserId>;
  /** Where admins find the console; undefined: there is none. */
  readonly consoleUrl: string | undefined;
  /** Is told what admins should know at once; undefined: none. */
  readonly adminRoom: RoomId | undefined;
  /** How long the records of ended calls are kept. */
  readonly keepCallsMs: number;
}
