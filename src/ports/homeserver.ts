// The homeserver as the bridge sees it: facts come in through the durable intake, orders go out as a ghost or the bot.
// No Matrix event shape passes here; `matrix/` alone knows those.
import type { SaidByClient } from "../core/call/model/cause.ts";
import type { IceCandidate } from "../core/call/model/fact.ts";
import type { LegAbilities, LegAddress, LegForm, LegSignal, OwnSide } from "../core/call/model/matrix-leg.ts";
import type { EventId, MatrixCallId, DeviceId, RoomId, UserId } from "../core/ids.ts";
import type { IceServer } from "./media.ts";
import type { Inbox } from "./store.ts";
import type { MediaDescription } from "../core/media-description.ts";

interface FactOrigin {
  readonly eventId: EventId;
  readonly room: RoomId;
  readonly sender: UserId;
  /** Age of the event when the bridge received it, in ms, by the homeserver's reckoning. */
  readonly ageMs: number;
  readonly receivedAtMs: number;
}

/** Which call, by the client's own ids. */
export interface CallReference {
  readonly matrixCallId: MatrixCallId;
  /** The sender's; undefined where the client does not tell its devices apart. */
  readonly device: DeviceId | undefined;
}

/**
 * A transfer as a client orders it (MSC2747), in the words of the wire. `token` is the id of a call that nobody places here;
 * it is all that tells a consult transfer: its `await` is sent first, on the call with the one who was consulted, then the
 * `create` with the same token on the held call. A `create` whose token no call awaits is a blind transfer.
 */
export type Replacement =
  /** The far end shall call that user; none is named where the client does not know its own peer. */
  | { readonly kind: "create"; readonly token: string; readonly target: UserId | undefined }
  /** The far end shall be called. */
  | { readonly kind: "await"; readonly token: string };

export type MatrixFact = FactOrigin &
  (
    | {
        readonly kind: "member.invited";
        readonly user: UserId;
        readonly direct: boolean;
        /** As the room's state said with the invitation, where the homeserver tells. */
        readonly encrypted: boolean;
        /** Anybody may join the room. */
        readonly public: boolean;
      }
    | { readonly kind: "member.joined"; readonly user: UserId }
    /** Left, kicked or banned. */
    | { readonly kind: "member.left"; readonly user: UserId }
    | { readonly kind: "room.encrypted" }
    /** Upgraded: another room has taken its place, and clients hide it. */
    | { readonly kind: "room.replaced" }
    /** An encrypted event that the bridge cannot read: it has no keys, or the one that is needed has not come. */
    | { readonly kind: "event.unreadable" }
    /**
     * What a person wrote, without the quotation of what it answers. `emote`: of themselves, in the third person.
     * `other`: an image, a file, a place, a sticker. `edits`: it replaces an earlier message, which a telephone cannot take back.
     */
    | {
        readonly kind: "message.received";
        readonly form: "text" | "emote" | "other";
        readonly body: string;
        readonly edits: boolean;
      }
    /** A person put this mark under a message: an emoji, or a word. */
    | { readonly kind: "reaction.added"; readonly about: EventId; readonly mark: string }
    /** A person took an event back. */
    | { readonly kind: "event.withdrawn"; readonly event: EventId }
    | (CallReference & {
        readonly kind: "call.invited";
        readonly description: MediaDescription;
        /** It offers video too. */
        readonly video: boolean;
        readonly lifetimeMs: number;
        /** If named, the only user whom the call is for. */
        readonly invitee: UserId | undefined;
        readonly form: LegForm;
        readonly abilities: LegAbilities;
      })
    | (CallReference & { readonly kind: "call.candidates"; readonly candidates: readonly IceCandidate[] })
    | (CallReference & {
        readonly kind: "call.answered";
        readonly description: MediaDescription;
        readonly form: LegForm;
        readonly abilities: LegAbilities;
      })
    | (CallReference & { readonly kind: "call.selected"; readonly selected: DeviceId })
    | (CallReference & { readonly kind: "call.rejected"; readonly said: SaidByClient | undefined })
    | (CallReference & { readonly kind: "call.hungUp"; readonly said: SaidByClient | undefined })
    | (CallReference & {
        readonly kind: "call.offered";
        readonly description: MediaDescription;
        readonly video: boolean;
        readonly lifetimeMs: number;
      })
    | (CallReference & { readonly kind: "call.reanswered"; readonly description: MediaDescription })
    /** The client hands the call over (MSC2747). */
    | (CallReference & { readonly kind: "call.replaced"; readonly replacement: Replacement })
  );

/**
 * What became of a fact. Nothing: it has been acted on, or is safely queued to the call's own record. `later`: it has not
 * been acted on, since the bridge is being stopped or nobody can be told, so that it is handed over after the next start.
 * `until`: the next fact of the room need not wait, but this one is handed over again if the bridge dies before `until` resolves.
 */
export type Disposal = void | "later" | { readonly until: Promise<void> };

/** Takes one fact. Never rejects, and neither does `until`. */
export type MatrixSink = (fact: MatrixFact) => Promise<Disposal>;

/** What the Matrix edge is given when it begins to listen. */
export interface MatrixSinks {
  /** Where events are kept until they have been acted on. */
  readonly inbox: Inbox;
  readonly heard: MatrixSink;
  /** Who of ours is in a room. */
  readonly ours: (room: RoomId) => Promise<readonly UserId[]>;
  readonly queries: ApplicationServiceQueries;
}

/** The connection with the homeserver: orders to it at once, facts and queries of it once it is listened to. */
export interface MatrixConnection {
  readonly homeserver: Homeserver;
  /** Answers the homeserver from here on: queries at once, events stored and held. Rejects where the port is taken. */
  listen(sinks: MatrixSinks): Promise<void>;
  /** Hands facts to the sink from here on, those of before the start first. Throws StoreError. */
  deliver(): Promise<void>;
  /** Stops listening, then waits, but not for ever, for what is under way. */
  stop(): Promise<void>;
}

export class HomeserverError extends Error {
  override readonly name = "HomeserverError";
  /** The Matrix errcode; else `UNREACHABLE`, `HTTP_` with a status, or `BAD_ANSWER`. */
  readonly code: string;
  /** True where trying again later can help. */
  readonly transient: boolean;
  constructor(code: string, message: string, transient: boolean, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.transient = transient;
  }
}

/** One result of `/thirdparty/user` (Matrix application service API). */
export interface ThirdPartyUser {
  readonly userid: UserId;
  readonly protocol: string;
  /** Text, save `lookup_success` and its like, which older clients want as true or false. */
  readonly fields: Readonly<Record<string, string | boolean>>;
}

/** What the matrix edge asks of the bridge while it serves the homeserver's requests; all answer at once. */
export interface ApplicationServiceQueries {
  /** Protocol description for `/thirdparty/protocol/{protocol}`; undefined is 404. */
  protocol(protocol: string): ThirdPartyProtocol | undefined;
  /** `fields` as they came: a repeated field is an array. Unknown protocol: undefined (404). */
  usersByField(protocol: string, fields: Readonly<Record<string, unknown>>): readonly ThirdPartyUser[] | undefined;
  /** When a user who was found may be told to the client; undefined: at once. Resolves soon, and never rejects. */
  lookupDelay(user: UserId): Promise<void> | undefined;
  /** Reverse lookup by user id. */
  usersById(user: string): readonly ThirdPartyUser[];
  /** True where the id is that of a registered ghost. Nobody is registered to answer it. */
  userExists(user: string): Promise<boolean>;
}

export interface ThirdPartyProtocol {
  readonly user_fields: readonly string[];
  readonly location_fields: readonly string[];
  readonly icon: string;
  readonly field_types: Readonly<Record<string, { readonly regexp: string; readonly placeholder: string }>>;
  readonly instances: readonly {
    readonly network_id: string;
    readonly desc: string;
    readonly fields: Readonly<Record<string, string>>;
  }[];
}

export type PingOutcome =
  | { readonly kind: "answered"; readonly durationMs: number }
  /** The homeserver has no ping endpoint (404). */
  | { readonly kind: "unsupported" }
  | {
      readonly kind: "failed";
      /**
       * What came of the homeserver's request to the bridge. `token`: refused for its hs_token; `elsewhere`: another server
       * got it; `unreachable`: nobody did; `no-url`: the registration has none. Or the homeserver did not get as far: it does
       * not know the bridge (`unknown`), or did not answer (`unanswered`).
       */
      readonly why: "token" | "elsewhere" | "unreachable" | "no-url" | "unknown" | "unanswered";
      readonly message: string;
    };

/** What an operator has to mend. */
export interface HomeserverProblem {
  /** Constant: what is wrong, and what to do. */
  readonly line: string;
  /** What was seen of it. */
  readonly reason: string;
}

/** What the bridge may do in the name of people of its homeserver; there is nothing else. */
export interface PeopleRooms {
  /** Whether it may be done for them: only for people of this homeserver whom a number rings. */
  covers(person: UserId): boolean;
  /** Joins the room to which the person is invited, and adds it to the direct rooms with `ghost` that their clients show. Throws HomeserverError. */
  joinDirect(room: RoomId, person: UserId, ghost: UserId): Promise<void>;
}

/** A place in a call that people of a room have with each other. */
export interface RunningCall {
  readonly side: OwnSide;
  readonly abilities: LegAbilities;
  readonly description: MediaDescription;
}

export interface Homeserver {
  readonly domain: string;
  readonly bot: UserId;
  /** The application service's own user, as whom nobody speaks; the bot where the registration was written for an earlier release. */
  readonly sender: UserId;
  /** Whether the bridge has keys of its own and so reads encrypted rooms, and writes into them. */
  readonly readsEncrypted: boolean;
  /** Numbers have keys before anybody calls them. */
  readonly givesKeysAhead: boolean;
  /** Gives a registered user of ours keys. Never rejects. */
  giveKeys(user: UserId): Promise<void>;
  /** Whether the bot reads there too. */
  readonly botReadsEncrypted: boolean;
  /** `sender`, as the homeserver calls it; undefined where it does not say. Throws HomeserverError. */
  whoAmI(): Promise<UserId | undefined>;
  /**
   * Which of its own people has this OpenID token (CS API, "OpenID"); undefined: nobody. Asks once. Throws HomeserverError.
   */
  openIdUser(token: string): Promise<UserId | undefined>;
  /** Whether there is such a person on the homeserver; undefined where it does not say. Never throws. */
  exists(person: UserId): Promise<boolean | undefined>;
  /** Makes sure that the user exists. `known`: it may have existed before, and be in rooms. Throws HomeserverError. */
  register(user: UserId): Promise<"new" | "known">;
  setDisplayName(user: UserId, name: string): Promise<void>;
  /** `address`: what `upload` gave. Throws HomeserverError. */
  setPicture(user: UserId, address: string): Promise<void>;
  /** Stores a file on the homeserver, as the bot, and gives its address (`mxc:`). Throws HomeserverError. Asks once. */
  upload(bytes: Uint8Array, type: string): Promise<string>;
  /** What a person calls themselves, asked as one of ours; undefined for nothing, or if it is not said soon. Never throws. */
  displayName(person: UserId, as: UserId): Promise<string | undefined>;
  join(room: RoomId, as: UserId): Promise<void>;
  /** Also turns an invitation down. `reason` is shown to the others. Not being in the room is success. */
  leave(room: RoomId, as: UserId, reason?: string): Promise<void>;
  /**
   * What was sent in the room since `as` was invited and may not have been pushed, oldest first, no older than `maxAgeMs`.
   * Messages, up to a day old, are not among it: they come to the sink like all others.
   */
  readBack(room: RoomId, as: UserId, maxAgeMs: number): Promise<readonly MatrixFact[]>;
  /** Joined and invited members. */
  members(
    room: RoomId,
    as: UserId,
  ): Promise<readonly { readonly user: UserId; readonly membership: "join" | "invite" }[]>;
  /** Rooms that one of ours has joined. Throws HomeserverError, also for a user who was never registered. Asks once. */
  joinedRooms(as: UserId): Promise<readonly RoomId[]>;
  /**
   * Who has joined a room that some user of ours is in, nobody knows which. Throws HomeserverError: Synapse tells an
   * application service, others only a member of the room.
   */
  joinedMembers(room: RoomId): Promise<readonly UserId[]>;
  /** Whether what is sent in the room is encrypted now, as a member sees it. Throws HomeserverError. */
  encrypted(room: RoomId, as: UserId): Promise<boolean>;
  /** The kinds of clients that can be rung, by the names that their legs' forms carry. */
  readonly clientKinds: readonly string[];
  /** Our side of a call that rings these kinds of clients, some of `clientKinds`, with fresh ids. */
  ownSide(kinds: readonly string[]): OwnSide;
  /**
   * Whether people of the room are in a call with each other there, into which a number comes without ringing. Where that is
   * not known yet, it is asked as the bot. Never rejects.
   */
  hasRunningCall(room: RoomId): Promise<boolean>;
  /** One for a telephone that `person` invites; undefined: nobody is in a call there. Never rejects. */
  placeInRunningCall(room: RoomId, as: UserId, person: UserId): Promise<RunningCall | undefined>;
  /** Whether all clients of the leg show by themselves how a call ended, and that it was missed. */
  showsOutcome(form: LegForm): boolean;
  /** Retries transient failures itself, in order for one leg; throws HomeserverError when it gives up. */
  signal(leg: LegAddress, signal: LegSignal): Promise<void>;
  /** An `m.notice`; `about`: as a reply to that event; `html`: the same in HTML, which mentions nobody. Gives its id. */
  notice(room: RoomId, as: UserId, text: string, about?: EventId, html?: string): Promise<EventId>;
  /** Puts a mark under an event, in the clear in encrypted rooms too, as all clients do. Throws HomeserverError. */
  react(room: RoomId, as: UserId, about: EventId, mark: string): Promise<void>;
  /** Takes back what `as` has sent. Throws HomeserverError. */
  withdraw(room: RoomId, as: UserId, event: EventId): Promise<void>;
  /** What somebody wrote on their telephone: `m.text`. Repeated with the same `transaction` it is sent once. */
  text(room: RoomId, as: UserId, text: string, transaction: string): Promise<void>;
  /** A read receipt: the event has reached the telephone network. Never throws. */
  markRead(room: RoomId, as: UserId, event: EventId): Promise<void>;
  /**
   * A direct room made by `as`, the person invited. `encrypted`: from the start, if `readsEncrypted`; without, the homeserver
   * may encrypt it all the same.
   */
  createDirectRoom(as: UserId, invite: UserId, encrypted?: boolean): Promise<RoomId>;
  invite(room: RoomId, as: UserId, user: UserId): Promise<void>;
  /** Whom clients leave out when they name the room after its members (MSC4171); nobody, if empty. Throws HomeserverError. */
  setServiceMembers(room: RoomId, as: UserId, users: readonly UserId[]): Promise<void>;
  iceServers(as: UserId): Promise<readonly IceServer[]>;
  ping(): Promise<PingOutcome>;
  /** What keeps calls at media servers from working as they should; nothing where there are no such calls. Never rejects. */
  conferenceProblems(): Promise<readonly HomeserverProblem[]>;
}
