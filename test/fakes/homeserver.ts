// A homeserver that keeps what it was told, and answers as the test says.
import type { LegAddress, LegForm, LegSignal, OwnSide } from "../../src/core/call/model/matrix-leg.ts";
import { eventId, roomId, type EventId, type RoomId, type UserId } from "../../src/core/ids.ts";
import {
  HomeserverError,
  type Homeserver,
  type MatrixConnection,
  type MatrixFact,
  type MatrixSinks,
  type HomeserverProblem,
  type PingOutcome,
  type RunningCall,
} from "../../src/ports/homeserver.ts";
import { legacySide } from "../../src/matrix/legs/legacy-form.ts";

export class FakeHomeserver implements Homeserver {
  readonly domain = "example.org";
  readonly bot = "@_sip_bot:example.org" as UserId;
  readonly sender = "@_sip_sender:example.org" as UserId;
  readonly told: { readonly leg: LegAddress; readonly signal: LegSignal }[] = [];
  readonly notices: {
    readonly room: RoomId;
    readonly as: UserId;
    readonly text: string;
    readonly about: EventId | undefined;
    readonly html: string | undefined;
  }[] = [];
  readonly reactions: {
    readonly room: RoomId;
    readonly as: UserId;
    readonly about: EventId;
    readonly mark: string;
  }[] = [];
  readonly withdrawn: { readonly room: RoomId; readonly as: UserId; readonly event: EventId }[] = [];
  readonly texts: {
    readonly room: RoomId;
    readonly as: UserId;
    readonly text: string;
    readonly transaction: string;
  }[] = [];
  readonly read: { readonly room: RoomId; readonly as: UserId; readonly event: EventId }[] = [];
  readonly registered: UserId[] = [];
  readonly names = new Map<UserId, string>();
  readonly askedNames: UserId[] = [];
  readonly askedServers: UserId[] = [];
  readonly joined: { readonly room: RoomId; readonly user: UserId }[] = [];
  readonly left: { readonly room: RoomId; readonly user: UserId; readonly reason?: string }[] = [];
  readonly rooms: { readonly room: RoomId; readonly as: UserId; readonly invite: UserId }[] = [];
  encryptionFailure: HomeserverError | undefined;
  readonly invited: { readonly room: RoomId; readonly user: UserId }[] = [];
  /** What the timeline holds that was never pushed. */
  timeline: MatrixFact[] = [];
  memberList: { user: UserId; membership: "join" | "invite" }[] = [];
  /** Orders fail with this for as long as it is set. */
  failure: HomeserverError | undefined;
  /** A room that none of ours is in any more. */
  closedRoom: RoomId | undefined;
  closedWith = new HomeserverError("M_FORBIDDEN", "not in the room", false);
  timelineFailure: HomeserverError | undefined;
  /** The timeline is not given before this. */
  timelineHeld: Promise<void> | undefined;
  readonly encryptedRooms = new Set<RoomId>();
  readsEncrypted = false;
  givesKeysAhead = false;
  botReadsEncrypted = false;
  encryptsAll = false;
  /** Nobody of ours may come into a room by itself, or be invited. */
  refuseJoins: HomeserverError | undefined;
  refuseInvites: HomeserverError | undefined;
  onInvite: () => void = () => {};
  /** Nobody of ours may change a room's state. */
  refuseState: HomeserverError | undefined;
  readonly serviceMembers: { readonly room: RoomId; readonly users: readonly UserId[] }[] = [];
  /** People join at once what a room was made for. */
  acceptsInvitations = true;
  /** Who is in which room, where it is not as in `memberList`. */
  readonly membersOf = new Map<RoomId, { user: UserId; membership: "join" | "invite" }[]>();
  /** Rooms of ours that the homeserver knows; whoever is not here was never registered. */
  readonly joinedRoomsOf = new Map<UserId, readonly RoomId[]>();
  readonly askedRooms: UserId[] = [];
  /** As Synapse does, an application service is told who is in the rooms of its users. */
  tellsMembers = true;
  /** Nobody is told who is in a room. */
  memberFailure: HomeserverError | undefined;
  #failsOnce = false;
  #held: { readonly until: Promise<void>; readonly release: () => void } | undefined;

  /** Nothing that is sent into a room is answered until `release`. */
  hold(): void {
    let release: () => void = () => {};
    const until = new Promise<void>((resolve) => {
      release = resolve;
    });
    this.#held = { until, release };
  }
  release(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  /** Only the next order fails; then `failure` is over. */
  failOnce(): void {
    this.#failsOnce = true;
  }

  #sides = 0;
  /** As which kind of client we call. */
  side: () => OwnSide = () => legacySide(() => `own${(this.#sides += 1)}`);
  clientKinds: readonly string[] = ["legacy"];
  /** What each call was to ring. */
  readonly rung: (readonly string[])[] = [];
  /** Rooms where people are in a call with each other. */
  readonly runningCalls = new Set<RoomId>();
  async hasRunningCall(room: RoomId): Promise<boolean> {
    return this.runningCalls.has(room);
  }
  /** What a telephone gets that is invited into such a call. */
  runningCall: RunningCall | undefined;
  async placeInRunningCall(): Promise<RunningCall | undefined> {
    return this.runningCall;
  }
  showsOutcome({ kind }: LegForm): boolean {
    return kind === "legacy";
  }
  ownSide(kinds: readonly string[]): OwnSide {
    this.rung.push(kinds);
    return this.side();
  }

  async #allow(): Promise<void> {
    const { failure } = this;
    if (this.#failsOnce) this.failure = undefined;
    this.#failsOnce = false;
    if (failure !== undefined) throw failure;
  }
  /** What the homeserver calls the bridge. */
  seenAs: UserId | undefined = this.sender;
  readonly people = new Set<UserId>();
  async whoAmI(): Promise<UserId | undefined> {
    await this.#allow();
    return this.seenAs;
  }
  readonly openIdTokens = new Map<string, UserId>();
  async openIdUser(token: string): Promise<UserId | undefined> {
    await this.#allow();
    return this.openIdTokens.get(token);
  }
  async exists(person: UserId): Promise<boolean> {
    return this.people.has(person);
  }
  async giveKeys(): Promise<void> {}

  async register(user: UserId): Promise<"new" | "known"> {
    await this.#allow();
    const isKnown = this.registered.includes(user) || this.joinedRoomsOf.has(user);
    this.registered.push(user);
    return isKnown ? "known" : "new";
  }
  async setDisplayName(user: UserId, name: string): Promise<void> {
    this.names.set(user, name);
  }
  readonly pictures = new Map<UserId, string>();
  readonly uploads: string[] = [];
  async setPicture(user: UserId, address: string): Promise<void> {
    this.pictures.set(user, address);
  }
  async upload(bytes: Uint8Array): Promise<string> {
    this.uploads.push(bytes.join(" "));
    return `mxc://example.org/${bytes.join("-")}`;
  }
  async displayName(person: UserId): Promise<string | undefined> {
    this.askedNames.push(person);
    return this.names.get(person);
  }
  async join(room: RoomId, user: UserId): Promise<void> {
    await this.#allow();
    if (this.refuseJoins !== undefined) throw this.refuseJoins;
    this.joined.push({ room, user });
  }
  async leave(room: RoomId, user: UserId, reason?: string): Promise<void> {
    this.left.push({ room, user, ...(reason !== undefined && { reason }) });
  }
  async readBack(): Promise<readonly MatrixFact[]> {
    await this.timelineHeld;
    if (this.timelineFailure !== undefined) throw this.timelineFailure;
    return this.timeline;
  }
  async members(room: RoomId): Promise<readonly { user: UserId; membership: "join" | "invite" }[]> {
    if (this.memberFailure !== undefined) throw this.memberFailure;
    if (room === this.closedRoom) throw this.closedWith;
    return this.membersOf.get(room) ?? (this.memberList.length > 0 ? this.memberList : this.#newMembers(room));
  }
  #newMembers(room: RoomId): { user: UserId; membership: "join" | "invite" }[] {
    const membership = this.acceptsInvitations ? "join" : "invite";
    return this.rooms
      .filter((made) => made.room === room)
      .flatMap(({ as, invite }) => [
        { user: as, membership: "join" },
        { user: invite, membership },
      ]);
  }
  async joinedRooms(as: UserId): Promise<readonly RoomId[]> {
    this.askedRooms.push(as);
    const rooms = this.joinedRoomsOf.get(as);
    if (rooms !== undefined) return rooms;
    throw new HomeserverError("M_FORBIDDEN", "Application service has not registered this user", false);
  }
  async joinedMembers(room: RoomId): Promise<readonly UserId[]> {
    const members = this.tellsMembers ? this.membersOf.get(room) : undefined;
    if (members === undefined) throw new HomeserverError("M_FORBIDDEN", "Appservice not in room", false);
    return members.filter(({ membership }) => membership === "join").map(({ user }) => user);
  }
  async encrypted(room: RoomId): Promise<boolean> {
    if (this.encryptionFailure !== undefined) throw this.encryptionFailure;
    return this.encryptsAll || this.encryptedRooms.has(room);
  }
  async signal(leg: LegAddress, signal: LegSignal): Promise<void> {
    await this.#held?.until;
    await this.#allow();
    this.told.push({ leg, signal });
  }
  async notice(room: RoomId, as: UserId, text: string, about?: EventId, html?: string): Promise<EventId> {
    await this.#held?.until;
    await this.#allow();
    this.notices.push({ room, as, text, about, html });
    return eventId(`$notice${this.notices.length}`);
  }
  async react(room: RoomId, as: UserId, about: EventId, mark: string): Promise<void> {
    await this.#held?.until;
    await this.#allow();
    this.reactions.push({ room, as, about, mark });
  }
  async withdraw(room: RoomId, as: UserId, event: EventId): Promise<void> {
    await this.#held?.until;
    await this.#allow();
    this.withdrawn.push({ room, as, event });
  }
  async text(room: RoomId, as: UserId, text: string, transaction: string): Promise<void> {
    await this.#held?.until;
    await this.#allow();
    const repeats = this.texts.some((sent) => sent.transaction === transaction && sent.room === room && sent.as === as);
    if (!repeats) this.texts.push({ room, as, text, transaction });
  }
  async markRead(room: RoomId, as: UserId, event: EventId): Promise<void> {
    this.read.push({ room, as, event });
  }
  async createDirectRoom(as: UserId, invite: UserId, encrypted = false): Promise<RoomId> {
    await this.#allow();
    const room = roomId(`!made${this.rooms.length + 1}:example.org`);
    this.rooms.push({ room, as, invite });
    if (encrypted) this.encryptedRooms.add(room);
    return room;
  }
  async invite(room: RoomId, _as: UserId, user: UserId): Promise<void> {
    await this.#allow();
    if (this.refuseInvites !== undefined) throw this.refuseInvites;
    this.invited.push({ room, user });
    this.onInvite();
  }
  async setServiceMembers(room: RoomId, _as: UserId, users: readonly UserId[]): Promise<void> {
    await this.#allow();
    if (this.refuseState !== undefined) throw this.refuseState;
    this.serviceMembers.push({ room, users });
  }
  async iceServers(user: UserId): Promise<readonly []> {
    this.askedServers.push(user);
    return [];
  }
  async conferenceProblems(): Promise<readonly HomeserverProblem[]> {
    return [];
  }

  async ping(): Promise<PingOutcome> {
    return { kind: "answered", durationMs: 1 };
  }
}

/** The connection with a homeserver that is never pushed anything. */
export class FakeMatrix implements MatrixConnection {
  readonly homeserver: FakeHomeserver;
  sinks: MatrixSinks | undefined;
  /** In the order in which they were asked for. */
  readonly steps: string[] = [];

  constructor(homeserver: FakeHomeserver) {
    this.homeserver = homeserver;
  }
  async listen(sinks: MatrixSinks): Promise<void> {
    this.sinks = sinks;
    this.steps.push("listen");
  }
  async deliver(): Promise<void> {
    this.steps.push("deliver");
  }
  async stop(): Promise<void> {
    this.steps.push("stop");
  }
}
